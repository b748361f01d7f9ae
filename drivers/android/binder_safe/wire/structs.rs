// SPDX-License-Identifier: GPL-2.0

//! The structures of the ABI, as plain bytes.
//!
//! Unions of the uapi header become their widest integer: a reader of 32 bits takes the low half,
//! as a little-endian or big-endian C reader of the union would. Each layout is compared with the
//! uapi header when the driver is built.

use core::mem::offset_of;
use kernel::{
    prelude::*,
    uapi, //
};
use zerocopy_derive::{
    Immutable,
    KnownLayout, //
};

/// Declares structures of the ABI and compares their sizes with the uapi header's.
macro_rules! wire {
    ($(
        $(#[$doc:meta])*
        $name:ident = $c:ident { $($(#[$fdoc:meta])* $field:ident: $ty:ty,)* }
    )*) => {
        $(
            $(#[$doc])*
            #[repr(C)]
            #[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
            pub(crate) struct $name {
                $($(#[$fdoc])* pub(crate) $field: $ty,)*
            }

            const _: () = assert!(size_of::<$name>() == size_of::<uapi::$c>());
        )*
    };
}

wire! {
    /// What `BINDER_WRITE_READ` takes and gives back.
    WriteRead = binder_write_read {
        /// Bytes of commands.
        write_size: u64,
        /// Bytes of commands that took effect.
        write_consumed: u64,
        /// Where the commands are.
        write_buffer: u64,
        /// Room for returns, in bytes.
        read_size: u64,
        /// Bytes of returns written.
        read_consumed: u64,
        /// Where the returns go.
        read_buffer: u64,
    }

    /// What `BINDER_VERSION` gives.
    Version = binder_version {
        /// The protocol version.
        protocol_version: i32,
    }

    /// A transaction or a reply, as a command and as a return.
    TransactionData = binder_transaction_data {
        /// A handle (command) or the node's pointer (return).
        target: u64,
        /// The node's cookie (return).
        cookie: u64,
        /// What the receiver shall do.
        code: u32,
        /// `TF_*`.
        flags: u32,
        /// The sender's thread group, in the receiver's pid namespace (return).
        sender_pid: i32,
        /// The sender's effective user, in the receiver's user namespace (return).
        sender_euid: u32,
        /// Bytes of data.
        data_size: u64,
        /// Bytes of offsets.
        offsets_size: u64,
        /// Where the data is.
        buffer: u64,
        /// Where the offsets are.
        offsets: u64,
    }

    /// A transaction or a reply with room for buffers that its objects point to.
    TransactionDataSg = binder_transaction_data_sg {
        /// The transaction itself.
        transaction_data: TransactionData,
        /// Bytes of extra room.
        buffers_size: u64,
    }

    /// A node or a reference in a message, and the node of a context manager.
    FlatObject = flat_binder_object {
        /// `BINDER_TYPE_*`.
        kind: u32,
        /// `FLAT_BINDER_FLAG_*`.
        flags: u32,
        /// The node's pointer, or a handle.
        binder: u64,
        /// The node's cookie.
        cookie: u64,
    }

    /// A buffer that a message points to.
    BufferObject = binder_buffer_object {
        /// `BINDER_TYPE_PTR`.
        kind: u32,
        /// `BINDER_BUFFER_FLAG_*`.
        flags: u32,
        /// Where the buffer is.
        buffer: u64,
        /// How many bytes it has.
        length: u64,
        /// Which object of the message is the buffer that points to this one.
        parent: u64,
        /// Where in that buffer the pointer is, in bytes.
        parent_offset: u64,
    }

    /// File descriptors in a buffer that a message points to.
    FdArrayObject = binder_fd_array_object {
        /// `BINDER_TYPE_FDA`.
        kind: u32,
        /// Nothing.
        pad: u32,
        /// How many there are.
        num_fds: u64,
        /// Which object of the message is the buffer that holds them.
        parent: u64,
        /// Where in that buffer they begin, in bytes.
        parent_offset: u64,
    }

    /// A node, as its owner knows it.
    PtrCookie = binder_ptr_cookie {
        /// The pointer.
        ptr: u64,
        /// The cookie.
        cookie: u64,
    }

    /// What `BINDER_GET_NODE_DEBUG_INFO` takes and gives.
    NodeDebugInfo = binder_node_debug_info {
        /// The pointer of the node; the next one is asked for.
        ptr: u64,
        /// The cookie.
        cookie: u64,
        /// Whether the owner was told of strong references.
        has_strong_ref: u32,
        /// Whether the owner was told of weak references.
        has_weak_ref: u32,
    }

    /// What `BINDER_GET_NODE_INFO_FOR_REF` takes and gives.
    NodeInfoForRef = binder_node_info_for_ref {
        /// A handle of the manager.
        handle: u32,
        /// How many processes have strong references.
        strong_count: u32,
        /// How many weak references there are.
        weak_count: u32,
        /// 0
        reserved1: u32,
        /// 0
        reserved2: u32,
        /// 0
        reserved3: u32,
    }

    /// A transaction whose sender's security context follows its data.
    TransactionDataSecctx = binder_transaction_data_secctx {
        /// The transaction itself.
        transaction_data: TransactionData,
        /// Where the context is.
        secctx: u64,
    }

    /// Whether the owner of a node is frozen.
    FrozenState = binder_frozen_state_info {
        /// What the subscriber calls the node.
        cookie: u64,
        /// 1 or 0
        is_frozen: u32,
        /// 0
        reserved: u32,
    }

    /// What `BINDER_FREEZE` takes.
    FreezeInfo = binder_freeze_info {
        /// The thread group.
        pid: u32,
        /// Freeze or thaw.
        enable: u32,
        /// How long to wait for what is under way, in milliseconds.
        timeout_ms: u32,
    }

    /// What `BINDER_GET_FROZEN_INFO` takes and gives.
    FrozenStatus = binder_frozen_status_info {
        /// The thread group.
        pid: u32,
        /// Bit 0: a call came since; bit 1: calls are under way.
        sync_recv: u32,
        /// A oneway message came since.
        async_recv: u32,
    }

    /// What `BINDER_GET_EXTENDED_ERROR` gives.
    ExtendedError = binder_extended_error {
        /// The transaction that failed.
        id: u32,
        /// The return that told of it.
        command: u32,
        /// A negative errno, or 0.
        param: i32,
    }
}

const _: () = {
    assert!(offset_of!(TransactionData, code) == offset_of!(uapi::binder_transaction_data, code));
    assert!(
        offset_of!(TransactionData, sender_pid)
            == offset_of!(uapi::binder_transaction_data, sender_pid)
    );
    assert!(
        offset_of!(TransactionData, offsets_size)
            == offset_of!(uapi::binder_transaction_data, offsets_size)
    );
    assert!(offset_of!(TransactionData, buffer) == offset_of!(uapi::binder_transaction_data, data));
    assert!(offset_of!(FlatObject, cookie) == offset_of!(uapi::flat_binder_object, cookie));
    assert!(
        offset_of!(WriteRead, read_consumed) == offset_of!(uapi::binder_write_read, read_consumed)
    );
};

impl TransactionData {
    /// The handle that a command names.
    ///
    /// The union's 32-bit member sits in its first bytes, whatever the byte order.
    pub(crate) fn handle(&self) -> u32 {
        low_half(self.target)
    }

    /// Whether the sender expects no reply.
    pub(crate) fn is_oneway(&self) -> bool {
        self.flags & uapi::transaction_flags_TF_ONE_WAY != 0
    }
}

impl ExtendedError {
    /// Nothing has failed.
    pub(crate) const fn none() -> Self {
        Self::accepted(0)
    }

    /// Transaction `id` has not failed.
    pub(crate) const fn accepted(id: u32) -> Self {
        Self {
            id,
            command: uapi::binder_driver_return_protocol_BR_OK,
            param: 0,
        }
    }
}

/// The 32-bit member of an eight-byte union: its first four bytes in memory order.
pub(crate) fn low_half(word: u64) -> u32 {
    let [a, b, c, d, ..] = word.to_ne_bytes();
    u32::from_ne_bytes([a, b, c, d])
}
