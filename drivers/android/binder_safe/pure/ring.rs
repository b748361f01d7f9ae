// SPDX-License-Identifier: GPL-2.0

//! A first-in first-out queue that never allocates while it is in use.
//!
//! Queues are filled under spinlocks, where memory cannot be allocated. A full ring therefore hands
//! the item back; its user drops the lock, allocates larger storage, takes the lock again and calls
//! [`Ring::grow`].

use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// A queue of items in a circular buffer.
///
/// # Invariants
///
/// `head < slots.len()` unless there are no slots, `len <= slots.len()`, and exactly the `len`
/// slots that follow `head`, wrapping around, are `Some`.
pub(crate) struct Ring<T> {
    slots: KVec<Option<T>>,
    head: usize,
    len: usize,
}

/// Storage for a ring, allocated where sleeping is allowed.
pub(crate) struct RingStorage<T>(KVec<Option<T>>);

impl<T> RingStorage<T> {
    /// Allocates room for `capacity` items.
    pub(crate) fn new(capacity: usize) -> Result<Self, AllocError> {
        let mut slots = KVec::with_capacity(capacity, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..capacity {
            slots.push(None, GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Self(slots))
    }
}

impl<T> Ring<T> {
    /// A ring without any storage.
    pub(crate) const fn new() -> Self {
        // INVARIANT: There are no slots and no items.
        Self {
            slots: KVec::new(),
            head: 0,
            len: 0,
        }
    }

    /// How many items are queued.
    #[cfg(any(test, CONFIG_ANDROID_BINDER_SAFE_KUNIT_TEST))]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is queued.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many items fit without growing.
    pub(crate) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Whether `count` more items fit without growing.
    pub(crate) fn has_room(&self, count: usize) -> bool {
        self.slots.len() - self.len >= count
    }

    /// Queues `item` last, or hands it back if the ring is full.
    pub(crate) fn push(&mut self, item: T) -> Result<(), T> {
        if self.len == self.slots.len() {
            return Err(item);
        }
        let at = self.index(self.len);
        // INVARIANT: The slot behind the last item becomes an item.
        let empty = self.slots[at].replace(item);
        self.len += 1;
        // There is nothing to drop, which the compiler does not know.
        core::mem::forget(empty);
        Ok(())
    }

    /// Takes the item that was queued first.
    pub(crate) fn pop(&mut self) -> Option<T> {
        if self.len == 0 {
            return None;
        }
        let item = self.slots[self.head].take();
        // INVARIANT: The first slot is empty now and no longer counts.
        self.head = self.index(1);
        self.len -= 1;
        item
    }

    /// Takes the item that was queued last.
    pub(crate) fn pop_last(&mut self) -> Option<T> {
        let last = self.len.checked_sub(1)?;
        let at = self.index(last);
        // INVARIANT: The last slot becomes empty and no longer counts.
        self.len = last;
        self.slots[at].take()
    }

    /// Takes the first item for which `is_it` holds. Those behind it move up.
    pub(crate) fn take_first(&mut self, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let nth = (0..self.len).find(|nth| self.nth(*nth).is_some_and(&is_it))?;
        self.take_nth(nth)
    }

    /// Takes the last item for which `is_it` holds. Those behind it move up.
    pub(crate) fn take_last(&mut self, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let nth = (0..self.len).rfind(|nth| self.nth(*nth).is_some_and(&is_it))?;
        self.take_nth(nth)
    }

    fn nth(&self, nth: usize) -> Option<&T> {
        self.slots[self.index(nth)].as_ref()
    }

    fn take_nth(&mut self, nth: usize) -> Option<T> {
        if nth == 0 {
            return self.pop();
        }
        for nth in nth..self.len - 1 {
            let (here, behind) = (self.index(nth), self.index(nth + 1));
            self.slots.as_mut_slice().swap(here, behind);
        }
        // INVARIANT: The item is the last one now.
        self.pop_last()
    }

    /// The item that is `nth` from the one that was queued first.
    pub(crate) fn get(&self, nth: usize) -> Option<&T> {
        if nth >= self.len {
            return None;
        }
        self.slots[self.index(nth)].as_ref()
    }

    /// Moves the items to larger `storage` and gives back the old one, to be freed after unlocking.
    ///
    /// Storage that is not larger is given back at once: somebody else has grown the ring
    /// meanwhile.
    pub(crate) fn grow(&mut self, mut storage: RingStorage<T>) -> RingStorage<T> {
        if storage.0.len() <= self.slots.len() {
            return storage;
        }
        let len = self.len;
        for slot in storage.0.iter_mut().take(len) {
            *slot = self.pop();
        }
        // INVARIANT: The items moved to the first `len` of the new slots.
        self.head = 0;
        self.len = len;
        core::mem::swap(&mut self.slots, &mut storage.0);
        storage
    }

    /// The slot `nth` places behind the head.
    fn index(&self, nth: usize) -> usize {
        let at = self.head + nth;
        if at >= self.slots.len() {
            at - self.slots.len()
        } else {
            at
        }
    }
}
