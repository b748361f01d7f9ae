// SPDX-License-Identifier: GPL-2.0

//! Objects, from how their sender sees them to how their receiver does.

use super::{
    draft::Draft,
    payload::Sender, //
};
use crate::{
    diag::trace,
    object::{
        contents::HeldObject,
        node::Node, //
    },
    proto::{
        object::{
            handle_kind,
            node_kind,
            Count,
            Object, //
        },
        wire::FlatObject, //
    },
};
use kernel::{
    prelude::*,
    security,
    sync::Arc, //
};

/// Translates `object`, which lies at `offset` of the message, and writes what becomes of it.
pub(crate) fn translate(
    draft: &mut Draft<'_>,
    sender: &mut Sender<'_>,
    object: Object,
    offset: usize,
) -> Result {
    match object {
        Object::Node(count, object) => {
            let object = node(draft, sender, count, &object)?;
            draft.buffer.write(offset, object.as_bytes())
        }
        Object::Handle(count, object) => {
            let object = handle(draft, sender, count, &object)?;
            draft.buffer.write(offset, object.as_bytes())
        }
        Object::File(object) => {
            let number_at = offset + core::mem::offset_of!(FlatObject, binder);
            draft.add_file(sender, object.handle(), number_at, false)?;
            let object = FlatObject {
                binder: 0,
                ..object
            };
            draft.buffer.write(offset, object.as_bytes())
        }
        Object::Files(object) => draft.files(sender, object, offset),
        Object::Pointer(object) => draft.pointer(sender, object, offset),
    }
}

/// A node of the sender becomes a reference of the receiver.
fn node(
    draft: &mut Draft<'_>,
    sender: &mut Sender<'_>,
    count: Count,
    object: &FlatObject,
) -> Result<FlatObject> {
    let (node, handle) = loop {
        let node = sender
            .thread
            .process
            .node_for(object, &mut sender.own.ids)?;
        match offer(draft, sender, count, &node) {
            Ok(handle) => break (node, handle),
            // Another thread's message failed, and the node was forgotten with it.
            Err(err) if err == EAGAIN => {}
            Err(err) => {
                node.give_up();
                return Err(err);
            }
        }
    };
    trace::NodeToRef::trace(|| trace::NodeToRef {
        debug_id: sender.own.extended_error.id as i32,
        node_debug_id: node.debug_id as i32,
        node_ptr: node.ptr,
        ref_debug_id: draft.to.ref_id(handle) as i32,
        ref_desc: handle,
    });
    hold(draft, HeldObject::Handle(handle, count));
    Ok(reference(object, count, handle))
}

/// Gives the receiver a reference to `node`, and its handle.
fn offer(
    draft: &Draft<'_>,
    sender: &mut Sender<'_>,
    count: Count,
    node: &Arc<Node>,
) -> Result<u32> {
    let from = &sender.thread.process.cred;
    security::binder_transfer_binder(from, &draft.to.cred).map_err(|_| EPERM)?;
    sender.thread.reserve_inbox()?;
    let to = draft.to;
    to.add_ref(node, count, Some(sender.thread), &mut sender.own.ids)
}

/// A reference of the sender becomes one of the receiver, or the receiver's own node.
fn handle(
    draft: &mut Draft<'_>,
    sender: &mut Sender<'_>,
    count: Count,
    object: &FlatObject,
) -> Result<FlatObject> {
    let process = &sender.thread.process;
    let node = process.node_to_pass(object.handle(), count)?;
    security::binder_transfer_binder(&process.cred, &draft.to.cred).map_err(|_| EPERM)?;
    if Arc::ptr_eq(&node.owner, draft.to) {
        process.return_node(object.handle(), count, &node)?;
        trace::RefToNode::trace(|| trace::RefToNode {
            debug_id: sender.own.extended_error.id as i32,
            ref_debug_id: process.ref_id(object.handle()) as i32,
            ref_desc: object.handle(),
            node_debug_id: node.debug_id as i32,
            node_ptr: node.ptr,
        });
        let (binder, cookie) = (node.ptr, node.cookie);
        hold(draft, HeldObject::Node(node, count));
        return Ok(FlatObject {
            kind: node_kind(count),
            flags: object.flags,
            binder,
            cookie,
        });
    }
    let added = draft.to.add_ref(&node, count, None, &mut sender.own.ids);
    // Without its owner's table the node has lost the reference that was to be passed on.
    let handle = added.map_err(|err| if err == EAGAIN { EINVAL } else { err })?;
    trace::RefToRef::trace(|| trace::RefToRef {
        debug_id: sender.own.extended_error.id as i32,
        node_debug_id: node.debug_id as i32,
        src_ref_debug_id: process.ref_id(object.handle()) as i32,
        src_ref_desc: object.handle(),
        dest_ref_debug_id: draft.to.ref_id(handle) as i32,
        dest_ref_desc: handle,
    });
    hold(draft, HeldObject::Handle(handle, count));
    Ok(reference(object, count, handle))
}

/// What the receiver sees of a reference.
fn reference(object: &FlatObject, count: Count, handle: u32) -> FlatObject {
    let mut binder = [0; size_of::<u64>()];
    binder[..size_of::<u32>()].copy_from_slice(&handle.to_ne_bytes());
    FlatObject {
        kind: handle_kind(count),
        flags: object.flags,
        binder: u64::from_ne_bytes(binder),
        cookie: 0,
    }
}

/// Keeps an object's count until the message ends.
fn hold(draft: &mut Draft<'_>, object: HeldObject) {
    // There is room for one of each object.
    let _ = draft.objects.held.push_within_capacity(object);
}
