// SPDX-License-Identifier: GPL-2.0

//! Buffers that a message points to, and what is put into them.
//!
//! Each buffer is copied behind the message. A pointer to it may stand in another buffer, its
//! parent, and a parent may hold file descriptors. Such places come in the order of their offsets,
//! so a buffer is copied piece by piece: up to the next place, then what belongs there, and the
//! rest when all objects are known.

use super::{
    contents::Contents,
    copier::ObjectCopier,
    payload::{
        user_ptr,
        Sender, //
    }, //
};
use crate::{
    memory::buffer::Buffer,
    wire::wire::{
        BufferObject,
        FdArrayObject, //
    }, //
};
use kernel::{
    prelude::*,
    uaccess::UserSlice,
    uapi, //
};

/// Addresses and descriptors are written to multiples of this.
const PLACE_ALIGN: usize = size_of::<u32>();

/// Buffers begin at multiples of this.
const ALIGN: usize = size_of::<u64>();

/// A buffer that is being copied.
struct Pointer {
    /// Which object of the message it is.
    object: u64,
    /// Where the sender has it.
    user: u64,
    /// Where it goes, in bytes from the start of the message's buffer.
    at: usize,
    len: usize,
    /// How many of its bytes have their final value.
    done: usize,
    /// Which of the buffers holds the pointer to this one.
    parent: Option<usize>,
}

/// The buffers of one message.
pub(crate) struct Gather {
    /// In the order of the objects.
    pointers: KVVec<Pointer>,
    /// Where the next buffer goes.
    next: usize,
    /// Where the room for buffers ends.
    end: usize,
    /// The buffer that was added or changed last. Only it and those it hangs from may change.
    last: Option<usize>,
    /// How many objects there were.
    nr_objects: u64,
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
    fn take_room(&mut self, len: usize) -> Result<usize> {
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
    fn parent(&self, object: u64, offset: u64, len: usize) -> Result<(usize, usize)> {
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
    fn copy_up_to(&mut self, buffer: &mut Buffer<Contents>, end: usize) -> Result {
        let len = end - self.done;
        let start = user_ptr(self.user.wrapping_add(self.done as u64));
        let mut reader = UserSlice::new(start, len).reader();
        buffer.copy_from_user(self.at + self.done, &mut reader, len)?;
        self.done = end;
        Ok(())
    }
}

impl ObjectCopier<'_> {
    /// Adds the buffer that `object`, which lies at `offset` of the message, points to.
    pub(crate) fn pointer(
        &mut self,
        _sender: &mut Sender<'_>,
        object: BufferObject,
        offset: usize,
    ) -> Result {
        let len = usize::try_from(object.length)?;
        let at = self.gather.take_room(len)?;
        let address = self.buffer.address() + at as u64;
        let mut parent = None;
        if object.flags & uapi::BINDER_BUFFER_FLAG_HAS_PARENT != 0 {
            let size = size_of_val(&address);
            let place = self
                .gather
                .parent(object.parent, object.parent_offset, size)?;
            let at = self.open(place, size)?;
            self.buffer.write(at, address.as_bytes())?;
            parent = Some(place.0);
        }
        let pointer = Pointer {
            object: self.gather.nr_objects - 1,
            user: object.buffer,
            at,
            len,
            done: 0,
            parent,
        };
        self.gather.pointers.push(pointer, GFP_KERNEL_ACCOUNT)?;
        self.gather.last = Some(self.gather.pointers.len() - 1);
        let object = BufferObject {
            buffer: address,
            ..object
        };
        self.buffer.write(offset, object.as_bytes())
    }

    /// Sends the files whose descriptors `object`, which lies at `offset` of the message, names.
    pub(crate) fn files(
        &mut self,
        sender: &mut Sender<'_>,
        object: FdArrayObject,
        offset: usize,
    ) -> Result {
        let number_size = size_of::<u32>();
        let count = usize::try_from(object.num_fds)?;
        let size = count.checked_mul(number_size).ok_or(EINVAL)?;
        let place = self
            .gather
            .parent(object.parent, object.parent_offset, size)?;
        let pointer = &self.gather.pointers[place.0];
        let source = pointer.user.wrapping_add(place.1 as u64);
        if source % number_size as u64 != 0 {
            return Err(EINVAL);
        }
        self.check_files()?;
        let at = self.open(place, size)?;
        self.objects.to_close.reserve(count, GFP_KERNEL_ACCOUNT)?;
        let mut reader = UserSlice::new(user_ptr(source), size).reader();
        for index in 0..count {
            let fd = reader.read_obj::<u32>()?;
            self.add_file(sender, fd, at + index * number_size, true)?;
        }
        self.gather.last = Some(place.0);
        self.buffer.write(offset, object.as_bytes())
    }

    /// Copies a buffer up to a place and skips the place; gives where it is in the message's
    /// buffer.
    fn open(&mut self, (parent, offset): (usize, usize), size: usize) -> Result<usize> {
        let pointer = &mut self.gather.pointers[parent];
        pointer.copy_up_to(self.buffer, offset)?;
        pointer.done += size;
        Ok(pointer.at + offset)
    }
}
