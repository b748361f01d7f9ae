// SPDX-License-Identifier: GPL-2.0

//! A queue in which room can be promised.
//!
//! News of a death, or of the last reference to a node, must be queued when it comes, whether there
//! is memory or not. Whoever may have such news later gets a place promised in advance, when
//! failing is still an option.

use super::ring::{
    Ring,
    RingStorage, //
};

/// A ring with promised places.
///
/// # Invariants
///
/// There is room for `promised` more items.
pub(crate) struct Todo<T> {
    ring: Ring<T>,
    promised: usize,
}

impl<T> Todo<T> {
    /// A queue without items, promises or room.
    pub(crate) const fn new() -> Self {
        // INVARIANT: Nothing is promised.
        Self {
            ring: Ring::new(),
            promised: 0,
        }
    }

    /// Whether nothing is queued.
    pub(crate) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// How many items fit in all.
    pub(crate) fn capacity(&self) -> usize {
        self.ring.capacity()
    }

    /// Promises a place. Returns whether there was one.
    pub(crate) fn promise(&mut self) -> bool {
        let has_room = self.has_room();
        // INVARIANT: There is room for the new promise, too.
        self.promised += usize::from(has_room);
        has_room
    }

    /// Gives up a promised place.
    pub(crate) fn forgo(&mut self) {
        // INVARIANT: Less is promised.
        self.promised = self.promised.saturating_sub(1);
    }

    /// Whether an item fits without taking a promised place.
    pub(crate) fn has_room(&self) -> bool {
        self.ring.has_room(self.promised + 1)
    }

    /// Queues an item, or hands it back if all places are taken or promised.
    pub(crate) fn push(&mut self, item: T) -> Result<(), T> {
        if !self.has_room() {
            return Err(item);
        }
        // INVARIANT: There was room for one more than is promised.
        self.ring.push(item)
    }

    /// Queues an item at a place that was promised, and is no longer.
    pub(crate) fn push_promised(&mut self, item: T) {
        self.forgo();
        // INVARIANT: One promise and one place fewer.
        let _ = self.ring.push(item);
    }

    /// Takes the item that was queued first.
    pub(crate) fn pop(&mut self) -> Option<T> {
        self.ring.pop()
    }

    /// Takes the first item for which `is_it` holds.
    pub(crate) fn take_first(&mut self, is_it: impl Fn(&T) -> bool) -> Option<T> {
        self.ring.take_first(is_it)
    }

    /// The item that is `nth` from the one that was queued first.
    pub(crate) fn get(&self, nth: usize) -> Option<&T> {
        self.ring.get(nth)
    }

    /// Promises the place of the item that was just taken out to its sender again.
    pub(crate) fn promise_again(&mut self) {
        // INVARIANT: The caller has just taken an item out, whose place is free.
        self.promised += 1;
    }

    /// Moves the items to larger `storage` and gives back the old one, to be freed after unlocking.
    pub(crate) fn grow(&mut self, storage: RingStorage<T>) -> RingStorage<T> {
        self.ring.grow(storage)
    }
}
