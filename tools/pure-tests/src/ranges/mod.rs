// SPDX-License-Identifier: GPL-2.0

//! An area gives buffers as the model does, which looks at every block each time.

mod model;

use crate::{
    alloc::{Flags, KVec},
    config,
    pure::ranges::{NoRange, Range, Ranges, Room, ALIGN},
    MAX_OPS,
};
use model::{Model, Use};
use proptest::{collection::vec, prelude::*, sample::Index};

#[derive(Clone, Debug)]
enum Op {
    Reserve {
        len: usize,
        tag: u32,
    },
    /// What was reserved becomes what its owner may free.
    Hold(Index),
    /// The owner frees a buffer: at the start of one of the blocks, whatever that is.
    Take(Index),
    /// The same, at any address.
    TakeAt(usize),
    TakeAny,
    /// What was reserved is given up.
    Release(Index),
    Grow,
    /// Two saw that the table was full; the second finds that it has room.
    GrowTwice,
}

/// Small buffers are the most frequent, and many have the same size.
fn len() -> impl Strategy<Value = usize> {
    let words = prop_oneof![
        8 => 1usize..20,
        4 => 20usize..150,
        2 => 150usize..1500,
        1 => Just(usize::MAX / 16),
    ];
    words.prop_map(|words| words * ALIGN)
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        10 => (len(), 0u32..3).prop_map(|(len, tag)| Op::Reserve { len, tag }),
        6 => any::<Index>().prop_map(Op::Hold),
        6 => any::<Index>().prop_map(Op::Take),
        1 => (0usize..70_000).prop_map(Op::TakeAt),
        1 => Just(Op::TakeAny),
        2 => any::<Index>().prop_map(Op::Release),
        1 => Just(Op::Grow),
        1 => Just(Op::GrowTwice),
    ]
}

/// How many buffers fit in a list.
const LISTED: usize = 5;

/// More room.
fn room<T>(ranges: &Ranges<T>) -> Room<T> {
    Room::new(ranges.wanted()).unwrap()
}

struct Both {
    ranges: Ranges<u32>,
    model: Model,
    /// Those that are reserved and not held.
    reserved: Vec<Range>,
    size: usize,
    capacity: usize,
    next: u32,
}

