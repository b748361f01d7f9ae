// SPDX-License-Identifier: GPL-2.0

//! Copying a message from its sender into the area of its receiver.
//!
//! Each byte is read from the sender once. What lies between objects goes straight to the
//! receiver's pages; objects are read into kernel memory, translated there, and written in their
//! new form.

use super::{
    gather::Gather,
    translate::translate, //
};
use crate::{
    object::{
        contents::{
            Contents,
            Parcel,
            Payload,
            SentFile, //
        },
        error::Failure,
        node::NodePin,
        process::Process,
        thread::{
            Own,
            Thread, //
        }, //
    },
    proto::{
        object::{
            Object,
            MAX_SIZE, //
        },
        wire::TransactionDataSg, //
    },
    res::{
        area::{
            Kind,
            Load, //
        },
        buffer::Buffer, //
    },
};
use kernel::{
    fs::file::IoctlFile,
    prelude::*,
    security::SecurityCtx,
    sync::Arc,
    uaccess::{
        UserSlice,
        UserSliceReader, //
    },
    uapi, //
};

/// The parts of a message, each padded to this many bytes.
const PART_ALIGN: usize = size_of::<u64>();

/// Objects start at multiples of this.
const OBJECT_ALIGN: usize = size_of::<u32>();

/// Who sends, and through which file.
pub(crate) struct Sender<'a> {
    pub(crate) thread: &'a Arc<Thread>,
    pub(crate) own: &'a mut Own,
    pub(crate) file: &'a IoctlFile<'a>,
}

/// Where a message goes, and what it may carry.
pub(crate) struct Recipient<'a> {
    pub(crate) process: &'a Arc<Process>,
    pub(crate) node: Option<NodePin>,
    pub(crate) kind: Kind,
    pub(crate) accepts_files: bool,
}

/// Where the parts of a message lie in its buffer, in bytes.
struct Layout {
    data_size: usize,
    offsets_at: usize,
    offsets_size: usize,
    extra_at: usize,
    context_at: usize,
    len: usize,
}

impl Layout {
    /// Fails with `EINVAL` if the sizes make no sense.
    fn new(message: &TransactionDataSg, context_size: usize) -> Result<Self> {
        let data = &message.transaction_data;
        let data_size = usize::try_from(data.data_size)?;
        let offsets_size = usize::try_from(data.offsets_size)?;
        let extra_size = usize::try_from(message.buffers_size)?;
        let offsets_at = behind(0, data_size)?;
        let extra_at = behind(offsets_at, offsets_size)?;
        let context_at = behind(extra_at, extra_size)?;
        Ok(Self {
            data_size,
            offsets_at,
            offsets_size,
            extra_at,
            context_at,
            len: behind(context_at, context_size)?,
        })
    }
}

/// Where the next part begins behind one of `size` bytes.
fn behind(start: usize, size: usize) -> Result<usize> {
    let padded = size.checked_next_multiple_of(PART_ALIGN).ok_or(EINVAL)?;
    start.checked_add(padded).ok_or(EINVAL)
}

/// A message that is being put together.
pub(crate) struct Draft<'a> {
    pub(crate) to: &'a Arc<Process>,
    pub(crate) buffer: Buffer<Contents>,
    pub(crate) payload: Payload,
    pub(crate) accepts_files: bool,
    pub(crate) gather: Gather,
}

/// Copies the message that the current task sends into the area of its recipient.
pub(crate) fn copy(
    sender: &mut Sender<'_>,
    message: &TransactionDataSg,
    recipient: Recipient<'_>,
) -> Result<(Parcel, Load), Failure> {
    let context = security_context(sender, recipient.node.as_ref()).map_err(Failure::failed)?;
    let context_size = context.as_ref().map_or(0, SecurityCtx::len);
    let layout = Layout::new(message, context_size)?;
    let data = &message.transaction_data;
    let (mut buffer, load) = recipient.process.area.reserve(layout.len, recipient.kind)?;
    if data.flags & uapi::transaction_flags_TF_CLEAR_BUF != 0 {
        buffer.clear_on_drop();
    }
    if let Some(context) = &context {
        buffer.write(layout.context_at, context.as_bytes())?;
    }
    let is_oneway = matches!(recipient.kind, Kind::Oneway(_));
    let mut draft = Draft {
        to: recipient.process,
        buffer,
        payload: Payload {
            to: recipient.process.clone(),
            buffer: None,
            contents: Contents::new(recipient.node, is_oneway),
            files: KVVec::new(),
            data_size: data.data_size,
            offsets_size: data.offsets_size,
            offsets_at: layout.offsets_at as u64,
            security_context_at: context.map(|_| layout.context_at as u64),
        },
        accepts_files: recipient.accepts_files,
        gather: Gather::new(layout.extra_at, layout.context_at),
    };
    draft
        .fill(sender, message, &layout)
        .map_err(Failure::failed)?;
    let Draft {
        buffer,
        mut payload,
        ..
    } = draft;
    payload.buffer = Some(buffer);
    Ok((Parcel::new(payload), load))
}

/// The security context of whoever opened the sender's file, if the node's owner wants to know.
fn security_context(sender: &Sender<'_>, node: Option<&NodePin>) -> Result<Option<SecurityCtx>> {
    if !node.is_some_and(|node| node.wants_security_context()) {
        return Ok(None);
    }
    SecurityCtx::from_secid(sender.thread.process.cred.get_secid()).map(Some)
}

impl Draft<'_> {
    /// Copies data and offsets, and translates the objects among the data.
    fn fill(
        &mut self,
        sender: &mut Sender<'_>,
        message: &TransactionDataSg,
        layout: &Layout,
    ) -> Result {
        let data = &message.transaction_data;
        let mut reader = UserSlice::new(user_ptr(data.buffer), layout.data_size).reader();
        let offsets = read_offsets(user_ptr(data.offsets), layout.offsets_size)?;
        if message.buffers_size % PART_ALIGN as u64 != 0 {
            return Err(EINVAL);
        }
        self.buffer.write(layout.offsets_at, offsets.as_bytes())?;
        self.payload
            .contents
            .objects
            .reserve(offsets.len(), GFP_KERNEL_ACCOUNT)?;
        let mut done = 0;
        for offset in &offsets {
            let offset = usize::try_from(*offset)?;
            if offset % OBJECT_ALIGN != 0 {
                return Err(EINVAL);
            }
            self.copy_up_to(&mut reader, offset, done)?;
            self.gather.count_object();
            done = offset + self.object(sender, &mut reader, offset)?;
        }
        self.gather.finish(&mut self.buffer)?;
        self.copy_up_to(&mut reader, layout.data_size, done)
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

    /// Sends a file of the sender, the number of which goes to `offset`.
    pub(crate) fn add_file(
        &mut self,
        sender: &Sender<'_>,
        fd: u32,
        offset: usize,
        is_closed_with_buffer: bool,
    ) -> Result {
        if !self.accepts_files {
            return Err(EPERM);
        }
        let file = sender.file.fget(fd)?;
        let from = &sender.thread.process.cred;
        kernel::security::binder_transfer_file(from, &self.to.cred, &file).map_err(|_| EPERM)?;
        let sent = SentFile {
            file,
            offset,
            is_closed_with_buffer,
        };
        Ok(self.payload.files.push(sent, GFP_KERNEL_ACCOUNT)?)
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

/// The address that a 64-bit field of the ABI holds.
///
/// Addresses that do not fit become one that nothing is mapped at.
pub(crate) fn user_ptr(address: u64) -> UserPtr {
    UserPtr::from_addr(usize::try_from(address).unwrap_or(usize::MAX))
}
