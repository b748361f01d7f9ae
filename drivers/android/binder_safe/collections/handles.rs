// SPDX-License-Identifier: GPL-2.0

//! A table of entries by handle, in which an entry is also found by its key.
//!
//! Handles are the lowest that are free, so a dense array finds an entry in one step, and a hash of
//! keys finds its handle. Nothing here allocates: a full table says so and is grown from outside.

use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// Marks an empty place of the hash.
const NONE: u32 = u32::MAX;

const WORD_BITS: usize = u64::BITS as usize;

/// Most processes have a handful of handles.
const MIN_CAPACITY: usize = 8;

/// An entry says by which key it is found. No two entries have the same.
pub(crate) trait Keyed {
    /// The key, which never changes.
    fn key(&self) -> usize;
}

/// The table. Its capacity is a power of two, or 0.
pub(crate) struct Handles<T> {
    entries: KVVec<Option<T>>,
    /// One bit for each handle that has an entry.
    used: KVVec<u64>,
    /// Handles by the hash of their key; twice as many places as handles.
    index: KVVec<u32>,
    len: usize,
    /// All words of `used` before this one are full.
    first_word: usize,
}

impl<T: Keyed> Handles<T> {
    /// A table without entries, or room for any.
    pub(crate) const fn new() -> Self {
        Self {
            entries: KVVec::new(),
            used: KVVec::new(),
            index: KVVec::new(),
            len: 0,
            first_word: 0,
        }
    }

