// SPDX-License-Identifier: GPL-2.0

//! Copying a message that has objects.
//!
//! What lies between objects goes straight to the receiver's pages; objects are read into kernel
//! memory, translated there, and written in their new form.

use super::{
    contents::{
        Contents,
        Objects, //
    },
    copier::ObjectCopier,
    message::{
        check_buffers_size,
        user_ptr,
        Layout,
        Recipient,
        Sender, //
    },
    translate::translate, //
};
use crate::{
    memory::buffer::Buffer,
    wire::{
        object::{
            Object,
            MAX_SIZE, //
        },
        structs::TransactionDataSg, //
    }, //
};
use kernel::{
    prelude::*,
    uaccess::{
        UserSlice,
        UserSliceReader, //
    }, //
};

/// Objects start at multiples of this.
const OBJECT_ALIGN: usize = size_of::<u32>();

/// Copies data and offsets, translates the objects, and gives what they hold.
// Kept apart from the way of messages without objects.
#[inline(never)]
pub(super) fn copy_objects(
    sender: &mut Sender<'_>,
    message: &TransactionDataSg,
    recipient: &Recipient<'_>,
    layout: &Layout,
    buffer: &mut Buffer<Contents>,
) -> Result<KBox<Objects>> {
    let data = &message.transaction_data;
    let mut reader = UserSlice::new(user_ptr(data.buffer), layout.data_size).reader();
    let offsets = read_offsets(user_ptr(data.offsets), layout.offsets_size)?;
    check_buffers_size(message)?;
    buffer.write(layout.offsets_at, offsets.as_bytes())?;
    let mut copier = ObjectCopier::new(recipient, layout, buffer, offsets.len())?;
    let mut done = 0;
    for offset in &offsets {
        let offset = usize::try_from(*offset)?;
        if offset % OBJECT_ALIGN != 0 {
            return Err(EINVAL);
        }
        copier.copy_up_to(&mut reader, offset, done)?;
        copier.gather.count_object();
        done = offset + copy_object(&mut copier, sender, &mut reader, offset)?;
    }
    copier.gather.finish(copier.buffer)?;
    copier.copy_up_to(&mut reader, layout.data_size, done)?;
    Ok(copier.objects)
}

/// Translates the object that comes next, and gives its size in bytes.
fn copy_object(
    copier: &mut ObjectCopier<'_>,
    sender: &mut Sender<'_>,
    reader: &mut UserSliceReader,
    offset: usize,
) -> Result<usize> {
    let mut bytes = [0; MAX_SIZE];
    let bytes = &mut bytes[..MAX_SIZE.min(reader.len())];
    reader.clone_reader().read_slice(bytes)?;
    let (object, size) = Object::parse(bytes)?;
    reader.skip(size)?;
    translate(copier, sender, object, offset)?;
    Ok(size)
}

/// Reads where the objects are.
fn read_offsets(start: UserPtr, size: usize) -> Result<KVVec<u64>> {
    let count = size.div_ceil(size_of::<u64>());
    let mut offsets = KVVec::zeroed(count, GFP_KERNEL_ACCOUNT)?;
    let bytes = &mut offsets.as_mut_slice().as_mut_bytes()[..size];
    UserSlice::new(start, size).reader().read_slice(bytes)?;
    // The sender is first told of what cannot be read.
    if size % size_of::<u64>() != 0 {
        return Err(EINVAL);
    }
    Ok(offsets)
}
