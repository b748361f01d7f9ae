// SPDX-License-Identifier: GPL-2.0

//! Nice values that follow calls.
//!
//! A thread that handles a call runs as its caller does, or better if the node asks for it, and
//! goes back to its own nice value when it has replied. A free thread runs as its process was
//! opened.

use crate::{
    process::{
        node::Node,
        Process, //
    },
    transaction::Transaction, //
};
use kernel::{
    prelude::*,
    sync::atomic::Relaxed,
    uapi, //
};

/// The current task is about to handle `transaction`.
pub(crate) fn adopt(transaction: &Transaction) {
    let own = current!().nice();
    let least = least(&transaction.node);
    if transaction.is_oneway() {
        if own > least {
            set(least);
        }
        return;
    }
    transaction.saved_nice.store(own, Relaxed);
    set(transaction.nice.min(least));
}

/// The current task has replied to `call`.
pub(crate) fn restore(call: &Transaction) {
    set(call.saved_nice.load(Relaxed));
}

/// The current task is about to wait for work of `process`, if it is free to do so.
pub(crate) fn reset(process: &Process, is_free: impl FnOnce() -> bool) {
    if current!().nice() != process.nice && is_free() {
        set(process.nice);
    }
}

/// The worst nice value with which the owner of `node` wants to be called.
fn least(node: &Node) -> i32 {
    (node.flags & uapi::flat_binder_object_flags_FLAT_BINDER_FLAG_PRIORITY_MASK) as i32
}

/// Sets the nice value of the current task, as far as it may.
fn set(nice: i32) {
    if current!().nice() != nice {
        current!().set_nice_capped(nice);
    }
}
