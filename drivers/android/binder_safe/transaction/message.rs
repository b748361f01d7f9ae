// SPDX-License-Identifier: GPL-2.0

//! A message on its way: who sends it to whom, and how its parts lie.

use super::contents::PART_ALIGN;
use crate::{
    memory::area::Kind,
    process::{
        node::NodePin,
        Process, //
    },
    thread::{
        local::Local,
        Thread, //
    },
    wire::structs::TransactionDataSg, //
};
use kernel::{
    fs::file::IoctlFile,
    prelude::*,
    sync::Arc, //
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
    pub(super) len: usize,
}

impl Layout {
    /// Fails with `EINVAL` if the sizes make no sense.
    pub(super) fn new(message: &TransactionDataSg, context_size: usize) -> Result<Self> {
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
