// SPDX-License-Identifier: GPL-2.0

//! Copying a message from its sender into the area of its receiver.

use crate::{
    object::{
        error::Failure,
        node::Node,
        transaction::{
            Contents,
            Parcel,
            Payload, //
        },
    },
    proto::wire::TransactionDataSg,
    res::area::{
        Area,
        Kind, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc,
    uaccess::UserSlice,
    uapi, //
};

/// The parts of a message, each padded to this many bytes.
const PART_ALIGN: usize = size_of::<u64>();

/// Where the parts of a message lie in its buffer, in bytes.
struct Layout {
    data_size: usize,
    offsets_at: usize,
    offsets_size: usize,
    len: usize,
}

impl Layout {
    /// Fails with `EINVAL` if the sizes make no sense.
    fn new(message: &TransactionDataSg) -> Result<Self> {
        let data = &message.transaction_data;
        let data_size = usize::try_from(data.data_size)?;
        let offsets_size = usize::try_from(data.offsets_size)?;
        let extra_size = usize::try_from(message.buffers_size)?;
        let offsets_at = data_size
            .checked_next_multiple_of(PART_ALIGN)
            .ok_or(EINVAL)?;
        let extra_at = offsets_size
            .checked_next_multiple_of(PART_ALIGN)
            .and_then(|size| offsets_at.checked_add(size))
            .ok_or(EINVAL)?;
        let len = extra_size
            .checked_next_multiple_of(PART_ALIGN)
            .and_then(|size| extra_at.checked_add(size))
            .ok_or(EINVAL)?;
        Ok(Self {
            data_size,
            offsets_at,
            offsets_size,
            len,
        })
    }
}

/// Copies the message that the current task sends, to `node` or as a reply, into `area`.
pub(crate) fn copy(
    area: &Arc<Area<Contents>>,
    message: &TransactionDataSg,
    kind: Kind,
    node: Option<Arc<Node>>,
) -> Result<Parcel, Failure> {
    let layout = Layout::new(message)?;
    let data = &message.transaction_data;
    let mut buffer = area.reserve(layout.len, kind)?;
    if data.flags & uapi::transaction_flags_TF_CLEAR_BUF != 0 {
        buffer.clear_on_drop();
    }
    if layout.offsets_size > 0 {
        // Messages with objects in them are not carried yet.
        return Err(Failure::failed(EINVAL));
    }
    let mut reader = UserSlice::new(user_ptr(data.buffer), layout.data_size).reader();
    buffer
        .copy_from_user(0, &mut reader, layout.data_size)
        .map_err(Failure::failed)?;
    Ok(Parcel::new(Payload {
        buffer,
        contents: Contents { _node: node },
        data_size: data.data_size,
        offsets_size: data.offsets_size,
        offsets_at: layout.offsets_at as u64,
    }))
}

/// The address that a 64-bit field of the ABI holds.
///
/// Addresses that do not fit become one that nothing is mapped at.
pub(crate) fn user_ptr(address: u64) -> UserPtr {
    UserPtr::from_addr(usize::try_from(address).unwrap_or(usize::MAX))
}
