// SPDX-License-Identifier: GPL-2.0

//! What a message holds besides bytes, and what becomes of it when the message ends.

use crate::{
    collections::ranges::BufferInfo,
    memory::buffer::Buffer,
    process::{
        node::{
            Node,
            NodePin, //
        },
        Process, //
    },
    wire::object::Count, //
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
        ExclusiveCell,
        ExclusiveGuard, //
    }, //
};

/// The parts of a message, each padded to this many bytes.
pub(crate) const PART_ALIGN: usize = size_of::<u64>();

/// What a buffer holds until its owner frees it.
pub(crate) struct Contents {
    /// The node that a transaction was sent to lives until the transaction's buffer is freed.
    pub(crate) target: Option<NodePin>,
    /// Most messages have no objects, and cost no memory for them.
    pub(crate) objects: Option<KBox<Objects>>,
}

/// What the objects of a message hold.
pub(crate) struct Objects {
    /// Whose area the message is in.
    to: Arc<Process>,
    pub(crate) held: KVVec<HeldObject>,
    /// Files that the receiver has not got yet.
    pub(crate) files: KVVec<SentFile>,
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
    pub(crate) buffer: Buffer<Contents>,
    pub(crate) contents: Contents,
    pub(crate) data_size: u32,
    pub(crate) offsets_size: u32,
    /// Bytes from the start of the buffer to the security context of the sender.
    pub(crate) security_context_at: Option<u32>,
}

impl Contents {
    /// Closes file descriptors of the current task, once it returns to user space.
    ///
    /// Returns whether there were any.
    pub(crate) fn close_files(&mut self) -> bool {
        let Some(objects) = &mut self.objects else {
            return false;
        };
        let had_any = !objects.to_close.is_empty();
        while let Some(fd) = objects.to_close.pop() {
            // The task may have closed it itself.
            let _ = close_fd_deferred(fd);
        }
        had_any
    }
}

impl Objects {
    /// Room for `count` objects of a message to `to`.
    pub(crate) fn new(to: Arc<Process>, count: usize) -> Result<KBox<Self>> {
        let objects = Self {
            to,
            held: KVVec::with_capacity(count, GFP_KERNEL_ACCOUNT)?,
            files: KVVec::new(),
            to_close: KVVec::new(),
        };
        Ok(KBox::new(objects, GFP_KERNEL_ACCOUNT)?)
    }
}

impl Drop for Objects {
    /// Gives back the counts that the message held.
    fn drop(&mut self) {
        while let Some(object) = self.held.pop() {
            match object {
                HeldObject::Node(node, count) => node.release_local(count),
                HeldObject::Handle(handle, count) => {
                    self.to.remove_count(handle, count);
                }
            }
        }
    }
}

impl Payload {
    /// The owner of the area has the message from now on, and frees it when it likes.
    pub(crate) fn hand_over(&mut self) {
        let contents = Contents {
            target: self.contents.target.take(),
            objects: self.contents.objects.take(),
        };
        self.buffer.hand_over(contents);
    }

    /// Where the owner of the area sees the message.
    pub(crate) fn address(&self) -> u64 {
        self.buffer.address()
    }

    /// Bytes from the start of the buffer to the offsets.
    pub(crate) fn offsets_at(&self) -> u64 {
        u64::from(self.data_size).next_multiple_of(PART_ALIGN as u64)
    }
}

/// The payload of a message, from when it is sent to when it is delivered.
///
/// If nobody delivers it, it ends with the message.
pub(crate) struct PayloadCell(ExclusiveCell<Option<Payload>>);

impl PayloadCell {
    /// A cell with nothing in it yet.
    pub(crate) const fn new() -> Self {
        Self(ExclusiveCell::new(None))
    }

    /// Puts a payload in. Nobody opens the cell of a message that was not sent yet.
    pub(crate) fn fill(&self, payload: Payload) {
        if let Some(mut cell) = self.open() {
            *cell = Some(payload);
        }
    }

    /// What events call its buffer, if nobody took it out.
    pub(crate) fn label(&self) -> BufferInfo {
        match self.open().as_deref() {
            Some(Some(payload)) => payload.buffer.label(),
            _ => BufferInfo::default(),
        }
    }

    /// Opens the cell, in which there may be nothing. Only one task can have it open.
    pub(crate) fn open(&self) -> Option<ExclusiveGuard<'_, Option<Payload>>> {
        self.0.try_borrow_mut()
    }
}
