// SPDX-License-Identifier: GPL-2.0

//! Objects that point to buffers, and arrays of descriptors in such buffers.

use super::{
    copier::ObjectCopier,
    gather::Pointer,
    message::{
        user_ptr,
        Sender, //
    }, //
};
use crate::wire::structs::{
    BufferObject,
    FdArrayObject, //
};
use kernel::{
    prelude::*,
    uaccess::UserSlice,
    uapi, //
};

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
