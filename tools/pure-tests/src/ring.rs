// SPDX-License-Identifier: GPL-2.0

//! A ring is a `VecDeque` that does not grow by itself.

use crate::{
    config,
    pure::ring::{Ring, RingStorage},
    MAX_OPS,
};
use proptest::{collection::vec, prelude::*};
use std::collections::VecDeque;

#[derive(Clone, Debug)]
enum Op {
    Push,
    Pop,
    PopLast,
    /// The first item that is a multiple of this.
    TakeFirst(u32),
    /// The last one that is.
    TakeLast(u32),
    Grow(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => Just(Op::Push),
        3 => Just(Op::Pop),
        1 => Just(Op::PopLast),
        2 => (1u32..6).prop_map(Op::TakeFirst),
        2 => (1u32..6).prop_map(Op::TakeLast),
        1 => (0usize..24).prop_map(Op::Grow),
    ]
}

struct Both {
    ring: Ring<u32>,
    model: VecDeque<u32>,
    capacity: usize,
    next: u32,
}

impl Both {
    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Push => self.push(),
            Op::Pop => assert_eq!(self.ring.pop(), self.model.pop_front()),
            Op::PopLast => assert_eq!(self.ring.pop_last(), self.model.pop_back()),
            Op::TakeFirst(of) => {
                let at = self.model.iter().position(|item| item % of == 0);
                let expected = at.and_then(|at| self.model.remove(at));
                assert_eq!(self.ring.take_first(|item| item % of == 0), expected);
            }
            Op::TakeLast(of) => {
                let at = self.model.iter().rposition(|item| item % of == 0);
                let expected = at.and_then(|at| self.model.remove(at));
                assert_eq!(self.ring.take_last(|item| item % of == 0), expected);
            }
            Op::Grow(capacity) => {
                drop(self.ring.grow(RingStorage::new(capacity).unwrap()));
                self.capacity = self.capacity.max(capacity);
            }
        }
    }

    fn push(&mut self) {
        self.next += 1;
        let expected = if self.model.len() < self.capacity {
            self.model.push_back(self.next);
            Ok(())
        } else {
            Err(self.next)
        };
        assert_eq!(self.ring.push(self.next), expected);
    }

    fn compare(&self) {
        assert_eq!(self.ring.len(), self.model.len());
        assert_eq!(self.ring.is_empty(), self.model.is_empty());
        assert_eq!(self.ring.capacity(), self.capacity);
        for count in 0..4 {
            let has_room = self.model.len() + count <= self.capacity;
            assert_eq!(self.ring.has_room(count), has_room);
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn is_a_queue(ops in vec(op(), 0..MAX_OPS)) {
        let mut both = Both {
            ring: Ring::new(),
            model: VecDeque::new(),
            capacity: 0,
            next: 0,
        };
        both.compare();
        for op in &ops {
            both.apply(op);
            both.compare();
        }
        while let Some(item) = both.model.pop_front() {
            assert_eq!(both.ring.pop(), Some(item));
        }
        assert_eq!(both.ring.pop(), None);
    }
}
