// SPDX-License-Identifier: GPL-2.0

//! One transaction or reply on its way from the command to its result, as history, the kernel log
//! and netlink tell of it.

use super::{
    failure::Failure,
    message::Sender, //
};
use crate::{
    diag::{
        history::{
            Call,
            Record, //
        },
        messages,
        report::{
            has_listeners,
            Report, //
        },
        trace, //
    },
    process::{
        node::Node,
        Process, //
    },
    thread::Thread,
    wire::structs::{
        ExtendedError,
        TransactionData, //
    }, //
};
use kernel::{
    prelude::*,
    sync::Arc,
    task::Pid, //
};

/// A command to send something, and the receiver as far as it became known.
pub(super) struct Dispatch<'a> {
    pub(super) id: u32,
    call: Call,
    process: &'a Process,
    thread: &'a Arc<Thread>,
    pub(super) data: &'a TransactionData,
    to_pid: Option<Pid>,
    to_tid: Option<Pid>,
    /// The id of the node, or 0.
    node: u32,
}

impl<'a> Dispatch<'a> {
    /// The command of the current thread to send `data`. The thread has no extended error any more.
    pub(super) fn new<'b: 'a>(
        sender: &mut Sender<'b>,
        call: Call,
        data: &'a TransactionData,
    ) -> Self {
        sender.id = sender.local.ids.next();
        sender.local.extended_error = ExtendedError::accepted(sender.id);
        Self {
            id: sender.id,
            call,
            process: sender.process,
            thread: sender.thread,
            data,
            to_pid: None,
            to_tid: None,
            node: 0,
        }
    }

    /// It goes to that thread of another process, or to any.
    pub(super) fn set_receiver(&mut self, pid: Pid, tid: Option<Pid>) {
        self.to_pid = Some(pid);
        self.to_tid = tid;
    }

    /// It goes to that node.
    pub(super) fn set_node(&mut self, node: &Node) {
        self.to_pid = Some(node.owner.pid);
        self.node = node.debug_id;
    }

    /// Traces that it is about to be copied.
    pub(super) fn trace(&self) {
        trace::Transaction::trace(|| trace::Transaction {
            debug_id: self.id as i32,
            target_node: self.node as i32,
            to_proc: self.to_pid.unwrap_or(0),
            to_thread: self.to_tid.unwrap_or(0),
            reply: i32::from(self.call == Call::Reply),
            code: self.data.code,
            flags: self.data.flags,
        });
    }

    /// Keeps for history what became of it, and tells of a failure.
    #[inline(always)]
    pub(super) fn finish(&self, result: Result<(), Failure>) {
        let error = result.err().map_or((0, 0), |err| (err.command, err.param));
        let record = Record {
            call: self.call,
            debug_id: self.id,
            from: self.thread.who(),
            to: self.to(),
            context: self.process.context.id(),
            node: self.node,
            handle: self.data.handle(),
            data_size: self.data.data_size as u32,
            offsets_size: self.data.offsets_size as u32,
            error,
        };
        record.keep();
        if let Err(failure) = result {
            self.explain(failure);
        }
    }

    fn to(&self) -> (Pid, Pid) {
        (self.to_pid.unwrap_or(0), self.to_tid.unwrap_or(0))
    }

    /// Prints who could not send what to whom, and reports it to netlink.
    #[cold]
    fn explain(&self, failure: Failure) {
        let kind = match self.call {
            Call::TwoWay => "call",
            Call::Oneway => "async",
            Call::Reply => "reply",
        };
        let (id, to) = (self.id, self.to());
        let what = fmt!(
            "{kind} {id} to {}:{} failed: {}/{}, handle {} code {} size {}-{}",
            to.0,
            to.1,
            failure.command,
            failure.param,
            self.data.handle(),
            self.data.code,
            self.data.data_size,
            self.data.offsets_size
        );
        messages::About::Failure.tell(self.thread.who(), what);
        if failure.is_user_error() {
            messages::user_error(self.thread.who(), fmt!("made an error in {kind} {id}"));
        }
        self.report(failure.command);
    }

    /// Reports to netlink that it ended with return `error`.
    pub(super) fn report(&self, error: u32) {
        if !has_listeners() {
            return;
        }
        let report = Report {
            error,
            context: &self.process.context.name,
            from_pid: self.process.pid,
            from_tid: self.thread.tid,
            to_pid: self.to_pid,
            to_tid: self.to_tid,
            is_reply: self.call == Call::Reply,
            flags: self.data.flags,
            code: self.data.code,
            data_size: self.data.data_size,
        };
        report.send();
    }
}
