// SPDX-License-Identifier: GPL-2.0

//! An array that grows by pieces, so that its items need not move.
//!
//! As long as there are few items, they are in one piece, which is replaced by one twice as large:
//! to move that few is less than to look for them later. All pieces behind have the same size, so
//! that nobody who happens to need one has to pay for many.

use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// Items in the first piece at first.
const FEW: usize = 8;

/// Items in a piece that is not replaced.
const PIECE: usize = 256;

/// How many pieces are listed together.
const PAGE: usize = 64;

type Piece<T> = KVVec<T>;

/// A list of pieces that has room from the start for all that it will have.
type Page<T> = KVec<Piece<T>>;

/// The array.
pub(super) struct Pieces<T> {
    first: Piece<T>,
    rest: KVVec<Page<T>>,
    len: u32,
    capacity: u32,
}

/// Room for more items, allocated where sleeping is allowed.
pub(super) struct Room<T> {
    piece: Piece<T>,
    /// A new list for this piece and later ones, if it needs one.
    page: Page<T>,
    /// A longer list of those lists, if it needs one.
    rest: KVVec<Page<T>>,
    /// How many items there was room for.
    capacity: u32,
}

impl<T> Room<T> {
    /// Allocates room for an array of this capacity. May sleep.
    pub(super) fn new(capacity: u32) -> Result<Self, AllocError> {
        let (mut size, mut page, mut rest) = (PIECE, 0, 0);
        if (capacity as usize) < PIECE {
            size = FEW.max(2 * capacity as usize);
        } else if let (nth, 0, _) = place(capacity) {
            page = PAGE;
            if nth == 0 || nth.is_power_of_two() {
                rest = (2 * nth).max(1);
            }
        }
        Ok(Self {
            piece: KVVec::with_capacity(size, GFP_KERNEL_ACCOUNT)?,
            page: KVec::with_capacity(page, GFP_KERNEL_ACCOUNT)?,
            rest: KVVec::with_capacity(rest, GFP_KERNEL_ACCOUNT)?,
            capacity,
        })
    }
}

/// The list with the piece of an item that is not in the first one, which piece of that, and which
/// item of that.
fn place(item: u32) -> (usize, usize, usize) {
    let piece = item as usize / PIECE - 1;
    (piece / PAGE, piece % PAGE, item as usize % PIECE)
}

impl<T> Pieces<T> {
    /// No items, and no room for any.
    pub(super) const fn new() -> Self {
        Self {
            first: KVVec::new(),
            rest: KVVec::new(),
            len: 0,
            capacity: 0,
        }
    }

    /// How many items there are.
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// How many items there is room for.
    pub(super) fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Adds room that was allocated for an array of this capacity, and gives back what is left of
    /// it: all, if there is room already.
    pub(super) fn grow(&mut self, mut room: Room<T>) -> Room<T> {
        if room.capacity != self.capacity {
            return room;
        }
        // There is room wherever something is put, so nothing here can fail.
        if (self.capacity as usize) < PIECE {
            for item in self.first.drain_all() {
                let _ = room.piece.push_within_capacity(item);
            }
            core::mem::swap(&mut self.first, &mut room.piece);
            self.capacity = FEW.max(2 * self.capacity as usize) as u32;
            return room;
        }
        let (page, at, _) = place(self.capacity);
        if at == 0 {
            self.add_page(&mut room);
        }
        let piece = core::mem::replace(&mut room.piece, KVVec::new());
        let _ = self.rest[page].push_within_capacity(piece);
        self.capacity += PIECE as u32;
        room
    }

    fn add_page(&mut self, room: &mut Room<T>) {
        if self.rest.len() == self.rest.capacity() {
            // One for each 16384 items.
            for page in self.rest.drain_all() {
                let _ = room.rest.push_within_capacity(page);
            }
            core::mem::swap(&mut self.rest, &mut room.rest);
        }
        let page = core::mem::replace(&mut room.page, KVec::new());
        let _ = self.rest.push_within_capacity(page);
    }

    /// Adds an item, for which there must be room.
    pub(super) fn push(&mut self, item: T) -> u32 {
        let added = self.len;
        let piece = if (added as usize) < PIECE {
            &mut self.first
        } else {
            let (page, at, _) = place(added);
            &mut self.rest[page][at]
        };
        let _ = piece.push_within_capacity(item);
        self.len += 1;
        added
    }

    /// An item, if it is in the first piece.
    pub(super) fn get_first(&self, item: u32) -> Option<&T> {
        self.first.get(item as usize)
    }

    /// An item, which must exist.
    // Without this, the compiler calls a function for each look at an item.
    #[inline(always)]
    pub(super) fn at(&self, item: u32) -> &T {
        match self.first.get(item as usize) {
            Some(found) => found,
            None => self.later(item),
        }
    }

    /// An item, which must exist.
    #[inline(always)]
    pub(super) fn at_mut(&mut self, item: u32) -> &mut T {
        // With `match`, `self` would be borrowed even where there is none.
        if (item as usize) < self.first.len() {
            return &mut self.first[item as usize];
        }
        self.later_mut(item)
    }

    #[cold]
    fn later(&self, item: u32) -> &T {
        let (page, at, item) = place(item);
        &self.rest[page][at][item]
    }

    #[cold]
    fn later_mut(&mut self, item: u32) -> &mut T {
        let (page, at, item) = place(item);
        &mut self.rest[page][at][item]
    }
}
