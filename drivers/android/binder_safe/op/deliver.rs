// SPDX-License-Identifier: GPL-2.0

//! Reading: a thread takes its work, or that of its process, and waits while there is none.

use super::{
    finish::finish,
    nice,
    send::recycle, //
};
use crate::{
    object::{
        contents::Payload,
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
        thread::{
            looper,
            Own,
            Thread, //
        },
        transaction::{
            Outcome,
            Reply,
            Transaction, //
        },
        work::{
            Urgency,
            Wake,
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
    fs::file::DescriptorBatch,
    prelude::*,
    sync::{
        lock::{
            spinlock::SpinLockBackend,
            Guard, //
        },
        Arc, //
    },
    task::Kuid,
    uapi, //
};
use zerocopy::Immutable;

/// One read of one thread.
pub(crate) struct Reader<'a> {
    thread: &'a Arc<Thread>,
    own: &'a mut Own,
    writer: &'a mut ReturnWriter,
    nonblocking: bool,
    /// Something was there to read; what is taken from now on may be nothing to wake up for.
    has_begun: bool,
    /// The thread was free when it began, so it takes work of the process too.
    takes_any: bool,
}

/// What a thread does next.
enum Next {
    /// It handles an item. The item ends the read if it says what to do then.
    Handle(Item, Option<Leave>),
    /// It has read all there is.
    Return(Leave),
    /// It cannot take a call before its stack has more room.
    GrowStack((usize, usize)),
}

/// An item that was taken, and what changed under the lock when it was.
enum Item {
    Transaction(Arc<Transaction>),
    /// The call came off the stack.
    Outcome(Arc<Transaction>, Option<Arc<Transaction>>),
    /// The owner of the node counts as told. The node is dropped if that was the last of it.
    News(Arc<Node>, News, Option<ListedNode>),
    /// The subscription is dropped if that was its end.
    Notice(Option<Notice>, Arc<Subscription>, Option<Arc<Subscription>>),
    Accepted(u32),
    Failed(u32),
}

impl Item {
    /// Whether a read ends with this item.
    fn ends_read(&self) -> bool {
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
enum Got {
    Something,
    Nothing,
}

/// What is to be done for the process when a thread leaves.
struct Leave {
    /// Ask for another thread.
    spawn: bool,
    /// Wake another thread for the work that is left.
    wake: Wake<'static>,
}

impl<'a> Reader<'a> {
    /// A read of the current thread.
    pub(crate) fn new(
        thread: &'a Arc<Thread>,
        own: &'a mut Own,
        writer: &'a mut ReturnWriter,
        nonblocking: bool,
    ) -> Self {
        Self {
            thread,
            own,
            writer,
            nonblocking,
            has_begun: false,
            takes_any: false,
        }
    }

    /// Reads until there is nothing more, no room, or a transaction.
    ///
    /// Fails with `EAGAIN` if there is nothing and the file does not block, with `EINTR` if a signal
    /// came, and with `EFAULT` if the buffer cannot be written.
    pub(crate) fn read(mut self) -> Result {
        let empty = self.writer.consumed();
        let thread = self.thread;
        nice::reset(&thread.process, || {
            let queue = thread.process.queue.lock();
            thread.state_ref(&queue).is_available()
        });
        loop {
            let is_empty = self.writer.consumed() == empty;
            let leave = match self.next(is_empty)? {
                Next::Handle(item, leave) => match (self.handle(item)?, leave) {
                    (Got::Something, Some(leave)) => leave,
                    (Got::Nothing, Some(leave)) => {
                        self.stay(leave);
                        continue;
                    }
                    (_, None) => continue,
                },
                Next::Return(leave) => leave,
                Next::GrowStack(sizes) => {
                    self.thread.grow(sizes)?;
                    continue;
                }
            };
            leave.wake.wake(Urgency::Plain);
            self.writer.flush()?;
            if leave.spawn {
                self.writer.ask_for_looper()?;
            }
            return Ok(());
        }
    }

    /// Decides what to do next, and sleeps until there is something.
    fn next(&mut self, is_empty: bool) -> Result<Next> {
        let thread = self.thread;
        let mut queue = thread.process.queue.lock();
        loop {
            if !self.has_begun {
                self.wait(&mut queue)?;
                self.has_begun = true;
            }
            let has_room = self.writer.has_room();
            let state = thread.state(&mut queue);
            if !state.has_frame() {
                return Ok(Next::GrowStack(state.sizes()));
            }
            let own = state.pop_if(has_room);
            let is_own = own.is_some();
            let work = match own {
                None if has_room && self.takes_any => queue.todo.pop(),
                own => own,
            };
            if let Some(work) = work {
                let item = self.account(&mut queue, work, is_own);
                let leave = item.ends_read().then(|| self.leave(&mut queue));
                return Ok(Next::Handle(item, leave));
            }
            let state = thread.state(&mut queue);
            if !is_empty || !has_room || state.must_return {
                return Ok(Next::Return(self.leave(&mut queue)));
            }
            // All there was to read came to nothing, so begin anew.
            self.has_begun = false;
        }
    }

    /// Sleeps until there is something to read.
    fn wait(&mut self, queue: &mut Guard<'_, Queue, SpinLockBackend>) -> Result {
        let thread = self.thread;
        loop {
            let state = thread.state(queue);
            self.takes_any = state.is_available();
            if state.is_ready || state.must_return {
                return Ok(());
            }
            if self.takes_any && !queue.todo.is_empty() {
                return Ok(());
            }
            if self.nonblocking {
                return Err(EAGAIN);
            }
            if self.takes_any {
                queue.push_idle(thread);
            }
            let state = thread.state(queue);
            state.looper |= looper::WAITING;
            state.sleeper = Some((&**current!()).into());
            let is_interrupted = queue.sleep_interruptible_freezable();
            // Whoever woke the thread took these. If nobody did, they are not the last ones.
            let _thread = queue.remove_idle(thread);
            let state = thread.state(queue);
            state.looper &= !looper::WAITING;
            let _task = state.sleeper.take();
            if is_interrupted {
                return Err(EINTR);
            }
        }
    }

    /// Keeps the thread and its process in step with what the thread takes.
    fn account(&self, queue: &mut Queue, work: Work, is_own: bool) -> Item {
        let state = self.thread.state(queue);
        match work {
            Work::Transaction(transaction) => {
                if !transaction.is_oneway() {
                    // There is room, so this cannot fail.
                    let _ = state.stack.push_within_capacity(transaction.clone());
                }
                Item::Transaction(transaction)
            }
            Work::Outcome(call) => Item::Outcome(call, state.stack.pop()),
            Work::Node(node) => {
                let news = node.take_news(queue, is_own.then_some(self.thread.tid));
                let settled = node.settle(queue);
                Item::News(node, news.unwrap_or_default(), settled.node)
            }
            Work::Notice(subscription) => {
                let (notice, over) = subscription.deliver(queue);
                Item::Notice(notice, subscription, over)
            }
            Work::Accepted(ret) => Item::Accepted(ret),
            Work::Failed(ret) => Item::Failed(ret),
        }
    }

    /// Looks after the rest of the process before the thread is busy.
    fn leave(&self, queue: &mut Queue) -> Leave {
        let idle = if queue.todo.is_empty() {
            None
        } else {
            queue.pop_idle()
        };
        let task = idle.and_then(|idle| idle.state(queue).sleeper.take());
        let state = self.thread.state(queue);
        state.must_return = false;
        let is_looper = state.looper & (looper::REGISTERED | looper::ENTERED) != 0;
        let spawn = is_looper
            && self.writer.can_ask_for_looper()
            && queue.nobody_is_idle()
            && queue.loopers.request();
        Leave {
            spawn,
            wake: Wake {
                task,
                pollers: None,
            },
        }
    }

    /// The thread goes on after all.
    fn stay(&self, leave: Leave) {
        if leave.spawn {
            self.thread.process.queue.lock().loopers.take_back();
        }
        leave.wake.wake(Urgency::Plain);
    }

    fn handle(&mut self, item: Item) -> Result<Got> {
        match item {
            Item::Transaction(transaction) => return self.transaction(transaction),
            Item::Outcome(call, frame) => {
                drop(frame);
                let result = self.outcome(&call);
                recycle(self.own, call);
                result?;
            }
            Item::News(node, news, _listed) => self.news(&node, news)?,
            Item::Notice(Some(notice), subscription, _over) => {
                self.notice(notice, &subscription)?;
            }
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
        let Some(mut payload) = transaction.request.take() else {
            return Ok(Got::Nothing);
        };
        let Ok(files) = receive_files(&mut payload) else {
            self.drop_transaction(transaction, payload);
            return Ok(Got::Nothing);
        };
        let data = TransactionData {
            target: transaction.node.ptr,
            cookie: transaction.node.cookie,
            sender_pid: transaction.sender_pid(),
            ..describe(
                &payload,
                transaction.code,
                transaction.flags,
                transaction.euid,
            )
        };
        let written = match payload.security_context_at {
            None => self.put(uapi::binder_driver_return_protocol_BR_TRANSACTION, &data),
            Some(at) => {
                let data = TransactionDataSecctx {
                    transaction_data: data,
                    secctx: payload.address() + at,
                };
                self.put(
                    uapi::binder_driver_return_protocol_BR_TRANSACTION_SEC_CTX,
                    &data,
                )
            }
        };
        if let Err(err) = written {
            self.drop_transaction(transaction, payload);
            return Err(err);
        }
        files.install();
        payload.hand_over();
        nice::adopt(&transaction);
        if transaction.is_oneway() {
            transaction.conclude();
            recycle(self.own, transaction);
        }
        Ok(Got::Something)
    }

    fn outcome(&mut self, call: &Transaction) -> Result {
        match call.outcome.as_ref() {
            Some(Outcome::Reply(reply)) => self.reply(reply),
            Some(Outcome::Failure(failure)) => {
                if let Some(error) = failure.report {
                    self.report(error);
                }
                self.writer.put(failure.command)
            }
            None => Ok(()),
        }
    }

    fn reply(&mut self, reply: &Reply) -> Result {
        let Some(mut payload) = reply.parcel.take() else {
            return Ok(());
        };
        let Ok(files) = receive_files(&mut payload) else {
            let failed = uapi::binder_driver_return_protocol_BR_FAILED_REPLY;
            return self.writer.put(failed);
        };
        let data = describe(&payload, reply.code, reply.flags, reply.euid);
        self.put(uapi::binder_driver_return_protocol_BR_REPLY, &data)?;
        files.install();
        payload.hand_over();
        Ok(())
    }

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

    fn notice(&mut self, notice: Notice, subscription: &Subscription) -> Result {
        let cookie = subscription.cookie;
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
    fn drop_transaction(&mut self, transaction: Arc<Transaction>, payload: Payload) {
        let process = &self.thread.process;
        drop(payload);
        let mut queue = process.queue.lock();
        if transaction.is_oneway() {
            let posted = transaction.node.advance(&mut queue);
            drop(queue);
            process.wake_posted(posted);
        } else {
            let frame = self.thread.state(&mut queue).stack.pop();
            drop(queue);
            drop(frame);
            finish(transaction, Outcome::UNREADABLE, Urgency::Plain);
        }
    }

    /// Keeps why the thread's call failed, unless it has yet to ask about another failure.
    fn report(&mut self, error: ExtendedError) {
        if self.own.extended_error.command == uapi::binder_driver_return_protocol_BR_OK {
            self.own.extended_error = error;
        }
    }
}

/// How the receiver sees a message.
fn describe(payload: &Payload, code: u32, flags: u32, euid: Kuid) -> TransactionData {
    TransactionData {
        code,
        flags,
        sender_euid: euid.into_uid_in_current_ns(),
        data_size: payload.data_size,
        offsets_size: payload.offsets_size,
        buffer: payload.address(),
        offsets: payload.address() + payload.offsets_at,
        ..TransactionData::default()
    }
}

/// Reserves descriptors of the current task for the files of a message, and writes their numbers.
fn receive_files(payload: &mut Payload) -> Result<DescriptorBatch> {
    let mut batch = DescriptorBatch::new();
    for sent in payload.files.drain_all() {
        let fd = batch.reserve(sent.file)?;
        if let Some(buffer) = &mut payload.buffer {
            buffer.write(sent.offset, fd.as_bytes())?;
        }
        if sent.is_closed_with_buffer {
            // The sender made room for each.
            let _ = payload.contents.to_close.push_within_capacity(fd);
        }
    }
    Ok(batch)
}
