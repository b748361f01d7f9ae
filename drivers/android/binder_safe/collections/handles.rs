// SPDX-License-Identifier: GPL-2.0

//! A table of entries by handle, in which an entry is also found by its key.
//!
//! Handles are the lowest that are free, so an array finds an entry in one step, and a hash of keys
//! finds its handle. Nothing here allocates: a full table says so and is given room from outside.
//!
//! No operation takes longer because of other entries. The array is in segments, each as large as
//! all before, and only the first is ever replaced, as long as it is small. The hash has lists of
//! entries and grows by one list whenever an entry is added, by splitting the one list whose
//! entries belong to both ("linear hashing").

use super::bitset::Bitset;
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// The end of a list.
const NONE: u32 = u32::MAX;

/// Slots in the first segment at first. Most processes have a handful of handles.
const FEW: usize = 8;

/// Slots in the first segment at last. To move that few is less than to look for them later.
const MANY: usize = 128;

/// An entry says by which key it is found. No two entries have the same.
pub(crate) trait Keyed {
    /// The key, which never changes.
    fn key(&self) -> usize;
}

/// What belongs to a handle.
struct Slot<T> {
    entry: Option<T>,
    /// The next entry in the list that the one here is in.
    next: u32,
    /// The first entry of the list with this number, which may have nothing to do with the handle.
    head: u32,
}

/// The slots of some handles that follow each other.
struct Segment<T> {
    slots: KVVec<Slot<T>>,
    used: Bitset,
    free: Bitset,
}

impl<T> Segment<T> {
    const fn empty() -> Self {
        Self {
            slots: KVVec::new(),
            used: Bitset::empty(),
            free: Bitset::empty(),
        }
    }

    fn new(size: usize) -> Result<Self, AllocError> {
        let mut segment = Self {
            slots: KVVec::with_capacity(size, GFP_KERNEL_ACCOUNT)?,
            used: Bitset::new(size)?,
            free: Bitset::new(size)?,
        };
        for nth in 0..size {
            let slot = Slot {
                entry: None,
                next: NONE,
                head: NONE,
            };
            segment.slots.push(slot, GFP_KERNEL_ACCOUNT)?;
            segment.free.insert(nth);
        }
        Ok(segment)
    }
}

/// The table.
pub(crate) struct Handles<T> {
    first: Segment<T>,
    rest: KVec<Segment<T>>,
    len: usize,
    /// Lists in the hash, never more than slots nor fewer than entries.
    nr_lists: usize,
    /// The power of two from `nr_lists` on, minus 1.
    mask: usize,
}

/// Room for more entries, allocated where sleeping is allowed.
pub(crate) struct Room<T> {
    segment: Segment<T>,
    /// A longer list of segments, if that one is full.
    rest: KVec<Segment<T>>,
    /// The first handle of the segment.
    start: usize,
}

impl<T> Room<T> {
    /// Allocates room for a table that has this capacity, which about doubles it. May sleep.
    pub(crate) fn new(capacity: usize) -> Result<Self, AllocError> {
        let (mut size, mut nr_rest) = (capacity, 0);
        if capacity < MANY {
            size = FEW.max(2 * capacity);
        } else {
            let (nth, _) = place(capacity);
            if nth == 0 || nth.is_power_of_two() {
                nr_rest = (2 * nth).max(1);
            }
        }
        Ok(Self {
            segment: Segment::new(size)?,
            rest: KVec::with_capacity(nr_rest, GFP_KERNEL_ACCOUNT)?,
            start: capacity,
        })
    }
}

/// The segment of a handle that is not in the first one, and which slot of it.
fn place(handle: usize) -> (usize, usize) {
    // With 128, 256, 512... slots before them, the highest bit tells segments apart.
    let log2 = (handle | 1).ilog2();
    let segment = log2.wrapping_sub(MANY.ilog2());
    (segment as usize, handle ^ (1 << log2))
}

