// SPDX-License-Identifier: GPL-2.0

//! Calls, messages and replies.

use kernel::{
    prelude::*,
    task::Pid,
    trace_event, //
};

trace_event! {
    /// A message is sent: what could be wrong with its target was checked, and nothing else.
    pub(crate) struct Transaction("binder", "binder_transaction") {
        pub(crate) debug_id: i32,
        /// 0 for a reply.
        pub(crate) target_node: i32,
        pub(crate) to_proc: Pid,
        /// 0 if any thread may take it.
        pub(crate) to_thread: Pid,
        pub(crate) reply: i32,
        pub(crate) code: u32,
        pub(crate) flags: u32,
    }
    print(
        "transaction=%d dest_node=%d dest_proc=%d dest_thread=%d reply=%d flags=0x%x code=0x%x",
        debug_id, target_node, to_proc, to_thread, reply, flags, code
    )
}

trace_event! {
    /// A message was read.
    pub(crate) struct TransactionReceived("binder", "binder_transaction_received") {
        pub(crate) debug_id: i32,
    }
    print("transaction=%d", debug_id)
}

trace_event! {
    /// A message is over: read, if nobody waits for a reply, or answered, or given up.
    pub(crate) struct TxnLatencyFree("binder", "binder_txn_latency_free") {
        pub(crate) debug_id: i32,
        /// 0 if nobody waits for a reply.
        pub(crate) from_proc: Pid,
        pub(crate) from_thread: Pid,
        pub(crate) to_proc: Pid,
        /// 0 if nobody has read it.
        pub(crate) to_thread: Pid,
        pub(crate) code: u32,
        pub(crate) flags: u32,
    }
    print(
        "transaction=%d from %d:%d to %d:%d flags=0x%x code=0x%x",
        debug_id, from_proc, from_thread, to_proc, to_thread, flags, code
    )
}

trace_event! {
    /// A report is sent to those who listen to the netlink group.
    pub(crate) struct NetlinkReport<'a>("binder", "binder_netlink_report") {
        pub(crate) context: &'a CStr,
        pub(crate) error: u32,
        pub(crate) from_pid: Pid,
        pub(crate) from_tid: Pid,
        /// 0 where the report does not say.
        pub(crate) to_pid: Pid,
        pub(crate) to_tid: Pid,
        pub(crate) is_reply: bool,
        pub(crate) flags: u32,
        pub(crate) code: u32,
        pub(crate) data_size: usize,
    }
    print(
        "from %d:%d to %d:%d context=%s error=%d is_reply=%d flags=0x%x code=0x%x size=%zu",
        from_pid, from_tid, to_pid, to_tid, context, error, is_reply, flags, code, data_size
    )
}
