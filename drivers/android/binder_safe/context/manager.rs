// SPDX-License-Identifier: GPL-2.0

//! Becoming the manager of a context, which everybody reaches at handle 0.

use crate::{
    diag::ids::Ids,
    process::Process,
    wire::structs::FlatObject, //
};
use kernel::{
    prelude::*,
    security, //
};

/// Makes a node of `process`, as described by `object`, the node of the manager.
///
/// Fails with `EBUSY` if there is a manager, and with `EPERM` if the caller may not be it.
pub(crate) fn become_manager(process: &Process, object: &FlatObject) -> Result {
    process.context.may_become_manager()?;
    security::binder_set_context_mgr(&process.cred)?;
    loop {
        let node = process.node_for(object, &mut Ids::new())?;
        match process.context.set_manager(node.clone()) {
            Err(err) if err == EAGAIN => {}
            result => return result.inspect_err(|_| node.give_up()),
        }
    }
}
