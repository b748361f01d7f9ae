// SPDX-License-Identifier: GPL-2.0

//! A table of handles is a map in which the lowest free handle is found by trying.

use crate::{
    collections::handles::{Handles, Keyed, Room},
    config, MAX_OPS,
};
use proptest::{collection::vec, prelude::*, sample::Index};
use std::{cell::Cell, collections::BTreeMap};

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    key: usize,
    value: u32,
}

impl Keyed for Entry {
    fn key(&self) -> usize {
        self.key
    }
}

#[derive(Clone, Debug)]
enum Op {
    Insert(u32, usize),
    /// One of those that are there.
    Remove(Index),
    /// Any handle.
    RemoveAt(u32),
    Change(Index),
    Grow,
    /// Two saw that the table was full; the second finds that it has room.
    GrowTwice,
}

/// Few keys, many of which have the same place in the hash: it depends on no bits above the 39th as
/// long as the table is small.
fn key() -> impl Strategy<Value = usize> {
    (0usize..16, 0usize..24).prop_map(|(low, high)| (low * 64) | (high << 39))
}

fn op() -> impl Strategy<Value = Op> {
    let first = prop_oneof![3 => 0u32..2, 1 => 0u32..140];
    prop_oneof![
        12 => (first, key()).prop_map(|(first, key)| Op::Insert(first, key)),
        3 => any::<Index>().prop_map(Op::Remove),
        1 => (0u32..300).prop_map(Op::RemoveAt),
        1 => any::<Index>().prop_map(Op::Change),
        1 => Just(Op::Grow),
        1 => Just(Op::GrowTwice),
    ]
}

struct Both {
    table: Handles<Entry>,
    model: BTreeMap<u32, Entry>,
    capacity: usize,
    next: u32,
}

impl Both {
    fn apply(&mut self, op: &Op) {
        match op {
            Op::Insert(first, key) => self.insert(*first, *key),
            Op::Remove(index) => {
                if let Some(handle) = self.existing(index) {
                    assert_eq!(self.table.remove(handle), self.model.remove(&handle));
                }
            }
            Op::RemoveAt(handle) => {
                assert_eq!(self.table.remove(*handle), self.model.remove(handle));
            }
            Op::Change(index) => {
                if let Some(handle) = self.existing(index) {
                    self.table.get_mut(handle).unwrap().value += 1;
                    self.model.get_mut(&handle).unwrap().value += 1;
                }
            }
            // The table would become larger than anything here can fill.
            Op::Grow | Op::GrowTwice if self.capacity > MAX_OPS => {}
            Op::Grow => self.grow(1),
            Op::GrowTwice => self.grow(2),
        }
    }

    fn insert(&mut self, first: u32, key: usize) {
        if self.model.values().any(|entry| entry.key == key) {
            return;
        }
        self.next += 1;
        let entry = Entry {
            key,
            value: self.next,
        };
        let is_free = |handle: &u32| !self.model.contains_key(handle);
        let lowest = (first..self.capacity as u32).find(is_free);
        let has_room = self.model.len() + 1 < self.capacity;
        let expected = match lowest.filter(|_| has_room) {
            Some(handle) => {
                self.model.insert(handle, entry.clone());
                Ok(handle)
            }
            None => Err(entry.clone()),
        };
        assert_eq!(self.table.insert(first, entry), expected);
    }

    fn grow(&mut self, times: usize) {
        let rooms: Vec<_> = (0..times).map(|_| Room::new(self.capacity)).collect();
        for room in rooms {
            drop(self.table.grow(room.unwrap()));
        }
        self.capacity = (2 * self.capacity).max(8);
    }

    fn existing(&self, index: &Index) -> Option<u32> {
        let handles: Vec<u32> = self.model.keys().copied().collect();
        (!handles.is_empty()).then(|| *index.get(&handles))
    }

