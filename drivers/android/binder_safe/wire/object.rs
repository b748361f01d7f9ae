// SPDX-License-Identifier: GPL-2.0

//! The objects in a message.

use super::structs::{
    low_half,
    BufferObject,
    FdArrayObject,
    FlatObject, //
};
use kernel::{
    prelude::*,
    uapi, //
};

/// The largest object, in bytes.
pub(crate) const MAX_SIZE: usize = size_of::<BufferObject>();

/// Which of the two counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// Keeps the object alive.
    Strong,
    /// Keeps the identity of the object.
    Weak,
}

/// An object, as its sender wrote it.
pub(crate) enum Object {
    /// `BINDER_TYPE_BINDER`, `BINDER_TYPE_WEAK_BINDER`: a node of the sender.
    Node(Count, FlatObject),
    /// `BINDER_TYPE_HANDLE`, `BINDER_TYPE_WEAK_HANDLE`: a reference of the sender.
    Handle(Count, FlatObject),
    /// `BINDER_TYPE_FD`: a file descriptor of the sender.
    File(FlatObject),
    /// `BINDER_TYPE_FDA`: file descriptors within an earlier buffer.
    Files(FdArrayObject),
    /// `BINDER_TYPE_PTR`: a buffer outside of the message.
    Pointer(BufferObject),
}

impl Object {
    /// Decodes the object that `bytes` begin with, and gives its size in bytes.
    ///
    /// Fails with `EINVAL` if there is none.
    pub(crate) fn parse(bytes: &[u8]) -> Result<(Self, usize)> {
        Ok(match read::<u32>(bytes)? {
            uapi::BINDER_TYPE_BINDER => Self::node(Count::Strong, bytes)?,
            uapi::BINDER_TYPE_WEAK_BINDER => Self::node(Count::Weak, bytes)?,
            uapi::BINDER_TYPE_HANDLE => Self::reference(Count::Strong, bytes)?,
            uapi::BINDER_TYPE_WEAK_HANDLE => Self::reference(Count::Weak, bytes)?,
            uapi::BINDER_TYPE_FD => (Self::File(read(bytes)?), size_of::<FlatObject>()),
            uapi::BINDER_TYPE_FDA => (Self::Files(read(bytes)?), size_of::<FdArrayObject>()),
            uapi::BINDER_TYPE_PTR => (Self::Pointer(read(bytes)?), size_of::<BufferObject>()),
            _ => return Err(EINVAL),
        })
    }

    fn node(count: Count, bytes: &[u8]) -> Result<(Self, usize)> {
        Ok((Self::Node(count, read(bytes)?), size_of::<FlatObject>()))
    }

    fn reference(count: Count, bytes: &[u8]) -> Result<(Self, usize)> {
        Ok((Self::Handle(count, read(bytes)?), size_of::<FlatObject>()))
    }
}

fn read<T: FromBytes>(bytes: &[u8]) -> Result<T> {
    let bytes = bytes.get(..size_of::<T>()).ok_or(EINVAL)?;
    T::read_from_bytes(bytes).map_err(|_| EINVAL)
}

/// The type of a strong or weak object that is a node to its receiver.
pub(crate) fn node_kind(count: Count) -> u32 {
    match count {
        Count::Strong => uapi::BINDER_TYPE_BINDER,
        Count::Weak => uapi::BINDER_TYPE_WEAK_BINDER,
    }
}

/// The type of a strong or weak object that is a reference to its receiver.
pub(crate) fn handle_kind(count: Count) -> u32 {
    match count {
        Count::Strong => uapi::BINDER_TYPE_HANDLE,
        Count::Weak => uapi::BINDER_TYPE_WEAK_HANDLE,
    }
}

impl FlatObject {
    /// The handle, or the file descriptor, in the object.
    pub(crate) fn handle(&self) -> u32 {
        low_half(self.binder)
    }
}
