// SPDX-License-Identifier: GPL-2.0

//! Writing to a thread what it has taken from a queue.

use super::{
    files::receive_files,
    finish::finish,
    nice,
    send::recycle, //
};
use crate::{
    diag::{
        messages::About,
        trace, //
    },
    object::{
        contents::Payload,
        gift::Given,
        node::Node,
        own::Own,
        queue::{
            ListedNode,
            Queue, //
        },
        subscription::{
            Notice,
            Subscription,
            Topic, //
        },
        thread::Thread,
        transaction::{
            Outcome,
            Reply,
            Transaction, //
        },
        work::{
            Urgency,
            Work, //
        },
    },
    proto::{
        returns::ReturnWriter,
        wire::{
            ExtendedError,
            FrozenState,
            PtrCookie,
            TransactionData,
            TransactionDataSecctx, //
        },
    },
    pure::counts::News,
};
use kernel::{
    prelude::*,
    sync::{
        atomic::Relaxed,
        Arc, //
    },
    uapi, //
};
use zerocopy::Immutable;

/// An item that was taken, and what changed under the lock when it was.
pub(crate) enum Item {
    Transaction(Arc<Transaction>),
    /// The call came off the stack.
    Outcome(Arc<Transaction>, Option<Arc<Transaction>>),
    /// The owner of the node counts as told. The node is dropped if that was the last of it.
    News(Arc<Node>, News, Option<ListedNode>),
    Notice(Option<Notice>, Arc<Subscription>),
    Accepted(u32),
    Failed(u32),
}

impl Item {
    /// Keeps `thread` and its process in step with what the thread takes, from its own inbox or
    /// from the work of the process.
    pub(crate) fn take(thread: &Thread, queue: &mut Queue, work: Work, is_own: bool) -> Self {
        let state = thread.state(queue);
        match work {
            Work::Transaction(transaction) => {
                transaction.handler.store(thread.tid, Relaxed);
                if !transaction.is_oneway() {
                    // There is room, so this cannot fail.
                    let _ = state.stack.push_within_capacity(transaction.clone());
                }
                Self::Transaction(transaction)
            }
            Work::Outcome(call) => Self::Outcome(call, state.stack.pop()),
            Work::Node(node) => {
                let news = node.take_news(queue, is_own.then_some(thread.tid));
                let settled = node.settle(queue);
                Self::News(node, news.unwrap_or_default(), settled.node)
            }
            Work::Notice(subscription) => {
                let notice = subscription.deliver(queue);
                Self::Notice(notice, subscription)
            }
            Work::Accepted(ret) => Self::Accepted(ret),
            Work::Failed(ret) => Self::Failed(ret),
        }
    }

    /// What the thread of `own` was given.
    pub(crate) fn given(own: &mut Own, given: Given) -> Self {
        match given {
            Given::Transaction(transaction) => {
                if !transaction.is_oneway() {
                    own.note_push();
                }
                Self::Transaction(transaction)
            }
            Given::Outcome(call, frame) => {
                if frame.is_some() {
                    own.note_pop();
                }
                Self::Outcome(call, frame)
            }
        }
    }

    /// Whether a read ends with this item.
    pub(crate) fn ends_read(&self) -> bool {
        match self {
            Self::Transaction(_) => true,
            Self::Outcome(call, _) => call.is_answered(),
            Self::Notice(notice, ..) => {
                matches!(notice, Some(Notice::Dead | Notice::Frozen(_)))
            }
            Self::News(..) | Self::Accepted(_) | Self::Failed(_) => false,
        }
    }
}

/// Whether an item that was handled is something that the reader got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Got {
    Something,
    Nothing,
}

/// Where a thread's items go.
pub(crate) struct Delivery<'a, 'w> {
    pub(crate) thread: &'a Arc<Thread>,
    pub(crate) own: &'a mut Own,
    pub(crate) writer: &'a mut ReturnWriter<'w>,
}

impl Delivery<'_, '_> {
    /// Writes an item, or ends it if it comes to nothing.
    pub(crate) fn handle(&mut self, item: Item) -> Result<Got> {
        match item {
            Item::Transaction(transaction) => return self.transaction(transaction),
            Item::Outcome(call, frame) => {
                drop(frame);
                let result = self.outcome(&call);
                recycle(self.own, call);
                result?;
            }
            Item::News(node, news, _listed) => self.news(&node, news)?,
            Item::Notice(Some(notice), subscription) => self.notice(notice, &subscription)?,
            Item::Notice(None, ..) => {}
            Item::Accepted(ret) => self.writer.put(ret)?,
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
            recycle(self.own, transaction);
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
    fn news(&mut self, node: &Node, news: News) -> Result {
        let node = PtrCookie {
            ptr: node.ptr,
            cookie: node.cookie,
        };
        for (is_due, ret) in [
            (news.incref, uapi::binder_driver_return_protocol_BR_INCREFS),
            (news.acquire, uapi::binder_driver_return_protocol_BR_ACQUIRE),
            (news.release, uapi::binder_driver_return_protocol_BR_RELEASE),
            (news.decref, uapi::binder_driver_return_protocol_BR_DECREFS),
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
        let process = &self.thread.process;
        let payload = transaction
            .request
            .open()
            .and_then(|mut parcel| parcel.take());
        if let Some(payload) = &payload {
            trace::BufferRelease::of(|| payload.buffer.label().numbers());
        }
        drop(payload);
        let mut queue = process.queue.lock();
        if transaction.is_oneway() {
            let posted = transaction.node.advance(&mut queue);
            drop(queue);
            process.wake_posted(posted);
        } else {
            let state = self.thread.state(&mut queue);
            let frame = state.stack.pop();
            self.own.settle(state);
            drop(queue);
            drop(frame);
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
        if self.own.extended_error.command == uapi::binder_driver_return_protocol_BR_OK {
            self.own.extended_error = error;
        }
    }
}

#[inline(always)]
fn trace_received(debug_id: u32) {
    trace::TransactionReceived::trace(|| trace::TransactionReceived {
        debug_id: debug_id as i32,
    });
}
