// SPDX-License-Identifier: GPL-2.0

//! What becomes of the objects of a message.

use kernel::trace_event;

trace_event! {
    /// A node of the sender becomes a reference of the receiver.
    pub(crate) struct NodeToRef("binder", "binder_transaction_node_to_ref") {
        pub(crate) debug_id: i32,
        pub(crate) node_debug_id: i32,
        pub(crate) node_ptr: u64,
        pub(crate) ref_debug_id: i32,
        pub(crate) ref_desc: u32,
    }
    print(
        "transaction=%d node=%d src_ptr=0x%016llx ==> dest_ref=%d dest_desc=%d",
        debug_id, node_debug_id, node_ptr, ref_debug_id, ref_desc
    )
}

trace_event! {
    /// A reference of the sender becomes the node of the receiver that it names.
    pub(crate) struct RefToNode("binder", "binder_transaction_ref_to_node") {
        pub(crate) debug_id: i32,
        pub(crate) ref_debug_id: i32,
        pub(crate) ref_desc: u32,
        pub(crate) node_debug_id: i32,
        pub(crate) node_ptr: u64,
    }
    print(
        "transaction=%d node=%d src_ref=%d src_desc=%d ==> dest_ptr=0x%016llx",
        debug_id, node_debug_id, ref_debug_id, ref_desc, node_ptr
    )
}

trace_event! {
    /// A reference of the sender becomes one of the receiver.
    pub(crate) struct RefToRef("binder", "binder_transaction_ref_to_ref") {
        pub(crate) debug_id: i32,
        pub(crate) node_debug_id: i32,
        pub(crate) src_ref_debug_id: i32,
        pub(crate) src_ref_desc: u32,
        pub(crate) dest_ref_debug_id: i32,
        pub(crate) dest_ref_desc: u32,
    }
    print(
        "transaction=%d node=%d src_ref=%d src_desc=%d ==> dest_ref=%d dest_desc=%d",
        debug_id, node_debug_id, src_ref_debug_id, src_ref_desc, dest_ref_debug_id, dest_ref_desc
    )
}

trace_event! {
    /// A file of the sender is sent.
    pub(crate) struct FdSend("binder", "binder_transaction_fd_send") {
        pub(crate) debug_id: i32,
        pub(crate) fd: i32,
        /// Where its number stands in the message's buffer.
        pub(crate) offset: usize,
    }
    print("transaction=%d src_fd=%d offset=%zu", debug_id, fd, offset)
}

trace_event! {
    /// A file got its number at the receiver.
    pub(crate) struct FdRecv("binder", "binder_transaction_fd_recv") {
        pub(crate) debug_id: i32,
        pub(crate) fd: i32,
        /// Where its number stands in the message's buffer.
        pub(crate) offset: usize,
    }
    print("transaction=%d dest_fd=%d offset=%zu", debug_id, fd, offset)
}
