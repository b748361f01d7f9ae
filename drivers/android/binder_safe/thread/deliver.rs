// SPDX-License-Identifier: GPL-2.0

//! Writing to a thread what it has taken from a queue.

use super::{
    handoff::Taken,
    local::Local,
    nice,
    wake::Urgency,
    work::{
        Return,
        Work, //
    },
    Thread, //
};
use crate::{
    collections::counts::RefUpdate,
    diag::{
        messages::About,
        trace, //
    },
    process::{
        node::Node,
        queue::{
            ListedNode,
            Queue, //
        },
        subscription::{
            Notice,
            Subscription,
            Topic, //
        },
    },
    transaction::{
        contents::Payload,
        files::receive_files,
        finish::finish,
        send::recycle,
        Outcome,
        Reply,
        Transaction, //
    },
    wire::{
        returns::ReturnWriter,
        structs::{
            ExtendedError,
            FrozenState,
            PtrCookie,
            TransactionData,
            TransactionDataSecctx, //
        }, //
    }, //
};
use kernel::{
    prelude::*,
    sync::{
        Arc, //
    },
    uapi, //
};
use zerocopy::Immutable;

/// An item that was taken, and what changed under the lock when it was.
pub(super) enum Item {
    Transaction(Arc<Transaction>),
    /// The call came off the stack.
    Outcome(Arc<Transaction>),
    /// The owner of the node counts as told. The place is dropped if that was the last of the node.
    Update(Arc<Node>, RefUpdate, Option<ListedNode>),
    Notice(Option<Notice>, Arc<Subscription>),
    Returns(Arc<Return>),
    Failed(u32),
}

impl From<Taken> for Item {
    fn from(taken: Taken) -> Self {
        match taken {
            Taken::Transaction(transaction) => Self::Transaction(transaction),
            Taken::Outcome(call) => Self::Outcome(call),
        }
    }
}

impl Item {
    /// Keeps `thread` and its process in step with what the thread takes.
    pub(super) fn take(thread: &Thread, queue: &mut Queue, work: Work) -> Self {
        let taken = |queue: &mut Queue, taken: Taken| {
            thread.take(queue, &taken);
            taken.into()
        };
        match work {
            Work::Transaction(transaction) => taken(queue, Taken::Transaction(transaction)),
            Work::Outcome(call) => taken(queue, Taken::Outcome(call)),
            Work::Node(node) => {
                let (update, listed) = node.take_update(queue);
                Self::Update(node, update, listed)
            }
            Work::Notice(subscription) => {
                let notice = subscription.deliver(queue);
                Self::Notice(notice, subscription)
            }
            Work::Returns(returns) => Self::Returns(returns),
            Work::Failed(thread) => Self::Failed(thread.failure().unwrap_or_default()),
        }
    }

    /// Whether a read ends with this item.
    pub(super) fn ends_read(&self) -> bool {
        match self {
            Self::Transaction(_) => true,
            Self::Outcome(call) => call.is_answered(),
            Self::Notice(notice, ..) => {
                matches!(notice, Some(Notice::Dead | Notice::Frozen(_)))
            }
            Self::Update(..) | Self::Returns(_) | Self::Failed(_) => false,
        }
    }
}

/// Whether an item that was handled is something that the reader got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Got {
    Something,
    Nothing,
}

/// Where a thread's items go.
pub(super) struct Delivery<'a, 'w> {
    pub(super) thread: &'a Arc<Thread>,
    pub(super) local: &'a mut Local,
    pub(super) writer: &'a mut ReturnWriter<'w>,
}

impl Delivery<'_, '_> {
    /// Writes an item, or ends it if it comes to nothing.
    pub(super) fn handle(&mut self, item: Item) -> Result<Got> {
        match item {
            Item::Transaction(transaction) => return self.transaction(transaction),
            Item::Outcome(call) => {
                let result = self.outcome(&call);
                recycle(self.local, call);
                result?;
            }
            Item::Update(node, update, _listed) => self.update(&node, update)?,
            Item::Notice(Some(notice), subscription) => self.notice(notice, &subscription)?,
            Item::Notice(None, ..) => {}
            Item::Returns(returns) => self.writer.put(returns.code())?,
            Item::Failed(ret) => {
                self.thread.forgive();
                self.writer.put(ret)?;
            }
        }
        Ok(Got::Something)
    }

    fn transaction(&mut self, transaction: Arc<Transaction>) -> Result<Got> {
        let written = match transaction.request.open().as_deref_mut() {
            Some(Some(payload)) => self.request(&transaction, payload),
            _ => Ok(Got::Nothing),
        };
        if written != Ok(Got::Something) {
            self.drop_transaction(transaction);
            return written;
        }
        nice::adopt(&transaction);
        if transaction.is_oneway() {
            transaction.conclude();
            recycle(self.local, transaction);
        }
        Ok(Got::Something)
    }

    /// Writes a call or a message, and hands its payload over. Gives `Nothing` if its files cannot
    /// be had.
    fn request(&mut self, transaction: &Transaction, payload: &mut Payload) -> Result<Got> {
        let Ok(files) = receive_files(payload) else {
            self.tell_no_files(transaction.debug_id);
            return Ok(Got::Nothing);
        };
        let node = &transaction.node;
        let address = payload.address();
        let data = TransactionData {
            target: node.ptr,
            cookie: node.cookie,
            code: transaction.code,
            flags: transaction.flags,
            sender_pid: transaction.sender_pid(),
            sender_euid: transaction.euid.into_uid_in_current_ns(),
            data_size: payload.data_size.into(),
            offsets_size: payload.offsets_size.into(),
            buffer: address,
            offsets: address + payload.offsets_at(),
        };
        match payload.security_context_at {
            None => self.put(uapi::binder_driver_return_protocol_BR_TRANSACTION, &data)?,
            Some(at) => {
                let data = TransactionDataSecctx {
                    transaction_data: data,
                    secctx: address + u64::from(at),
                };
                self.put(
                    uapi::binder_driver_return_protocol_BR_TRANSACTION_SEC_CTX,
                    &data,
                )?;
            }
        }
        trace_received(transaction.debug_id);
        if let Some(files) = files {
            files.install();
        }
        payload.hand_over();
        Ok(Got::Something)
    }

