// SPDX-License-Identifier: GPL-2.0

//! `BC_FREE_BUFFER`: the receiver of a message is done with it.

use crate::object::process::Process;

/// Frees the buffer at `address`. Any other address is ignored, since it may be somebody's guess at
/// where the next message will be.
pub(crate) fn free(process: &Process, address: u64) {
    drop(process.area.take(address));
}