impl<T: Keyed> Handles<T> {
    /// A table without entries, or room for any.
    pub(crate) const fn new() -> Self {
        Self {
            first: Segment::empty(),
            rest: KVec::new(),
            len: 0,
            nr_lists: 0,
            mask: 0,
        }
    }

    /// How many entries there are.
    #[cfg(any(test, CONFIG_ANDROID_BINDER_SAFE_KUNIT_TEST))]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// How many entries fit.
    pub(crate) fn capacity(&self) -> usize {
        self.first.slots.len() << self.rest.len()
    }

    /// Whether another entry fits. The lowest handles may be reserved, so one place stays free.
    pub(crate) fn has_room(&self) -> bool {
        self.len + 1 < self.capacity()
    }

    /// Adds room that was allocated for a table of this capacity, and gives back what is left of
    /// it, to be freed after unlocking: all, if there is room already.
    pub(crate) fn grow(&mut self, mut room: Room<T>) -> Room<T> {
        if room.start != self.capacity() {
            return room;
        }
        if room.start < MANY {
            self.replace_first(&mut room.segment);
            return room;
        }
        if self.rest.len() == self.rest.capacity() {
            // A handful, whatever they hold.
            for segment in self.rest.drain_all() {
                // There is room, so this cannot fail.
                let _ = room.rest.push_within_capacity(segment);
            }
            core::mem::swap(&mut self.rest, &mut room.rest);
        }
        let segment = core::mem::replace(&mut room.segment, Segment::empty());
        // There is room, so this cannot fail.
        let _ = self.rest.push_within_capacity(segment);
        room
    }

    fn replace_first(&mut self, segment: &mut Segment<T>) {
        for (nth, slot) in self.first.slots.iter_mut().enumerate() {
            if slot.entry.is_some() {
                segment.used.insert(nth);
                segment.free.remove(nth);
            }
            core::mem::swap(slot, &mut segment.slots[nth]);
        }
        core::mem::swap(&mut self.first, segment);
        if self.nr_lists == 0 {
            self.nr_lists = FEW;
            self.mask = FEW - 1;
        }
    }

    /// The entry with that handle.
    pub(crate) fn get(&self, handle: u32) -> Option<&T> {
        self.slot(handle)?.entry.as_ref()
    }

    /// The entry with that handle.
    pub(crate) fn get_mut(&mut self, handle: u32) -> Option<&mut T> {
        self.slot_mut(handle)?.entry.as_mut()
    }

    /// The handle of the entry with that key.
    pub(crate) fn find(&self, key: usize) -> Option<u32> {
        let mut handle = self.slot(self.list(key))?.head;
        while handle != NONE {
            let slot = self.slot(handle)?;
            if slot.entry.as_ref()?.key() == key {
                return Some(handle);
            }
            handle = slot.next;
        }
        None
    }

    /// Adds an entry at the lowest free handle that is not below `first`, or hands it back if there
    /// is no room.
    pub(crate) fn insert(&mut self, first: u32, entry: T) -> Result<u32, T> {
        if !self.has_room() {
            return Err(entry);
        }
        let Some(handle) = self.next(first, |segment| &segment.free) else {
            return Err(entry);
        };
        self.split();
        self.link(handle, entry.key());
        let (segment, nth) = self.segment_mut(handle);
        segment.slots[nth].entry = Some(entry);
        segment.free.remove(nth);
        segment.used.insert(nth);
        self.len += 1;
        Ok(handle)
    }

    /// Takes the entry with that handle out.
    pub(crate) fn remove(&mut self, handle: u32) -> Option<T> {
        let entry = self.slot_mut(handle)?.entry.take()?;
        self.unlink(handle, entry.key());
        let (segment, nth) = self.segment_mut(handle);
        segment.used.remove(nth);
        segment.free.insert(nth);
        self.len -= 1;
        Some(entry)
    }

    /// All entries from a handle on, and their handles, lowest first.
    pub(crate) fn iter_from(&self, first: u32) -> impl Iterator<Item = (u32, &T)> {
        let mut next = Some(first);
        core::iter::from_fn(move || {
            let handle = self.next(next?, |segment| &segment.used)?;
            next = handle.checked_add(1);
            Some((handle, self.get(handle)?))
        })
    }

