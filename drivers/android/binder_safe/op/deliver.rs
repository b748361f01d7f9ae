// SPDX-License-Identifier: GPL-2.0

//! Reading: a thread takes its work, or that of its process, and waits while there is none.

use super::{
    finish::finish,
    send::recycle, //
};
use crate::{
    object::{
        queue::Queue,
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
            TransactionData, //
        },
    },
};
use kernel::{
    prelude::*,
    sync::{
        lock::spinlock::SpinLockBackend,
        lock::Guard,
        Arc, //
    },
    uapi, //
};

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
    /// It handles an item. The item ends the read if that is said so.
    Handle(Work, Option<Arc<Transaction>>, Option<Leave>),
    /// It has read all there is.
    Return(Leave),
    /// It cannot take a call before its stack has more room.
    GrowStack((usize, usize)),
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
        loop {
            let is_empty = self.writer.consumed() == empty;
            let leave = match self.next(is_empty)? {
                Next::Handle(work, frame, leave) => {
                    drop(frame);
                    self.handle(work)?;
                    match leave {
                        Some(leave) => leave,
                        None => continue,
                    }
                }
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
            let work = match state.pop_if(has_room) {
                None if has_room && self.takes_any => queue.todo.pop(),
                own => own,
            };
            if let Some(work) = work {
                let frame = self.account(&mut queue, &work);
                let leave = work.ends_read().then(|| self.leave(&mut queue));
                return Ok(Next::Handle(work, frame, leave));
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

    /// Keeps the thread's stack in step with what it takes; gives the call that it has finished.
    fn account(&self, queue: &mut Queue, work: &Work) -> Option<Arc<Transaction>> {
        let state = self.thread.state(queue);
        match work {
            Work::Transaction(call) if !call.is_oneway() => {
                // There is room, so this cannot fail.
                let _ = state.stack.push_within_capacity(call.clone());
                None
            }
            Work::Outcome(_) => state.stack.pop(),
            _ => None,
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

    fn handle(&mut self, work: Work) -> Result {
        match work {
            Work::Transaction(transaction) => self.transaction(transaction),
            Work::Outcome(call) => {
                let result = match call.outcome.as_ref() {
                    Some(Outcome::Reply(reply)) => self.reply(reply),
                    Some(Outcome::Failure(failure)) => {
                        if let Some(error) = failure.report {
                            self.report(error);
                        }
                        self.writer.put(failure.command)
                    }
                    None => Ok(()),
                };
                recycle(self.own, call);
                result
            }
            Work::Accepted(ret) => self.writer.put(ret),
            Work::Failed(ret) => {
                self.thread.forgive();
                self.writer.put(ret)
            }
        }
    }

    fn transaction(&mut self, transaction: Arc<Transaction>) -> Result {
        let Some(payload) = transaction.request.take() else {
            return Ok(());
        };
        let address = payload.buffer.address();
        let data = TransactionData {
            target: transaction.node.ptr,
            cookie: transaction.node.cookie,
            code: transaction.code,
            flags: transaction.flags,
            sender_pid: transaction.sender_pid(),
            sender_euid: transaction.euid.into_uid_in_current_ns(),
            data_size: payload.data_size,
            offsets_size: payload.offsets_size,
            buffer: address,
            offsets: address + payload.offsets_at,
        };
        let ret = uapi::binder_driver_return_protocol_BR_TRANSACTION;
        if let Err(err) = self.put(ret, &data) {
            self.drop_call(transaction);
            return Err(err);
        }
        payload.buffer.hand_over(payload.contents);
        if transaction.is_oneway() {
            recycle(self.own, transaction);
        }
        Ok(())
    }

    fn reply(&mut self, reply: &Reply) -> Result {
        let Some(payload) = reply.parcel.take() else {
            return Ok(());
        };
        let address = payload.buffer.address();
        let data = TransactionData {
            code: reply.code,
            flags: reply.flags,
            sender_euid: reply.euid.into_uid_in_current_ns(),
            data_size: payload.data_size,
            offsets_size: payload.offsets_size,
            buffer: address,
            offsets: address + payload.offsets_at,
            ..TransactionData::default()
        };
        self.put(uapi::binder_driver_return_protocol_BR_REPLY, &data)?;
        payload.buffer.hand_over(payload.contents);
        Ok(())
    }

    /// Writes a large return, and all that was gathered before it.
    fn put(&mut self, ret: u32, data: &TransactionData) -> Result {
        self.writer.put_with(ret, data)?;
        self.writer.flush()
    }

    /// Ends a call that the thread could not read.
    fn drop_call(&mut self, transaction: Arc<Transaction>) {
        if transaction.is_oneway() {
            return;
        }
        let mut queue = self.thread.process.queue.lock();
        let _frame = self.thread.state(&mut queue).stack.pop();
        drop(queue);
        finish(transaction, Outcome::UNREADABLE, Urgency::Plain);
    }

    /// Keeps why the thread's call failed, unless it has yet to ask about another failure.
    fn report(&mut self, error: ExtendedError) {
        if self.own.extended_error.command == uapi::binder_driver_return_protocol_BR_OK {
            self.own.extended_error = error;
        }
    }
}
