// SPDX-License-Identifier: GPL-2.0

//! Copying a message that has objects.
//!
//! What lies between objects goes straight to the receiver's pages; objects are read into kernel
//! memory, translated there, and written in their new form.

use super::{
    contents::{
        Contents,
        Objects,
        SentFile, //
    },
    gather::Gather,
    payload::{
        check_buffers_size,
        user_ptr,
        Layout,
        Recipient,
        Sender, //
    },
    translate::translate, //
};
use crate::{
    diag::trace,
    memory::buffer::Buffer,
    process::Process,
    wire::{
        object::{
            Object,
            MAX_SIZE, //
        },
        wire::TransactionDataSg, //
    }, //
};
use kernel::{
    prelude::*,
    sync::Arc,
    uaccess::{
        UserSlice,
        UserSliceReader, //
    }, //
};

/// Objects start at multiples of this.
const OBJECT_ALIGN: usize = size_of::<u32>();

/// A message that is being put together.
pub(crate) struct ObjectCopier<'a> {
    pub(crate) to: &'a Arc<Process>,
    pub(crate) buffer: &'a mut Buffer<Contents>,
    pub(crate) objects: KBox<Objects>,
    pub(crate) gather: Gather,
    accepts_files: bool,
}

impl<'a> ObjectCopier<'a> {
    /// Copies data and offsets, translates the objects, and gives what they hold.
    // Kept apart from the way of messages without objects.
    #[inline(never)]
    pub(super) fn fill(
        sender: &mut Sender<'_>,
        message: &TransactionDataSg,
        recipient: &Recipient<'a>,
        layout: &Layout,
        buffer: &'a mut Buffer<Contents>,
    ) -> Result<KBox<Objects>> {
        let data = &message.transaction_data;
        let mut reader = UserSlice::new(user_ptr(data.buffer), layout.data_size).reader();
        let offsets = read_offsets(user_ptr(data.offsets), layout.offsets_size)?;
        check_buffers_size(message)?;
        buffer.write(layout.offsets_at, offsets.as_bytes())?;
        let mut copier = Self {
            to: recipient.process,
            buffer,
            objects: Objects::new(recipient.process.clone(), offsets.len())?,
            gather: Gather::new(layout.extra_at, layout.context_at),
            accepts_files: recipient.accepts_files,
        };
        let mut done = 0;
        for offset in &offsets {
            let offset = usize::try_from(*offset)?;
            if offset % OBJECT_ALIGN != 0 {
                return Err(EINVAL);
            }
            copier.copy_up_to(&mut reader, offset, done)?;
            copier.gather.count_object();
            done = offset + copier.object(sender, &mut reader, offset)?;
        }
        copier.gather.finish(copier.buffer)?;
        copier.copy_up_to(&mut reader, layout.data_size, done)?;
        Ok(copier.objects)
    }

    /// Copies data up to `end`, of which `done` bytes were copied already.
    fn copy_up_to(&mut self, reader: &mut UserSliceReader, end: usize, done: usize) -> Result {
        let len = end.checked_sub(done).ok_or(EINVAL)?;
        if len > reader.len() {
            return Err(EINVAL);
        }
        self.buffer.copy_from_user(done, reader, len)
    }

    /// Translates the object that comes next, and gives its size in bytes.
    fn object(
        &mut self,
        sender: &mut Sender<'_>,
        reader: &mut UserSliceReader,
        offset: usize,
    ) -> Result<usize> {
        let mut bytes = [0; MAX_SIZE];
        let bytes = &mut bytes[..MAX_SIZE.min(reader.len())];
        reader.clone_reader().read_slice(bytes)?;
        let (object, size) = Object::parse(bytes)?;
        reader.skip(size)?;
        translate(self, sender, object, offset)?;
        Ok(size)
    }

    /// Checks that the message may carry files.
    pub(crate) fn check_files(&self) -> Result {
        if !self.accepts_files {
            return Err(EPERM);
        }
        Ok(())
    }

    /// Sends a file of the sender, the number of which goes to `offset`.
    pub(crate) fn add_file(
        &mut self,
        sender: &Sender<'_>,
        fd: u32,
        offset: usize,
        is_closed_with_buffer: bool,
    ) -> Result {
        self.check_files()?;
        let file = sender.file.fget(fd)?;
        let from = &sender.process.cred;
        kernel::security::binder_transfer_file(from, &self.to.cred, &file).map_err(|_| EPERM)?;
        trace::FdSend::trace(|| trace::FdSend {
            debug_id: sender.id as i32,
            fd: fd as i32,
            offset,
        });
        let sent = SentFile {
            file,
            offset,
            is_closed_with_buffer,
        };
        Ok(self.objects.files.push(sent, GFP_KERNEL_ACCOUNT)?)
    }
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
