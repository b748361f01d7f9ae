// SPDX-License-Identifier: GPL-2.0

//! Commands and ioctls about references and nodes.
//!
//! A command about a handle or a node that is not there is ignored: user space releases what it
//! knows of, and may be late.

use super::Process;
use crate::{
    diag::ids::Ids,
    wire::{
        object::Count,
        structs::{
            NodeDebugInfo,
            NodeInfoForRef,
            PtrCookie, //
        }, //
    }, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// `BC_ACQUIRE`, `BC_INCREFS`: one more reference.
///
/// Handle 0 can be had by asking for it, as long as there is a manager. The manager itself cannot
/// refer to itself: that fails with `EINVAL`. Returns whether there is such a handle.
pub(crate) fn add(process: &Process, handle: u32, count: Count, ids: &mut Ids) -> Result<bool> {
    if handle == 0 {
        if let Some(manager) = process.context.manager() {
            if Arc::ptr_eq(&manager.owner, &process.peer) {
                return Err(EINVAL);
            }
            process.add_ref(&manager, count, None, ids)?;
            return Ok(true);
        }
    }
    Ok(process.add_count(handle, count))
}

/// `BC_RELEASE`, `BC_DECREFS`: one reference less. Returns whether there was one.
pub(crate) fn remove(process: &Process, handle: u32, count: Count) -> bool {
    process.remove_count(handle, count)
}

/// `BC_ACQUIRE_DONE`, `BC_INCREFS_DONE`: the owner of a node knows that it is referred to.
///
/// Returns whether it had been told so.
pub(crate) fn confirm(process: &Process, node: &PtrCookie, count: Count) -> bool {
    process.confirm(node.ptr, node.cookie, count)
}

/// `BINDER_GET_NODE_DEBUG_INFO`: the first node of the process above `ptr`, or zeroes.
pub(crate) fn debug_info(process: &Process, ptr: u64) -> NodeDebugInfo {
    let queue = process.queue.lock();
    let Some(node) = queue.node_after(ptr) else {
        return NodeDebugInfo::default();
    };
    let counts = &node.state_ref(&queue).counts;
    NodeDebugInfo {
        ptr: node.ptr,
        cookie: node.cookie,
        has_strong_ref: counts.has(Count::Strong).into(),
        has_weak_ref: counts.has(Count::Weak).into(),
    }
}

/// `BINDER_GET_NODE_INFO_FOR_REF`: tells the manager how often a node is referred to.
///
/// Fails with `EINVAL` for anything but a handle, and with `EPERM` for anybody else.
pub(crate) fn info_for_ref(process: &Process, info: &NodeInfoForRef) -> Result<NodeInfoForRef> {
    let asked = NodeInfoForRef {
        handle: info.handle,
        ..NodeInfoForRef::default()
    };
    if info.as_bytes() != asked.as_bytes() {
        return Err(EINVAL);
    }
    let manager = process.context.manager().ok_or(EPERM)?;
    if !Arc::ptr_eq(&manager.owner, &process.peer) {
        return Err(EPERM);
    }
    let node = process.node_to_pass(info.handle, Count::Strong)?;
    let queue = node.owner.queue.lock();
    let counts = node.state_ref(&queue).counts;
    drop(queue);
    Ok(NodeInfoForRef {
        strong_count: node.strong_outside() + counts.local(Count::Strong),
        weak_count: counts.local(Count::Weak),
        ..asked
    })
}
