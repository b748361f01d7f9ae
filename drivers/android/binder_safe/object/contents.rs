// SPDX-License-Identifier: GPL-2.0

//! What a message holds besides bytes, and what becomes of it when the message ends.

use super::{
    node::{
        Node,
        NodePin, //
    },
    process::Process,
};
use crate::{
    proto::object::Count,
    res::buffer::Buffer, //
};
use kernel::{
    fs::{
        file::close_fd_deferred,
        File, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        Arc,
        ExclusiveCell, //
    }, //
};

/// What a buffer holds until its owner frees it.
pub(crate) struct Contents {
    /// The node that a transaction was sent to lives until the transaction's buffer is freed.
    pub(crate) target: Option<NodePin>,
    /// The next oneway message to the node waits for this one.
    pub(crate) is_oneway: bool,
    pub(crate) objects: KVVec<HeldObject>,
    /// File descriptors that are closed with the buffer.
    pub(crate) to_close: KVVec<u32>,
}

/// An object whose count the message holds.
pub(crate) enum HeldObject {
    /// A node that came back to its owner.
    Node(Arc<Node>, Count),
    /// A reference of the receiver.
    Handle(u32, Count),
}

/// A file on its way.
pub(crate) struct SentFile {
    pub(crate) file: ARef<File>,
    /// Where the number goes that it gets at the receiver, in bytes from the start of the buffer.
    pub(crate) offset: usize,
    /// It is closed with the buffer.
    pub(crate) is_closed_with_buffer: bool,
}

/// A buffer, what it holds, and how its bytes are divided.
pub(crate) struct Payload {
    /// Whose area the buffer is in.
    pub(crate) to: Arc<Process>,
    pub(crate) buffer: Option<Buffer<Contents>>,
    pub(crate) contents: Contents,
    pub(crate) files: KVVec<SentFile>,
    pub(crate) data_size: u64,
    pub(crate) offsets_size: u64,
    /// Bytes from the start of the buffer to the offsets.
    pub(crate) offsets_at: u64,
    /// Bytes from the start of the buffer to the security context of the sender.
    pub(crate) security_context_at: Option<u64>,
}

impl Contents {
    /// Nothing yet.
    pub(crate) const fn new(target: Option<NodePin>, is_oneway: bool) -> Self {
        Self {
            target,
            is_oneway,
            objects: KVVec::new(),
            to_close: KVVec::new(),
        }
    }

    /// Gives back the counts that the message held in `process`, whose area it was in.
    pub(crate) fn release_objects(&mut self, process: &Process) {
        while let Some(object) = self.objects.pop() {
            match object {
                HeldObject::Node(node, count) => node.release_local(count),
                HeldObject::Handle(handle, count) => {
                    process.remove_count(handle, count);
                }
            }
        }
    }

    /// Closes file descriptors of the current task, once it returns to user space.
    ///
    /// Returns whether there were any.
    pub(crate) fn close_files(&mut self) -> bool {
        let had_any = !self.to_close.is_empty();
        while let Some(fd) = self.to_close.pop() {
            // The task may have closed it itself.
            let _ = close_fd_deferred(fd);
        }
        had_any
    }
}

impl Payload {
    /// The owner of the area has the message from now on, and frees it when it likes.
    pub(crate) fn hand_over(mut self) {
        let contents = core::mem::replace(&mut self.contents, Contents::new(None, false));
        if let Some(buffer) = self.buffer.take() {
            buffer.hand_over(contents);
        }
    }

    /// Where the owner of the area sees the message.
    pub(crate) fn address(&self) -> u64 {
        self.buffer.as_ref().map_or(0, Buffer::address)
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.contents.release_objects(&self.to);
    }
}

/// The payload of a message, which whoever delivers the message takes out.
///
/// If nobody does, it ends with the message.
pub(crate) struct Parcel(ExclusiveCell<Option<Payload>>);

impl Parcel {
    /// Wraps up a payload.
    pub(crate) fn new(payload: Payload) -> Self {
        Self(ExclusiveCell::new(Some(payload)))
    }

    /// Takes the payload out. Only the first one gets it.
    pub(crate) fn take(&self) -> Option<Payload> {
        self.0.try_borrow_mut()?.take()
    }
}