    fn outcome(&mut self, call: &Transaction) -> Result {
        match call.outcome.as_ref() {
            Some(Outcome::Reply(reply)) => self.reply(call, reply),
            Some(Outcome::Failure(failure)) => {
                if let Some(error) = failure.report {
                    self.report(error);
                }
                self.writer.put(failure.command)
            }
            None => Ok(()),
        }
    }

    fn reply(&mut self, call: &Transaction, reply: &Reply) -> Result {
        let mut parcel = call.reply.open();
        let Some(Some(payload)) = parcel.as_deref_mut() else {
            return Ok(());
        };
        let Ok(files) = receive_files(payload) else {
            self.tell_no_files(reply.debug_id);
            trace::BufferRelease::of(|| payload.buffer.label().numbers());
            let failed = uapi::binder_driver_return_protocol_BR_FAILED_REPLY;
            return self.writer.put(failed);
        };
        let address = payload.address();
        let data = TransactionData {
            code: reply.code,
            flags: reply.flags,
            sender_euid: reply.euid.into_uid_in_current_ns(),
            data_size: payload.data_size.into(),
            offsets_size: payload.offsets_size.into(),
            buffer: address,
            offsets: address + payload.offsets_at(),
            ..TransactionData::default()
        };
        self.put(uapi::binder_driver_return_protocol_BR_REPLY, &data)?;
        trace_received(reply.debug_id);
        if let Some(files) = files {
            files.install();
        }
        payload.hand_over();
        Ok(())
    }

    #[inline(never)]
    fn update(&mut self, node: &Node, update: RefUpdate) -> Result {
        let node = PtrCookie {
            ptr: node.ptr,
            cookie: node.cookie,
        };
        for (is_due, ret) in [
            (
                update.incref,
                uapi::binder_driver_return_protocol_BR_INCREFS,
            ),
            (
                update.acquire,
                uapi::binder_driver_return_protocol_BR_ACQUIRE,
            ),
            (
                update.release,
                uapi::binder_driver_return_protocol_BR_RELEASE,
            ),
            (
                update.decref,
                uapi::binder_driver_return_protocol_BR_DECREFS,
            ),
        ] {
            if is_due {
                self.writer.put_with(ret, &node)?;
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn notice(&mut self, notice: Notice, subscription: &Subscription) -> Result {
        let (cookie, node) = (subscription.cookie, subscription.node.debug_id);
        let what = fmt!("is told of node {node}: {notice}, cookie {cookie:#x}");
        About::News.tell(self.thread.who(), what);
        let ret = match (notice, subscription.topic) {
            (Notice::Dead, _) => uapi::binder_driver_return_protocol_BR_DEAD_BINDER,
            (Notice::Frozen(is_frozen), _) => {
                let state = FrozenState {
                    cookie,
                    is_frozen: is_frozen.into(),
                    ..FrozenState::default()
                };
                let ret = uapi::binder_driver_return_protocol_BR_FROZEN_BINDER;
                return self.writer.put_with(ret, &state);
            }
            (Notice::Cleared, Topic::Death) => {
                uapi::binder_driver_return_protocol_BR_CLEAR_DEATH_NOTIFICATION_DONE
            }
            (Notice::Cleared, Topic::Freeze) => {
                uapi::binder_driver_return_protocol_BR_CLEAR_FREEZE_NOTIFICATION_DONE
            }
        };
        self.writer.put_with(ret, &cookie)
    }

    /// Writes a large return, and all that was gathered before it.
    fn put<T: IntoBytes + Immutable>(&mut self, ret: u32, data: &T) -> Result {
        self.writer.put_with(ret, data)?;
        self.writer.flush()
    }

    /// Ends a transaction that the thread could not read.
    fn drop_transaction(&mut self, transaction: Arc<Transaction>) {
        let payload = transaction
            .request
            .open()
            .and_then(|mut parcel| parcel.take());
        if let Some(payload) = &payload {
            trace::BufferRelease::of(|| payload.buffer.label().numbers());
        }
        drop(payload);
        let peer = &self.thread.process;
        let mut queue = peer.queue.lock();
        if transaction.is_oneway() {
            let wake = transaction.node.advance(&mut queue);
            drop(queue);
            wake.wake(Urgency::Plain);
        } else {
            // `transaction` is another reference to it.
            let _call = self.thread.pop_call(&mut queue);
            self.local.note_stack(&self.thread.state(&mut queue).stack);
            drop(queue);
            finish(transaction, Outcome::UNREADABLE, Urgency::Plain);
        }
    }

    /// Says that the thread could not have the files of a message.
    #[cold]
    fn tell_no_files(&self, debug_id: u32) {
        let what = fmt!("cannot open the files of transaction {debug_id}, which fails");
        About::Failure.tell(self.thread.who(), what);
    }

    /// Keeps why the thread's call failed, unless it has yet to ask about another failure.
    fn report(&mut self, error: ExtendedError) {
        if self.local.extended_error.command == uapi::binder_driver_return_protocol_BR_OK {
            self.local.extended_error = error;
        }
    }
}

#[inline(always)]
fn trace_received(debug_id: u32) {
    trace::TransactionReceived::trace(|| trace::TransactionReceived {
        debug_id: debug_id as i32,
    });
}
