// SPDX-License-Identifier: GPL-2.0

//! Buffers that a message points to, and what is put into them.
//!
//! Each buffer is copied behind the message. A pointer to it may stand in another buffer, its
//! parent, and a parent may hold file descriptors. Such places come in the order of their offsets,
//! so a buffer is copied piece by piece: up to the next place, then what belongs there, and the
//! rest when all objects are known.

use super::{
    contents::Contents,
    message::user_ptr, //
};
use crate::memory::buffer::Buffer;
use kernel::{
    prelude::*,
    uaccess::UserSlice, //
};

/// Addresses and descriptors are written to multiples of this.
const PLACE_ALIGN: usize = size_of::<u32>();

/// Buffers begin at multiples of this.
const ALIGN: usize = size_of::<u64>();

/// A buffer that is being copied.
pub(super) struct Pointer {
    /// Which object of the message it is.
    pub(super) object: u64,
    /// Where the sender has it.
    pub(super) user: u64,
    /// Where it goes, in bytes from the start of the message's buffer.
    pub(super) at: usize,
    pub(super) len: usize,
    /// How many of its bytes have their final value.
    pub(super) done: usize,
    /// Which of the buffers holds the pointer to this one.
    pub(super) parent: Option<usize>,
}

/// The buffers of one message.
pub(crate) struct Gather {
    /// In the order of the objects.
    pub(super) pointers: KVVec<Pointer>,
    /// Where the next buffer goes.
    next: usize,
    /// Where the room for buffers ends.
    end: usize,
    /// The buffer that was added or changed last. Only it and those it hangs from may change.
    pub(super) last: Option<usize>,
    /// How many objects there were.
    pub(super) nr_objects: u64,
}

impl Gather {
    /// The room for buffers begins `start` bytes into the message's buffer and ends at `end`.
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self {
            pointers: KVVec::new(),
            next: start,
            end,
            last: None,
            nr_objects: 0,
        }
    }

    /// Counts an object.
    pub(crate) fn count_object(&mut self) {
        self.nr_objects += 1;
    }

    /// Copies what is left of all buffers.
    pub(crate) fn finish(&mut self, buffer: &mut Buffer<Contents>) -> Result {
        for pointer in &mut self.pointers {
            pointer.copy_up_to(buffer, pointer.len)?;
        }
        Ok(())
    }

    /// Takes `len` bytes of room.
    pub(super) fn take_room(&mut self, len: usize) -> Result<usize> {
        let at = self.next;
        let padded = len.checked_next_multiple_of(ALIGN).ok_or(EINVAL)?;
        let next = at.checked_add(padded).ok_or(EINVAL)?;
        if next > self.end {
            return Err(EINVAL);
        }
        self.next = next;
        Ok(at)
    }

    /// Finds the buffer that is object `object`, if `len` bytes at `offset` of it, which is a
    /// multiple of 4, may change now.
    pub(super) fn parent(&self, object: u64, offset: u64, len: usize) -> Result<(usize, usize)> {
        let by_object = |pointer: &Pointer| pointer.object;
        let found = self.pointers.binary_search_by_key(&object, by_object);
        let parent = found.map_err(|_| EINVAL)?;
        let offset = usize::try_from(offset)?;
        let pointer = &self.pointers[parent];
        let end = offset.checked_add(len).ok_or(EINVAL)?;
        if offset < pointer.done || end > pointer.len || offset % PLACE_ALIGN != 0 {
            return Err(EINVAL);
        }
        let mut last = self.last;
        while last != Some(parent) {
            last = self.pointers[last.ok_or(EINVAL)?].parent;
        }
        Ok((parent, offset))
    }
}

impl Pointer {
    /// Copies the buffer's bytes up to `end`.
    pub(super) fn copy_up_to(&mut self, buffer: &mut Buffer<Contents>, end: usize) -> Result {
        let len = end - self.done;
        let start = user_ptr(self.user.wrapping_add(self.done as u64));
        let mut reader = UserSlice::new(start, len).reader();
        buffer.copy_from_user(self.at + self.done, &mut reader, len)?;
        self.done = end;
        Ok(())
    }
}