    /// An empty table with room for `capacity` entries, to be given to [`Self::grow`]. May sleep.
    pub(crate) fn with_capacity(capacity: usize) -> Result<Self, AllocError> {
        let capacity = capacity.next_power_of_two().max(MIN_CAPACITY);
        let mut entries = KVVec::with_capacity(capacity, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..capacity {
            entries.push(None, GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Self {
            entries,
            used: KVVec::from_elem(0, capacity.div_ceil(WORD_BITS), GFP_KERNEL_ACCOUNT)?,
            index: KVVec::from_elem(NONE, 2 * capacity, GFP_KERNEL_ACCOUNT)?,
            len: 0,
            first_word: 0,
        })
    }

    /// How many entries there are.
    #[cfg(any(test, CONFIG_ANDROID_BINDER_SAFE_KUNIT_TEST))]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// How many entries fit.
    pub(crate) fn capacity(&self) -> usize {
        self.entries.len()
    }

    /// Whether another entry fits. The lowest handles may be reserved, so one place stays free.
    pub(crate) fn has_room(&self) -> bool {
        self.len + 1 < self.entries.len()
    }

    /// Moves the entries to the larger `table` and gives back the old one, to be freed after
    /// unlocking.
    pub(crate) fn grow(&mut self, mut table: Self) -> Self {
        if table.capacity() <= self.capacity() {
            return table;
        }
        for handle in 0..self.entries.len() {
            if let Some(entry) = self.entries[handle].take() {
                table.put(handle, entry);
            }
        }
        core::mem::swap(self, &mut table);
        table
    }

    /// The entry with that handle.
    pub(crate) fn get(&self, handle: u32) -> Option<&T> {
        self.entries.get(handle as usize)?.as_ref()
    }

    /// The entry with that handle.
    pub(crate) fn get_mut(&mut self, handle: u32) -> Option<&mut T> {
        self.entries.get_mut(handle as usize)?.as_mut()
    }

    /// The handle of the entry with that key.
    pub(crate) fn find(&self, key: usize) -> Option<u32> {
        if self.index.is_empty() {
            return None;
        }
        let mut place = self.home(key);
        loop {
            let handle = self.index[place];
            if handle == NONE {
                return None;
            }
            if self.key_of(handle) == Some(key) {
                return Some(handle);
            }
            place = self.after(place);
        }
    }

    /// Adds an entry at the lowest free handle that is not below `first`, or hands it back if there
    /// is no room.
    pub(crate) fn insert(&mut self, first: u32, entry: T) -> Result<u32, T> {
        if !self.has_room() {
            return Err(entry);
        }
        match self.lowest_free(first as usize) {
            Some(handle) => {
                self.put(handle, entry);
                Ok(handle as u32)
            }
            None => Err(entry),
        }
    }

    /// Takes the entry with that handle out.
    pub(crate) fn remove(&mut self, handle: u32) -> Option<T> {
        let entry = self.entries.get_mut(handle as usize)?.take()?;
        let word = handle as usize / WORD_BITS;
        self.used[word] &= !(1 << (handle as usize % WORD_BITS));
        self.first_word = self.first_word.min(word);
        self.len -= 1;
        self.unindex(handle, entry.key());
        Some(entry)
    }

    /// All entries from a handle on, and their handles, lowest first.
    pub(crate) fn iter_from(&self, first: u32) -> impl Iterator<Item = (u32, &T)> {
        let mut next = Some(first);
        core::iter::from_fn(move || {
            let handle = self.next_used(next?)?;
            next = handle.checked_add(1);
            Some((handle, self.get(handle)?))
        })
    }

    /// The lowest handle that has an entry and is not below `first`.
    fn next_used(&self, first: u32) -> Option<u32> {
        let start = first as usize / WORD_BITS;
        let below = (1 << (first as usize % WORD_BITS)) - 1;
        for (word, used) in self.used.iter().enumerate().skip(start) {
            let bits = if word == start { used & !below } else { *used };
            if bits != 0 {
                return Some((word * WORD_BITS) as u32 + bits.trailing_zeros());
            }
        }
        None
    }

    fn lowest_free(&mut self, first: usize) -> Option<usize> {
        let full = |word: &u64| *word == u64::MAX;
        let rest = self.used.get(self.first_word..)?;
        self.first_word += rest.iter().take_while(|word| full(word)).count();
        for word in self.first_word..self.used.len() {
            let mut bits = self.used[word];
            if word == first / WORD_BITS {
                bits |= (1 << (first % WORD_BITS)) - 1;
            }
            if !full(&bits) && word >= first / WORD_BITS {
                let handle = word * WORD_BITS + bits.trailing_ones() as usize;
                // A small table has fewer handles than a word has bits.
                return (handle < self.entries.len()).then_some(handle);
            }
        }
        None
    }

    /// Puts an entry at a free handle.
    fn put(&mut self, handle: usize, entry: T) {
        let mut place = self.home(entry.key());
        while self.index[place] != NONE {
            place = self.after(place);
        }
        self.index[place] = handle as u32;
        self.used[handle / WORD_BITS] |= 1 << (handle % WORD_BITS);
        self.entries[handle] = Some(entry);
        self.len += 1;
    }

    /// Takes a handle out of the hash, and moves those that it had pushed aside closer to home.
    fn unindex(&mut self, handle: u32, key: usize) {
        let mut hole = self.home(key);
        while self.index[hole] != handle {
            hole = self.after(hole);
        }
        let mut place = hole;
        loop {
            place = self.after(place);
            let other = self.index[place];
            let Some(home) = self.key_of(other).map(|key| self.home(key)) else {
                break;
            };
            // An entry may move to the hole unless its home lies behind it.
            let mask = self.index.len() - 1;
            if place.wrapping_sub(home) & mask >= place.wrapping_sub(hole) & mask {
                self.index[hole] = other;
                hole = place;
            }
        }
        self.index[hole] = NONE;
    }

    fn key_of(&self, handle: u32) -> Option<usize> {
        Some(self.get(handle)?.key())
    }

    /// Where a key would be found first.
    fn home(&self, key: usize) -> usize {
        // Fibonacci hashing: the high bits of the product depend on all bits of the key.
        let hash = (key as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (hash >> 32) as usize & (self.index.len() - 1)
    }

    fn after(&self, place: usize) -> usize {
        (place + 1) & (self.index.len() - 1)
    }
}