    fn compare(&self) {
        assert_eq!(self.table.len(), self.model.len());
        assert_eq!(self.table.capacity(), self.capacity);
        assert_eq!(self.table.has_room(), self.model.len() + 1 < self.capacity);
        for first in [0, 1, 7, 8, 60, 300] {
            let pairs = self.model.range(first..);
            let pairs = pairs.map(|(handle, entry)| (*handle, entry));
            assert!(self.table.iter_from(first).eq(pairs));
        }
        for (handle, entry) in &self.model {
            assert_eq!(self.table.get(*handle), Some(entry));
            assert_eq!(self.table.find(entry.key), Some(*handle));
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn is_a_map(ops in vec(op(), 0..2 * MAX_OPS), absent in key()) {
        let mut both = Both {
            table: Handles::new(),
            model: BTreeMap::new(),
            capacity: 0,
            next: 0,
        };
        both.compare();
        for op in &ops {
            both.apply(op);
            both.compare();
            let expected = both.model.iter().find(|(_, entry)| entry.key == absent);
            assert_eq!(both.table.find(absent), expected.map(|(handle, _)| *handle));
            assert_eq!(both.table.get(u32::MAX), None);
        }
    }
}

/// A table with room for some entries at least.
fn table<T: Keyed>(capacity: usize) -> Handles<T> {
    let mut table = Handles::new();
    while table.capacity() < capacity {
        let room = Room::new(table.capacity()).unwrap();
        drop(table.grow(room));
    }
    table
}

/// A place stays free for the handle that the others may not have.
#[test]
fn a_full_table_still_has_handle_0() {
    let mut table = table(64);
    let entry = |key| Entry { key, value: 0 };
    for key in 1..64 {
        assert_eq!(table.insert(1, entry(key)).ok(), Some(key as u32));
    }
    assert!(!table.has_room());
    assert!(table.insert(1, entry(64)).is_err());
    assert!(table.get(0).is_none());
}

/// Counts how often a search looks at a key.
struct Counting<'a> {
    key: usize,
    looks: &'a Cell<usize>,
}

impl Keyed for Counting<'_> {
    fn key(&self) -> usize {
        self.looks.set(self.looks.get() + 1);
        self.key
    }
}

/// How many keys are looked at in vain for 1000 searches.
fn looks(table: &Handles<Counting<'_>>, looks: &Cell<usize>) -> usize {
    looks.set(0);
    for key in 1000..2000 {
        assert_eq!(table.find(key), None);
    }
    looks.get()
}

/// A list of the hash has the same entries in whatever order they came, so a table from which others
/// were removed is searched just like one that never had them.
#[test]
fn entries_that_left_do_not_slow_down_a_search() {
    let count = Cell::new(0);
    let entry = |key| Counting { key, looks: &count };
    let mut used = table(64);
    for key in 0..50 {
        assert!(used.insert(0, entry(key)).is_ok());
    }
    for key in 50..100 {
        assert!(used.remove((key % 50) as u32).is_some());
        assert!(used.insert(0, entry(key)).is_ok());
    }
    let mut fresh = table(64);
    // As many were added, so the hash has as many lists.
    for _ in 0..50 {
        assert!(fresh.insert(0, entry(0)).is_ok());
        assert!(fresh.remove(0).is_some());
    }
    for key in 50..100 {
        assert!(fresh.insert(0, entry(key)).is_ok());
    }
    assert_eq!(looks(&used, &count), looks(&fresh, &count));
}

/// Each step looks at a few keys, however many there are and whatever it has to split.
#[test]
fn no_step_gets_longer_with_the_number_of_entries() {
    let count = Cell::new(0);
    let address = |nth: usize| 0xffff_8880_0000_0000 + 192 * nth;
    let entry = |nth| Counting {
        key: address(nth),
        looks: &count,
    };
    let mut table = Handles::new();
    for nth in 0..1 << 18 {
        if !table.has_room() {
            count.set(0);
            let room = Room::new(table.capacity()).unwrap();
            drop(table.grow(room));
            assert_eq!(count.get(), 0);
        }
        count.set(0);
        assert_eq!(table.insert(1, entry(nth)).ok(), Some(nth as u32 + 1));
        assert!(count.get() <= MAX_LOOKS, "{} looks to insert", count.get());
        count.set(0);
        assert_eq!(table.find(address(nth / 2)), Some(nth as u32 / 2 + 1));
        assert!(count.get() <= MAX_LOOKS, "{} looks to find", count.get());
    }
    for nth in 1..(1 << 18) - 1 {
        count.set(0);
        assert!(table.remove(nth as u32 + 1).is_some());
        assert!(count.get() <= MAX_LOOKS, "{} looks to remove", count.get());
    }
    let left: Vec<u32> = table.iter_from(0).map(|(handle, _)| handle).collect();
    assert_eq!(left, [1, 1 << 18]);
}

/// Addresses of objects of one size are spread well, so that no list is longer than this.
const MAX_LOOKS: usize = 12;