impl Both {
    fn new(size: usize) -> Self {
        let ranges = Ranges::new(size).unwrap();
        Self {
            capacity: ranges.capacity(),
            ranges,
            model: Model::new(size),
            size,
            reserved: Vec::new(),
            next: 0,
        }
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Reserve { len, tag } => self.reserve(*len, *tag),
            Op::Hold(index) => {
                if let Some(range) = pick(&mut self.reserved, index) {
                    self.next += 1;
                    self.ranges.hold(range, self.next);
                    let at = self.model.at(range.offset()).unwrap();
                    self.model.blocks[at].usage = Use::Held(self.next);
                }
            }
            Op::Take(index) if !self.model.blocks.is_empty() => {
                let offset = index.get(&self.model.blocks).offset;
                self.take(offset);
            }
            Op::Take(_) => {}
            Op::TakeAt(offset) => self.take(*offset),
            Op::TakeAny => self.take_any(),
            Op::Release(index) => {
                if let Some(range) = pick(&mut self.reserved, index) {
                    self.release(range);
                }
            }
            // The table would become larger than anything here can fill.
            Op::Grow | Op::GrowTwice if self.capacity > MAX_OPS => {}
            Op::Grow => self.grow(1),
            Op::GrowTwice => self.grow(2),
        }
    }

    fn grow(&mut self, times: usize) {
        let rooms: Vec<_> = (0..times).map(|_| room(&self.ranges)).collect();
        for room in rooms {
            drop(self.ranges.grow(room));
        }
        self.capacity = match self.capacity {
            0 => 8,
            less @ 1..256 => 2 * less,
            many => many + 256,
        };
    }

    fn reserve(&mut self, len: usize, tag: u32) {
        if let Some(offset) = self.model.reserve_spare(len, tag) {
            let range = self.ranges.reserve(len, tag).expect("the spare block fits");
            assert_eq!((range.offset(), range.len()), (offset, len));
            self.reserved.push(range);
            return;
        }
        let best = self.model.best(len);
        match self.ranges.reserve(len, tag) {
            Ok(range) => {
                assert!(self.model.blocks.len() < self.capacity);
                assert_eq!(range.len(), len);
                assert_eq!(range.offset() % ALIGN, 0);
                let had = self.model.reserve(range.offset(), len, tag);
                assert_eq!(Some(had), best, "not the smallest");
                self.reserved.push(range);
            }
            Err(NoRange::TableFull) => assert_eq!(self.model.blocks.len(), self.capacity),
            Err(NoRange::NoSpace) => assert_eq!(best, None),
        }
    }

    fn take(&mut self, offset: usize) {
        let at = self.model.at(offset);
        let usage = at.map(|at| self.model.blocks[at].usage);
        let taken = self.ranges.take(offset);
        let Some(Use::Held(expected)) = usage else {
            assert!(taken.is_none(), "{usage:?} taken at {offset}");
            return;
        };
        let (range, held) = taken.expect("what is held can be taken");
        assert_eq!(held, expected);
        self.finish_take(range);
    }

    fn take_any(&mut self) {
        let is_held = |usage| matches!(usage, Use::Held(_));
        let Some((range, held)) = self.ranges.take_any() else {
            assert!(!self.model.blocks.iter().any(|block| is_held(block.usage)));
            return;
        };
        let at = self.model.at(range.offset()).unwrap();
        assert_eq!(self.model.blocks[at].usage, Use::Held(held));
        self.finish_take(range);
    }

    /// What was taken is reserved until it is released, and cannot be taken twice.
    fn finish_take(&mut self, range: Range) {
        let at = self.model.at(range.offset()).unwrap();
        assert_eq!(range.len(), self.model.blocks[at].len);
        self.model.blocks[at].usage = Use::Reserved;
        assert!(self.ranges.take(range.offset()).is_none(), "taken twice");
        self.release(range);
    }

    fn release(&mut self, range: Range) {
        self.ranges.release(range);
        self.model.release(range.offset());
    }

    fn compare(&self) {
        assert_eq!(self.ranges.capacity(), self.capacity);
        let offset = |block: &model::Block| block.offset as u32;
        let offsets: Vec<u32> = self.model.listed().map(offset).collect();
        let middle = self.size as u32 / 2;
        for from in [0, 1, middle, middle + 4, self.size as u32] {
            let mut list = KVec::with_capacity(LISTED, Flags).unwrap();
            self.ranges.list_from(from, &mut list);
            let expected = offsets.iter().filter(|offset| **offset >= from);
            let listed = list.iter().map(|listed| &listed.offset);
            assert!(listed.eq(expected.take(LISTED)));
        }
        for block in &self.model.blocks {
            let offset = block.offset as u32;
            let is_listed = self.ranges.listed(offset).is_some();
            assert_eq!(is_listed, offsets.contains(&offset));
        }
        for range in &self.reserved {
            let at = self.model.at(range.offset()).unwrap();
            let tag = self.model.blocks[at].tag;
            if tag != 0 {
                assert_eq!(self.ranges.tagged(*range), self.model.tagged(tag));
            }
        }
    }
}

fn pick<T>(items: &mut Vec<T>, index: &Index) -> Option<T> {
    (!items.is_empty()).then(|| items.swap_remove(index.index(items.len())))
}

