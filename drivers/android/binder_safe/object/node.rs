// SPDX-License-Identifier: GPL-2.0

//! An object that a process offers to others.

use super::process::Process;
use crate::proto::wire::FlatObject;
use kernel::sync::Arc;

/// A node: where its owner finds the object, and what senders must respect.
pub(crate) struct Node {
    pub(crate) owner: Arc<Process>,
    /// The owner's name for the object.
    pub(crate) ptr: u64,
    /// What else the owner wants to be told with each transaction.
    pub(crate) cookie: u64,
    /// `FLAT_BINDER_FLAG_*`.
    pub(crate) flags: u32,
}

impl Node {
    /// A node of `owner`, as described by `object`.
    pub(crate) fn new(owner: Arc<Process>, object: &FlatObject) -> Self {
        Self {
            owner,
            ptr: object.binder,
            cookie: object.cookie,
            flags: object.flags,
        }
    }
}
