// SPDX-License-Identifier: GPL-2.0

//! Copying a message from its sender into the area of its receiver.
//!
//! Each byte is read from the sender once. A message without objects, as most are, is bytes that go
//! straight to the receiver's pages; `copier` does the others.

use super::{
    contents::{
        Contents,
        Objects,
        Payload,
        PayloadCell,
        PART_ALIGN, //
    },
    copier::ObjectCopier,
    failure::Failure, //
};
use crate::{
    collections::ranges::BufferInfo,
    diag::{
        messages,
        trace, //
    },
    memory::{
        area::{
            Kind,
            SpamCheck, //
        },
        buffer::Buffer, //
    },
    process::{
        node::NodePin,
        Process, //
    },
    thread::{
        local::Local,
        Thread, //
    },
    wire::wire::TransactionDataSg, //
};
use kernel::{
    fs::file::IoctlFile,
    prelude::*,
    security::SecurityCtx,
    sync::Arc,
    uaccess::UserSlice,
    uapi, //
};

/// Who sends, and through which file.
pub(crate) struct Sender<'a> {
    pub(crate) process: &'a Process,
    pub(crate) thread: &'a Arc<Thread>,
    pub(crate) local: &'a mut Local,
    pub(crate) file: &'a IoctlFile<'a>,
    /// The id of the transaction that is being sent.
    pub(crate) id: u32,
}

/// Where a message goes, and what it may carry.
pub(crate) struct Recipient<'a> {
    pub(crate) process: &'a Arc<Process>,
    pub(crate) node: Option<NodePin>,
    pub(crate) kind: Kind,
    pub(crate) accepts_files: bool,
}

/// Where the parts of a message lie in its buffer, in bytes.
pub(super) struct Layout {
    pub(super) data_size: usize,
    pub(super) offsets_at: usize,
    pub(super) offsets_size: usize,
    /// Where the buffers begin that objects point to.
    pub(super) extra_at: usize,
    pub(super) context_at: usize,
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
    let padded = size.checked_add(PART_ALIGN - 1).ok_or(EINVAL)? & !(PART_ALIGN - 1);
    start.checked_add(padded).ok_or(EINVAL)
}

/// Copies the message that the current task sends into the area of its recipient, and puts what is
/// known of it into `cell`. Gives where it begins in the area, too.
pub(crate) fn copy(
    sender: &mut Sender<'_>,
    message: &TransactionDataSg,
    recipient: Recipient<'_>,
    cell: &PayloadCell,
) -> Result<(SpamCheck, u32), Failure> {
    let context = security_context(sender, recipient.node.as_ref()).map_err(Failure::failed)?;
    let context_size = context.as_ref().map_or(0, SecurityCtx::len);
    let layout = Layout::new(message, context_size)?;
    let data = &message.transaction_data;
    let label = BufferInfo {
        debug_id: sender.id,
        data_size: layout.data_size as u32,
        offsets_size: layout.offsets_size as u32,
        extra_size: layout.len.wrapping_sub(layout.extra_at) as u32,
    };
    let area = &recipient.process.area;
    let reserved = area.reserve(layout.len, recipient.kind, label);
    if let Err(ENOSPC) = reserved {
        no_room(&recipient, layout.len);
    }
    let (mut buffer, load) = reserved?;
    trace::AllocBuf::of(|| label.numbers());
    if data.flags & uapi::transaction_flags_TF_CLEAR_BUF != 0 {
        buffer.clear_on_drop();
    }
    if let Some(context) = &context {
        buffer.write(layout.context_at, context.as_bytes())?;
    }
    let objects = fill(sender, message, &recipient, &layout, &mut buffer)
        .inspect_err(|_| trace::FailedBufferRelease::of(|| label.numbers()))
        .map_err(Failure::failed)?;
    let offset = buffer.offset();
    // What fits in an area has sizes of 32 bits.
    cell.fill(Payload {
        buffer,
        contents: Contents {
            target: recipient.node,
            objects,
        },
        data_size: layout.data_size as u32,
        offsets_size: layout.offsets_size as u32,
        security_context_at: context.map(|_| layout.context_at as u32),
    });
    Ok((load, offset))
}

/// Says whose area is full.
#[cold]
fn no_room(recipient: &Recipient<'_>, len: usize) {
    let process = recipient.process;
    let kind = match recipient.kind {
        Kind::Call => "a call",
        Kind::Oneway(_) => "a oneway message",
    };
    let (size, free) = (process.area.size(), process.area.free_oneway());
    let what = fmt!("no room for {kind} of {len} bytes in {size}, {free} left for oneway");
    messages::no_room(process.pid, what);
}

/// The security context of whoever opened the sender's file, if the node's owner wants to know.
fn security_context(sender: &Sender<'_>, node: Option<&NodePin>) -> Result<Option<SecurityCtx>> {
    if !node.is_some_and(|node| node.wants_security_context()) {
        return Ok(None);
    }
    SecurityCtx::from_secid(sender.process.cred.get_secid()).map(Some)
}

/// Copies data and offsets, and gives what the objects among the data hold.
fn fill(
    sender: &mut Sender<'_>,
    message: &TransactionDataSg,
    recipient: &Recipient<'_>,
    layout: &Layout,
    buffer: &mut Buffer<Contents>,
) -> Result<Option<KBox<Objects>>> {
    let data = &message.transaction_data;
    if layout.offsets_size > 0 {
        return ObjectCopier::fill(sender, message, recipient, layout, buffer).map(Some);
    }
    check_buffers_size(message)?;
    let mut reader = UserSlice::new(user_ptr(data.buffer), layout.data_size).reader();
    buffer.copy_from_user(0, &mut reader, layout.data_size)?;
    Ok(None)
}

/// Checks that the buffers that objects point to have a size that keeps what follows them aligned.
pub(super) fn check_buffers_size(message: &TransactionDataSg) -> Result {
    if message.buffers_size % PART_ALIGN as u64 != 0 {
        return Err(EINVAL);
    }
    Ok(())
}

/// The address that a 64-bit field of the ABI holds.
///
/// Addresses that do not fit become one that nothing is mapped at.
pub(crate) fn user_ptr(address: u64) -> UserPtr {
    UserPtr::from_addr(usize::try_from(address).unwrap_or(usize::MAX))
}
