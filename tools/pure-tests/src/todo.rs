// SPDX-License-Identifier: GPL-2.0

//! Whoever was promised a place has one, whatever others do meanwhile.

use crate::{
    config,
    pure::{ring::RingStorage, todo::Todo},
    MAX_OPS,
};
use proptest::{collection::vec, prelude::*};
use std::collections::VecDeque;

#[derive(Clone, Debug)]
enum Op {
    Promise,
    Forgo,
    Push,
    PushPromised,
    Pop,
    PopAndPromiseAgain,
    Grow(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => Just(Op::Promise),
        1 => Just(Op::Forgo),
        4 => Just(Op::Push),
        3 => Just(Op::PushPromised),
        2 => Just(Op::Pop),
        2 => Just(Op::PopAndPromiseAgain),
        1 => (0usize..16).prop_map(Op::Grow),
    ]
}

struct Both {
    todo: Todo<u32>,
    model: VecDeque<u32>,
    promised: usize,
    capacity: usize,
    next: u32,
}

impl Both {
    fn apply(&mut self, op: &Op) {
        self.next += 1;
        match *op {
            Op::Promise => {
                let has_room = self.has_room();
                self.promised += usize::from(has_room);
                assert_eq!(self.todo.promise(), has_room);
            }
            Op::Forgo if self.promised > 0 => {
                self.promised -= 1;
                self.todo.forgo();
            }
            Op::Push => self.push(),
            Op::PushPromised if self.promised > 0 => {
                self.promised -= 1;
                self.model.push_back(self.next);
                self.todo.push_promised(self.next);
            }
            Op::Pop => assert_eq!(self.todo.pop(), self.model.pop_front()),
            Op::PopAndPromiseAgain => {
                let item = self.model.pop_front();
                assert_eq!(self.todo.pop(), item);
                if item.is_some() {
                    self.promised += 1;
                    self.todo.promise_again();
                }
            }
            Op::Grow(capacity) => {
                drop(self.todo.grow(RingStorage::new(capacity).unwrap()));
                self.capacity = self.capacity.max(capacity);
            }
            Op::Forgo | Op::PushPromised => {}
        }
    }

    fn push(&mut self) {
        let expected = if self.has_room() {
            self.model.push_back(self.next);
            Ok(())
        } else {
            Err(self.next)
        };
        assert_eq!(self.todo.push(self.next), expected);
    }

    fn has_room(&self) -> bool {
        self.model.len() + self.promised < self.capacity
    }

    fn compare(&self) {
        assert_eq!(self.todo.is_empty(), self.model.is_empty());
        assert_eq!(self.todo.has_room(), self.has_room());
        assert_eq!(self.todo.capacity(), self.capacity);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn keeps_promises(ops in vec(op(), 0..MAX_OPS)) {
        let mut both = Both {
            todo: Todo::new(),
            model: VecDeque::new(),
            promised: 0,
            capacity: 0,
            next: 0,
        };
        for op in &ops {
            both.apply(op);
            both.compare();
        }
        // All promises are called in at once.
        for _ in 0..both.promised {
            both.apply(&Op::PushPromised);
        }
        while let Some(item) = both.model.pop_front() {
            assert_eq!(both.todo.pop(), Some(item));
        }
        assert_eq!(both.todo.pop(), None);
    }
}
