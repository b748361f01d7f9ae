// SPDX-License-Identifier: GPL-2.0

//! The copy of a message with objects, while it is being made.

use super::{
    contents::{
        Contents,
        Objects,
        SentFile, //
    },
    gather::Gather,
    message::{
        Layout,
        Recipient,
        Sender, //
    }, //
};
use crate::{
    diag::trace,
    memory::buffer::Buffer,
    process::Process, //
};
use kernel::{
    prelude::*,
    sync::Arc,
    uaccess::UserSliceReader, //
};

/// A message that is being put together.
pub(crate) struct ObjectCopier<'a> {
    pub(crate) to: &'a Arc<Process>,
    pub(crate) buffer: &'a mut Buffer<Contents>,
    pub(crate) objects: KBox<Objects>,
    pub(crate) gather: Gather,
    accepts_files: bool,
}

impl<'a> ObjectCopier<'a> {
    /// The copy of a message to `recipient`, with `count` objects, into `buffer`.
    pub(super) fn new(
        recipient: &Recipient<'a>,
        layout: &Layout,
        buffer: &'a mut Buffer<Contents>,
        count: usize,
    ) -> Result<Self> {
        Ok(Self {
            to: recipient.process,
            buffer,
            objects: Objects::new(recipient.process.clone(), count)?,
            gather: Gather::new(layout.extra_at, layout.context_at),
            accepts_files: recipient.accepts_files,
        })
    }

    /// Copies data up to `end`, of which `done` bytes were copied already.
    pub(super) fn copy_up_to(
        &mut self,
        reader: &mut UserSliceReader,
        end: usize,
        done: usize,
    ) -> Result {
        let len = end.checked_sub(done).ok_or(EINVAL)?;
        if len > reader.len() {
            return Err(EINVAL);
        }
        self.buffer.copy_from_user(done, reader, len)
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