/// Areas with a whole number of chunks or not, and none at all.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        1 => Just(0),
        4 => (1usize..16).prop_map(|pages| pages << 12),
        4 => (1usize..8000).prop_map(|words| words * ALIGN),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn gives_what_the_model_gives(
        size in size(),
        ops in vec(op(), 0..2 * MAX_OPS),
        order in vec(any::<Index>(), 2 * MAX_OPS),
    ) {
        let mut both = Both::new(size);
        for op in &ops {
            both.apply(op);
            both.compare();
        }
        // Freed in any order, what was cut up is whole again.
        while both.ranges.take_any().is_some_and(|(range, _)| {
            both.reserved.push(range);
            true
        }) {}
        let mut order = order.iter();
        while let Some(range) = order.next().and_then(|at| pick(&mut both.reserved, at)) {
            both.release(range);
        }
        assert!(both.reserved.is_empty());
        if size > 0 {
            let all = both.ranges.reserve(size, 0).unwrap();
            assert_eq!((all.offset(), all.len()), (0, size));
            both.ranges.hold(all, 7);
            assert_eq!(both.ranges.take(0), Some((all, 7)));
        }
    }

    /// Sizes from the least to the most that an area can have find the right bin.
    #[test]
    fn finds_the_best_of_two_holes(
        one in (0u32..19, 8usize..16),
        other in (0u32..19, 8usize..16),
        wanted in (0u32..19, 8usize..16),
    ) {
        let len = |(shift, mantissa): (u32, usize)| (mantissa * ALIGN) << shift;
        let mut both = Both::new(len((20, 16)));
        both.grow(1);
        let lens = [one, (0, 8), other, (0, 8)].map(len);
        for len in lens {
            both.reserve(len, 0);
        }
        let rest = both.model.best(ALIGN).unwrap();
        both.reserve(rest, 0);
        for nth in [0, 2] {
            both.release(both.reserved[nth]);
        }
        both.reserve(len(wanted), 0);
    }
}

#[test]
fn an_area_of_no_bytes_has_no_buffer() {
    let mut ranges = Ranges::<u32>::empty();
    assert_eq!(ranges.reserve(ALIGN, 0), Err(NoRange::TableFull));
    for _ in 0..3 {
        let room = room(&ranges);
        drop(ranges.grow(room));
        assert_eq!(ranges.reserve(ALIGN, 0), Err(NoRange::NoSpace));
        assert!(ranges.take(0).is_none());
        assert!(ranges.take_any().is_none());
    }
}

/// An area of 4 MiB with buffers of 8 bytes wherever one can be.
fn full_area() -> Ranges<usize> {
    let mut ranges = Ranges::new(4 << 20).unwrap();
    for nth in 0..(4 << 20) / ALIGN {
        let range = ranges.reserve(ALIGN, 1).unwrap_or_else(|_| {
            let room = room(&ranges);
            drop(ranges.grow(room));
            ranges.reserve(ALIGN, 1).unwrap()
        });
        ranges.hold(range, nth);
    }
    assert_eq!(ranges.reserve(ALIGN, 0), Err(NoRange::NoSpace));
    ranges
}

/// With as many buffers as an area can hold, a look at each of them for each of them takes minutes.
#[test]
fn a_full_area_is_emptied_in_one_pass() {
    let mut ranges = full_area();
    let mut taken = 0;
    while let Some((range, _)) = ranges.take_any() {
        ranges.release(range);
        taken += 1;
    }
    assert_eq!(taken, (4 << 20) / ALIGN);
    assert!(ranges.reserve(4 << 20, 0).is_ok());
}

/// The same for a look at all between, in whatever order buffers are freed.
#[test]
fn a_full_area_is_emptied_in_any_order() {
    let mut ranges = full_area();
    let count = (4 << 20) / ALIGN;
    for nth in 0..count {
        // Each once, and none near the last.
        let offset = nth * 300_007 % count * ALIGN;
        let mut list = KVec::with_capacity(1, Flags).unwrap();
        ranges.list_from(offset as u32, &mut list);
        assert_eq!(list[0].offset as usize, offset);
        let (range, held) = ranges.take(offset).unwrap();
        assert_eq!(held, offset / ALIGN);
        if nth % 1000 == 0 {
            assert!(ranges.tagged(range).0 <= 512);
        }
        ranges.release(range);
    }
    assert!(ranges.reserve(4 << 20, 0).is_ok());
}
