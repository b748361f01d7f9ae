// SPDX-License-Identifier: GPL-2.0

//! Objects, from how their sender sees them to how their receiver does.

use super::{
    contents::HeldObject,
    copier::ObjectCopier,
    message::Sender, //
};
use crate::{
    diag::trace,
    process::node::Node,
    wire::{
        object::{
            handle_kind,
            node_kind,
            Count,
            Object, //
        },
        structs::FlatObject, //
    }, //
};
use kernel::{
    prelude::*,
    security,
    sync::Arc, //
};

/// Translates `object`, which lies at `offset` of the message, and writes what becomes of it.
pub(crate) fn translate(
    copier: &mut ObjectCopier<'_>,
    sender: &mut Sender<'_>,
    object: Object,
    offset: usize,
) -> Result {
    match object {
        Object::Node(count, object) => {
            let object = node(copier, sender, count, &object)?;
            copier.buffer.write(offset, object.as_bytes())
        }
        Object::Handle(count, object) => {
            let object = handle(copier, sender, count, &object)?;
            copier.buffer.write(offset, object.as_bytes())
        }
        Object::File(object) => {
            let number_at = offset + core::mem::offset_of!(FlatObject, binder);
            copier.add_file(sender, object.handle(), number_at, false)?;
            let object = FlatObject {
                binder: 0,
                ..object
            };
            copier.buffer.write(offset, object.as_bytes())
        }
        Object::Files(object) => copier.files(sender, object, offset),
        Object::Pointer(object) => copier.pointer(sender, object, offset),
    }
}

/// A node of the sender becomes a reference of the receiver.
fn node(
    copier: &mut ObjectCopier<'_>,
    sender: &mut Sender<'_>,
    count: Count,
    object: &FlatObject,
) -> Result<FlatObject> {
    let (node, handle) = loop {
        let node = sender.process.node_for(object, &mut sender.local.ids)?;
        match offer(copier, sender, count, &node) {
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
        debug_id: sender.id as i32,
        node_debug_id: node.debug_id as i32,
        node_ptr: node.ptr,
        ref_debug_id: copier.to.ref_id(handle) as i32,
        ref_desc: handle,
    });
    hold(copier, HeldObject::Handle(handle, count));
    Ok(reference(object, count, handle))
}

/// Gives the receiver a reference to `node`, and its handle.
fn offer(
    copier: &ObjectCopier<'_>,
    sender: &mut Sender<'_>,
    count: Count,
    node: &Arc<Node>,
) -> Result<u32> {
    let from = &sender.process.cred;
    security::binder_transfer_binder(from, &copier.to.cred).map_err(|_| EPERM)?;
    let to = copier.to;
    to.add_ref(node, count, Some(sender.thread), &mut sender.local.ids)
}

/// A reference of the sender becomes one of the receiver, or the receiver's own node.
fn handle(
    copier: &mut ObjectCopier<'_>,
    sender: &mut Sender<'_>,
    count: Count,
    object: &FlatObject,
) -> Result<FlatObject> {
    let process = sender.process;
    let node = process.node_to_pass(object.handle(), count)?;
    security::binder_transfer_binder(&process.cred, &copier.to.cred).map_err(|_| EPERM)?;
    if Arc::ptr_eq(&node.owner, &copier.to.peer) {
        process.return_node(object.handle(), count, &node)?;
        trace::RefToNode::trace(|| trace::RefToNode {
            debug_id: sender.id as i32,
            ref_debug_id: process.ref_id(object.handle()) as i32,
            ref_desc: object.handle(),
            node_debug_id: node.debug_id as i32,
            node_ptr: node.ptr,
        });
        let (binder, cookie) = (node.ptr, node.cookie);
        hold(copier, HeldObject::Node(node, count));
        return Ok(FlatObject {
            kind: node_kind(count),
            flags: object.flags,
            binder,
            cookie,
        });
    }
    let added = copier.to.add_ref(&node, count, None, &mut sender.local.ids);
    // Without its owner's table the node has lost the reference that was to be passed on.
    let handle = added.map_err(|err| if err == EAGAIN { EINVAL } else { err })?;
    trace::RefToRef::trace(|| trace::RefToRef {
        debug_id: sender.id as i32,
        node_debug_id: node.debug_id as i32,
        src_ref_debug_id: process.ref_id(object.handle()) as i32,
        src_ref_desc: object.handle(),
        dest_ref_debug_id: copier.to.ref_id(handle) as i32,
        dest_ref_desc: handle,
    });
    hold(copier, HeldObject::Handle(handle, count));
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
fn hold(copier: &mut ObjectCopier<'_>, object: HeldObject) {
    // There is room for one of each object.
    let _ = copier.objects.held.push_within_capacity(object);
}
