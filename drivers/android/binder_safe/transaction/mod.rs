// SPDX-License-Identifier: GPL-2.0

//! Messages on their way, and calls until their outcome is known.

pub(crate) mod contents;
mod copier;
mod dispatch;
pub(crate) mod failure;
pub(crate) mod files;
pub(crate) mod finish;
pub(crate) mod free;
mod gather;
pub(crate) mod message;
mod objects;
mod payload;
mod pointers;
pub(crate) mod reply;
pub(crate) mod send;
pub(crate) mod submit;
mod translate;

use self::{
    contents::PayloadCell,
    failure::Failure, //
};
use crate::{
    diag::{
        objects::{
            Counted,
            Kind, //
        },
        trace, //
    },
    process::{
        node::Node,
        peer::Peer,
        queue::Queue, //
    },
    thread::{
        work::{
            Queued,
            Work,
            WorkLinks, //
        },
        Thread, //
    },
    wire::structs::ExtendedError, //
};
use kernel::{
    list::impl_has_checked_links,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        LockedBy,
        SetOnce, //
    },
    task::{
        Kuid,
        Pid, //
    },
    time::get_jiffies_64,
    uapi, //
};

/// A call or a oneway message.
///
/// The caller of a call keeps it on its stack until it has read the outcome; who handles it, until
/// it has replied.
pub(crate) struct Transaction {
    pub(crate) debug_id: u32,
    counted: Counted,
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
    handler: Atomic<Pid>,
    /// The call below this one on the stack of the thread that handles it.
    below: LockedBy<Option<Arc<Transaction>>, Queue>,
    /// The nice value of the sender.
    pub(crate) nice: i32,
    /// The nice value that the thread which handles the call had before.
    pub(crate) saved_nice: Atomic<i32>,
    pub(crate) request: PayloadCell,
    /// What the outcome comes with if it is a reply.
    pub(crate) reply: PayloadCell,
    /// It counts as outstanding at the owner of the node.
    pub(crate) is_outstanding: Atomic<bool>,
    /// How the call ended. It ends once, and when it does it is in no queue: its reader has taken
    /// it, or it was taken out because nobody will read it.
    pub(crate) outcome: SetOnce<Outcome>,
    /// The place in the queue where the request, or later the outcome, waits to be read.
    links: WorkLinks,
}

impl_has_checked_links! {
    impl HasCheckedLinks<0, 2> for Transaction { self.links }
}

impl Queued for Transaction {
    fn into_work(self: Arc<Self>) -> Work {
        if self.outcome.as_ref().is_some() {
            Work::Outcome(self)
        } else {
            Work::Transaction(self)
        }
    }

    fn as_transaction(&self) -> Option<&Transaction> {
        Some(self)
    }
}

/// What is needed to make a transaction.
pub(super) struct NewTransaction<'a> {
    pub(super) debug_id: u32,
    pub(super) code: u32,
    pub(super) flags: u32,
    pub(super) from: &'a Arc<Thread>,
    pub(super) parent: Option<Arc<Transaction>>,
    pub(super) node: Arc<Node>,
}

impl NewTransaction<'_> {
    /// A transaction of the current task, without its message.
    fn init(self) -> impl Init<Transaction> {
        let is_oneway = self.flags & uapi::transaction_flags_TF_ONE_WAY != 0;
        let from = (!is_oneway).then(|| self.from.clone());
        let (sender, sender_tid) = self.from.who();
        let below = LockedBy::new(&self.node.owner.queue, None);
        init!(Transaction {
            debug_id: self.debug_id,
            counted: Counted::new(Kind::Transaction),
            start: get_jiffies_64(),
            offset: Atomic::new(0),
            code: self.code,
            flags: self.flags,
            from,
            parent: self.parent,
            node: self.node,
            euid: Kuid::current_euid(),
            sender,
            sender_tid,
            handler: Atomic::new(0),
            below,
            nice: current!().nice(),
            saved_nice: Atomic::new(0),
            request: PayloadCell::new(),
            reply: PayloadCell::new(),
            is_outstanding: Atomic::new(false),
            outcome: SetOnce::new(),
            links: WorkLinks::new(),
        })
    }
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
    /// The call below this one on the stack of its handler, whose process has `queue`.
    pub(crate) fn below<'a>(&'a self, queue: &'a mut Queue) -> &'a mut Option<Arc<Transaction>> {
        self.below.access_mut(queue)
    }

    /// The thread that handles it, or 0.
    pub(crate) fn handler(&self) -> Pid {
        self.handler.load(Relaxed)
    }

    /// A thread is about to handle it.
    pub(crate) fn set_handler(&self, tid: Pid) {
        self.handler.store(tid, Relaxed);
    }

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
            Some(from) if !from.is_dead() => from.process.task_pid.nr_in_current_ns(),
            _ => 0,
        }
    }

    /// The thread of `process` that waits, directly or not, for what the handler of this call does.
    ///
    /// A call back into a process goes to the thread that is waiting there.
    pub(crate) fn waiting_in(&self, process: &Peer) -> Option<&Arc<Thread>> {
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
        let from = from.map_or((0, 0), |from| (from.process.pid, from.tid));
        trace::TxnLatencyFree::trace(|| trace::TxnLatencyFree {
            debug_id: self.debug_id as i32,
            from_proc: from.0,
            from_thread: from.1,
            to_proc: self.node.owner.pid,
            to_thread: self.handler(),
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
