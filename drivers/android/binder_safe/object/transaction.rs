// SPDX-License-Identifier: GPL-2.0

//! Messages on their way, and calls until their outcome is known.

use super::{
    contents::Parcel,
    error::Failure,
    node::Node,
    process::Process,
    thread::Thread, //
};
use crate::{
    diag::{
        objects::Counted,
        trace, //
    },
    proto::wire::ExtendedError, //
};
use kernel::{
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        SetOnce, //
    },
    task::{
        Kuid,
        Pid, //
    },
    uapi, //
};

/// A call or a oneway message.
///
/// The caller of a call keeps it on its stack until it has read the outcome; who handles it, until
/// it has replied.
pub(crate) struct Transaction {
    pub(crate) debug_id: u32,
    pub(crate) counted: Counted,
    /// When it was sent, in jiffies.
    pub(crate) start: u64,
    /// Where its buffer begins in the area of the receiver.
    pub(crate) offset: Atomic<u32>,
    pub(crate) code: u32,
    pub(crate) flags: u32,
    /// Who waits for the outcome; nobody does if this is a oneway message.
    pub(crate) from: Option<Arc<Thread>>,
    /// The call that the caller was handling when it made this one.
    pub(crate) parent: Option<Arc<Transaction>>,
    pub(crate) node: Arc<Node>,
    pub(crate) euid: Kuid,
    /// The thread group that sent it.
    pub(crate) sender: Pid,
    pub(crate) sender_tid: Pid,
    /// The thread that handles it, or 0.
    pub(crate) handler: Atomic<Pid>,
    /// The nice value of the sender.
    pub(crate) nice: i32,
    /// The nice value that the thread which handles the call had before.
    pub(crate) saved_nice: Atomic<i32>,
    pub(crate) request: Parcel,
    /// What the outcome comes with if it is a reply.
    pub(crate) reply: Parcel,
    /// It counts as outstanding at the owner of the node.
    pub(crate) is_outstanding: Atomic<bool>,
    /// How the call ended. It ends once.
    pub(crate) outcome: SetOnce<Outcome>,
}

/// How a call ended.
pub(crate) enum Outcome {
    /// It was answered.
    Reply(Reply),
    /// It was not.
    Failure(Unanswered),
}

/// What the caller of a call that was not answered is told.
pub(crate) struct Unanswered {
    /// The return it reads.
    pub(crate) command: u32,
    /// What it learns when it asks for more, if its own call or the reply to it was at fault.
    pub(crate) report: Option<ExtendedError>,
}

impl Outcome {
    /// Whoever was to answer died.
    pub(crate) const DIED: Self = Self::Failure(Unanswered {
        command: uapi::binder_driver_return_protocol_BR_DEAD_REPLY,
        report: None,
    });

    /// Whoever was to answer could not read the call.
    pub(crate) const UNREADABLE: Self = Self::Failure(Unanswered {
        command: uapi::binder_driver_return_protocol_BR_FAILED_REPLY,
        report: None,
    });

    /// Reply `debug_id` failed.
    pub(crate) fn failed(debug_id: u32, failure: Failure) -> Self {
        Self::Failure(Unanswered {
            command: failure.command,
            report: Some(ExtendedError {
                id: debug_id,
                command: failure.command,
                param: failure.param,
            }),
        })
    }
}

/// The answer to a call, besides its payload.
pub(crate) struct Reply {
    pub(crate) debug_id: u32,
    /// When it was sent, in jiffies.
    pub(crate) start: u64,
    /// Where its buffer begins in the area of the caller.
    pub(crate) offset: u32,
    pub(crate) code: u32,
    pub(crate) flags: u32,
    pub(crate) euid: Kuid,
}

impl Transaction {
    /// Whether nobody waits for an outcome.
    pub(crate) fn is_oneway(&self) -> bool {
        self.flags & uapi::transaction_flags_TF_ONE_WAY != 0
    }

    /// The owner of the node has dealt with it.
    pub(crate) fn conclude(&self) {
        if self.is_outstanding.load(Relaxed) && self.is_outstanding.xchg(false, Relaxed) {
            self.node.owner.conclude();
        }
    }

    /// Whether this message takes the place of `older`, which its receiver has not seen.
    ///
    /// C: `binder_can_update_transaction()`
    pub(crate) fn supersedes(&self, older: &Self) -> bool {
        let both = uapi::transaction_flags_TF_ONE_WAY | uapi::transaction_flags_TF_UPDATE_TXN;
        self.flags & both == both
            && (self.flags, self.code, self.sender) == (older.flags, older.code, older.sender)
    }

    /// Whether the call ended with a reply.
    pub(crate) fn is_answered(&self) -> bool {
        matches!(self.outcome.as_ref(), Some(Outcome::Reply(_)))
    }

    /// The thread group that waits for the outcome, as the current task knows it, or 0.
    pub(crate) fn sender_pid(&self) -> Pid {
        match &self.from {
            Some(from) if !from.is_dead() => from.process.task.tgid_nr_ns(None),
            _ => 0,
        }
    }

    /// Whether `thread` made this call.
    pub(crate) fn is_from(&self, thread: &Thread) -> bool {
        self.from
            .as_ref()
            .is_some_and(|from| core::ptr::eq(&**from, thread))
    }

    /// The thread of `process` that waits, directly or not, for what the handler of this call does.
    ///
    /// A call back into a process goes to the thread that is waiting there.
    pub(crate) fn waiting_in(&self, process: &Process) -> Option<&Arc<Thread>> {
        let mut call = self;
        loop {
            let from = call.from.as_ref()?;
            if core::ptr::eq(&*from.process, process) && !from.is_dead() {
                return Some(from);
            }
            call = call.parent.as_ref()?;
        }
    }

    /// Records that it is over, and the reply to it, too.
    #[cold]
    fn trace_end(&self) {
        let from = self.from.as_ref();
        let from = from.map_or((0, 0), |from| (from.process.task.pid(), from.tid));
        trace::TxnLatencyFree::trace(|| trace::TxnLatencyFree {
            debug_id: self.debug_id as i32,
            from_proc: from.0,
            from_thread: from.1,
            to_proc: self.node.owner.task.pid(),
            to_thread: self.handler.load(Relaxed),
            code: self.code,
            flags: self.flags,
        });
        if let Some(Outcome::Reply(reply)) = self.outcome.as_ref() {
            trace::TxnLatencyFree::trace(|| trace::TxnLatencyFree {
                debug_id: reply.debug_id as i32,
                from_proc: 0,
                from_thread: 0,
                to_proc: from.0,
                to_thread: from.1,
                code: reply.code,
                flags: reply.flags,
            });
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.conclude();
        if trace::TxnLatencyFree::is_enabled() {
            self.trace_end();
        }
        // A chain of nested calls may be long. Unlink it link by link, where dropping the first
        // link would recurse.
        let mut parent = self.parent.take();
        while let Some(mut last) = parent.and_then(Arc::into_unique_or_drop) {
            parent = last.parent.take();
        }
    }
}
