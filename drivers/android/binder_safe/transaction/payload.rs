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
        PayloadCell, //
    },
    failure::Failure,
    message::{
        check_buffers_size,
        user_ptr,
        Layout,
        Recipient,
        Sender, //
    },
    objects::copy_objects, //
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
    process::node::NodePin,
    wire::structs::TransactionDataSg, //
};
use kernel::{
    prelude::*,
    security::SecurityCtx,
    uaccess::UserSlice,
    uapi, //
};

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
        return copy_objects(sender, message, recipient, layout, buffer).map(Some);
    }
    check_buffers_size(message)?;
    let mut reader = UserSlice::new(user_ptr(data.buffer), layout.data_size).reader();
    buffer.copy_from_user(0, &mut reader, layout.data_size)?;
    Ok(None)
}