    /// The first handle from one on that is in a set of its segment.
    fn next(&self, first: u32, set: impl Fn(&Segment<T>) -> &Bitset) -> Option<u32> {
        let first = first as usize;
        let (mut segment, mut from) = (0, 0);
        if first < MANY {
            if let Some(found) = set(&self.first).next(first) {
                return Some(found as u32);
            }
        } else {
            (segment, from) = place(first);
        }
        for (nth, its) in self.rest.iter().enumerate().skip(segment) {
            if let Some(found) = set(its).next(from) {
                return Some(((MANY << nth) + found) as u32);
            }
            from = 0;
        }
        None
    }

    #[inline(always)]
    fn slot(&self, handle: u32) -> Option<&Slot<T>> {
        match self.first.slots.get(handle as usize) {
            Some(slot) => Some(slot),
            None => self.later(handle),
        }
    }

    #[inline(always)]
    fn slot_mut(&mut self, handle: u32) -> Option<&mut Slot<T>> {
        // With `match`, `self` would be borrowed even where there is none.
        if (handle as usize) < self.first.slots.len() {
            return self.first.slots.get_mut(handle as usize);
        }
        let (segment, nth) = place(handle as usize);
        self.rest.get_mut(segment)?.slots.get_mut(nth)
    }

    fn later(&self, handle: u32) -> Option<&Slot<T>> {
        let (segment, nth) = place(handle as usize);
        self.rest.get(segment)?.slots.get(nth)
    }

    /// The segment of a handle that exists, and which slot of it.
    fn segment_mut(&mut self, handle: u32) -> (&mut Segment<T>, usize) {
        if (handle as usize) < self.first.slots.len() {
            return (&mut self.first, handle as usize);
        }
        let (segment, nth) = place(handle as usize);
        (&mut self.rest[segment], nth)
    }

    /// The list for a key.
    fn list(&self, key: usize) -> u32 {
        // Fibonacci hashing: the high bits of the product depend on all bits of the key.
        let hash = (key as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut list = (hash >> 32) as usize & self.mask;
        if list >= self.nr_lists {
            // What does not exist yet is part of the list from which it will be split.
            list &= self.mask >> 1;
        }
        list as u32
    }

    /// Puts the entry with that handle and key into its list. Both it and the list have slots.
    fn link(&mut self, handle: u32, key: usize) {
        let Some(list) = self.slot_mut(self.list(key)) else {
            return;
        };
        let next = core::mem::replace(&mut list.head, handle);
        if let Some(slot) = self.slot_mut(handle) {
            slot.next = next;
        }
    }

    /// Takes the entry with that handle and key out of its list.
    fn unlink(&mut self, handle: u32, key: usize) {
        let next = self.next_of(handle);
        let Some(list) = self.slot_mut(self.list(key)) else {
            return;
        };
        let mut before = list.head;
        if before == handle {
            list.head = next;
            return;
        }
        while let Some(slot) = self.slot_mut(before) {
            if slot.next == handle {
                slot.next = next;
                return;
            }
            before = slot.next;
        }
    }

    fn next_of(&self, handle: u32) -> u32 {
        self.slot(handle).map_or(NONE, |slot| slot.next)
    }

    /// Adds a list to the hash, unless there are as many as slots.
    fn split(&mut self) {
        let list = self.nr_lists;
        if list == self.capacity() {
            return;
        }
        self.nr_lists += 1;
        if list > self.mask {
            self.mask = 2 * self.mask + 1;
        }
        let old = list & (self.mask >> 1);
        let Some(old) = self.slot_mut(old as u32) else {
            return;
        };
        let mut handle = core::mem::replace(&mut old.head, NONE);
        while let Some(slot) = self.slot(handle) {
            let next = slot.next;
            if let Some(key) = slot.entry.as_ref().map(T::key) {
                self.link(handle, key);
            }
            handle = next;
        }
    }
}
