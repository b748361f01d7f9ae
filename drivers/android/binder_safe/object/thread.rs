// SPDX-License-Identifier: GPL-2.0

//! A task that uses a process's file.

use super::{
    error::Failure,
    process::Process,
    queue::Queue,
    transaction::Transaction,
    work::Work, //
};
use crate::{
    diag::{
        commands::Counters,
        ids::Ids, //
    },
    proto::wire::ExtendedError,
    pure::ring::{
        Ring,
        RingStorage, //
    },
};
use core::mem::MaybeUninit;
use kernel::{
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        ExclusiveCell,
        LockedBy,
        UniqueArc, //
    },
    task::{
        Pid,
        Task, //
    },
    uapi, //
};

/// What a thread said about itself, as the state log prints it.
pub(crate) mod looper {
    /// It registered after the driver had asked for a thread.
    pub(crate) const REGISTERED: u32 = 0x01;
    /// It entered the loop by itself.
    pub(crate) const ENTERED: u32 = 0x02;
    /// It left the loop.
    pub(crate) const EXITED: u32 = 0x04;
    /// It contradicted itself.
    pub(crate) const INVALID: u32 = 0x08;
    /// It waits for work.
    pub(crate) const WAITING: u32 = 0x10;
    /// It has polled.
    pub(crate) const POLL: u32 = 0x20;
}

/// The return for a transaction that was accepted.
const COMPLETE: u32 = uapi::binder_driver_return_protocol_BR_TRANSACTION_COMPLETE;

/// How many items a thread has room for from the start.
pub(crate) const FIRST_CAPACITY: usize = 4;

/// How many items can wait to be read by a thread, and how deep calls can be nested, so that nobody
/// fills memory with what is never read.
const MAX_CAPACITY: usize = 4096;

/// A thread. The driver knows it by its id in the initial pid namespace.
pub(crate) struct Thread {
    pub(crate) process: Arc<Process>,
    pub(crate) tid: Pid,
    /// The thread is gone; set under the lock of the process.
    is_dead: Atomic<bool>,
    state: LockedBy<State, Queue>,
    /// `Work::Failed` is in the inbox, and no commands are taken until it was read. Only the thread
    /// itself writes this.
    has_failed: Atomic<bool>,
    /// What the thread has written and read.
    pub(crate) counters: Counters,
    /// What only the task itself uses, while it is in an ioctl.
    pub(crate) own: ExclusiveCell<Own>,
}

/// What others may look at under the lock of the process.
pub(crate) struct State {
    /// Work for this thread and no other.
    pub(crate) inbox: Ring<Work>,
    /// The inbox holds something worth waking up for. That a call was accepted is not: its caller
    /// would only go back to sleep.
    pub(crate) is_ready: bool,
    /// Calls that the thread made or handles, each below the one that came after it.
    pub(crate) stack: KVec<Arc<Transaction>>,
    /// `looper::*`.
    pub(crate) looper: u32,
    /// The next read shall return even if there is nothing to read.
    pub(crate) must_return: bool,
    /// The task that sleeps in a read.
    pub(crate) sleeper: Option<ARef<Task>>,
}

/// What belongs to the task alone.
pub(crate) struct Own {
    /// Why the last transaction failed.
    pub(crate) extended_error: ExtendedError,
    /// The memory of a finished call, for the next one.
    pub(crate) spare: Option<UniqueArc<MaybeUninit<Transaction>>>,
    /// The next ids to give to what the thread makes.
    pub(crate) ids: Ids,
}

impl Thread {
    /// A thread of `process` that nobody knows yet.
    pub(crate) fn new(process: Arc<Process>, tid: Pid) -> Result<Arc<Self>> {
        let mut inbox = Ring::new();
        let _empty = inbox.grow(RingStorage::new(FIRST_CAPACITY)?);
        let state = State {
            inbox,
            is_ready: false,
            stack: KVec::with_capacity(FIRST_CAPACITY, GFP_KERNEL_ACCOUNT)?,
            looper: 0,
            must_return: false,
            sleeper: None,
        };
        let state = LockedBy::new(&process.queue, state);
        let thread = Self {
            process,
            tid,
            is_dead: Atomic::new(false),
            state,
            has_failed: Atomic::new(false),
            counters: Counters::new(),
            own: ExclusiveCell::new(Own {
                extended_error: ExtendedError::none(),
                spare: None,
                ids: Ids::new(),
            }),
        };
        Ok(Arc::new(thread, GFP_KERNEL_ACCOUNT)?)
    }

    /// The thread group and the thread, as messages name them.
    pub(crate) fn who(&self) -> (Pid, Pid) {
        (self.process.task.pid(), self.tid)
    }

    /// The thread's state, under the lock of its process.
    pub(crate) fn state<'a>(&'a self, queue: &'a mut Queue) -> &'a mut State {
        self.state.access_mut(queue)
    }

    /// The thread's state for looking at, under the lock of its process.
    pub(crate) fn state_ref<'a>(&'a self, queue: &'a Queue) -> &'a State {
        self.state.access(queue)
    }

    /// Whether the current thread has yet to read that its last transaction failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Relaxed)
    }

    /// Checks that the current thread may make a call, and gives the call that it is handling.
    ///
    /// A thread that waits for an outcome cannot call again.
    pub(crate) fn begin_call(&self) -> Result<Option<Arc<Transaction>>, Failure> {
        let queue = self.process.queue.lock();
        let state = self.state_ref(&queue);
        match state.stack.last() {
            Some(call) if call.is_from(self) => Err(Failure::failed(EPROTO)),
            handled => Ok(handled.cloned()),
        }
    }

    /// Puts a call of the current thread on its stack, and the return that it was accepted into the
    /// inbox, where it is read together with whatever comes next.
    pub(crate) fn push_call(&self, call: Arc<Transaction>) -> Result {
        loop {
            let sizes = {
                let mut queue = self.process.queue.lock();
                let state = self.state(&mut queue);
                if state.has_room() && state.has_frame() {
                    let _ = state.inbox.push(Work::Accepted(COMPLETE));
                    let _ = state.stack.push_within_capacity(call);
                    return Ok(());
                }
                state.sizes()
            };
            self.grow(sizes)?;
        }
    }

    /// Takes back what [`Self::push_call`] did, since the call could not be sent.
    pub(crate) fn pop_call(&self) -> Option<Arc<Transaction>> {
        let mut queue = self.process.queue.lock();
        let state = self.state(&mut queue);
        let _accepted = state.inbox.pop_last();
        state.stack.pop()
    }

    /// Takes the call that the current thread handles off its stack, and queues the return that its
    /// reply was accepted, which it always is.
    ///
    /// Gives `None` if the thread handles no call, or has made one itself since.
    pub(crate) fn end_handled_call(&self) -> Result<Option<Arc<Transaction>>> {
        loop {
            let sizes = {
                let mut queue = self.process.queue.lock();
                let state = self.state(&mut queue);
                if !state.stack.last().is_some_and(|call| !call.is_from(self)) {
                    return Ok(None);
                }
                if state.has_room() {
                    let _running = state.post(Work::Accepted(COMPLETE));
                    return Ok(state.stack.pop());
                }
                state.sizes()
            };
            self.grow(sizes)?;
        }
    }

    /// Tells the current thread that its transaction was accepted.
    ///
    /// This comes before it is sent, since it may fail for want of memory.
    pub(crate) fn accept(&self) -> Result {
        self.post_own(Work::Accepted(COMPLETE))
    }

    /// Makes the last return that a transaction was accepted say `ret`, or takes it back.
    pub(crate) fn amend_accepted(&self, ret: Option<u32>) {
        let mut queue = self.process.queue.lock();
        let state = self.state(&mut queue);
        let old = state
            .inbox
            .take_last(|work| matches!(work, Work::Accepted(_)));
        if let (Some(_), Some(ret)) = (old, ret) {
            // It has the place of the old one.
            let _ = state.inbox.push(Work::Accepted(ret));
        }
        if state.inbox.is_empty() {
            state.is_ready = false;
        }
    }

    /// Tells the current thread with return `ret` that its transaction failed.
    pub(crate) fn fail(&self, ret: u32) -> Result {
        self.post_own(Work::Failed(ret))?;
        self.has_failed.store(true, Relaxed);
        Ok(())
    }

    /// The current thread takes commands again, since it has read that its transaction failed.
    pub(crate) fn forgive(&self) {
        self.has_failed.store(false, Relaxed);
    }

    /// Makes room in the inbox for what the current thread is about to tell its process.
    ///
    /// Nobody else fills the inbox of a thread that does not wait.
    pub(crate) fn reserve_inbox(&self) -> Result {
        loop {
            let sizes = {
                let mut queue = self.process.queue.lock();
                let state = self.state(&mut queue);
                if state.inbox.has_room(3) {
                    return Ok(());
                }
                state.sizes()
            };
            self.grow(sizes)?;
        }
    }

    /// Makes the current thread's next read return, even if there is nothing to read.
    pub(crate) fn return_soon(&self) {
        let mut queue = self.process.queue.lock();
        self.state(&mut queue).must_return = true;
    }

    fn post_own(&self, work: Work) -> Result {
        loop {
            let sizes = {
                let mut queue = self.process.queue.lock();
                let state = self.state(&mut queue);
                if state.has_room() {
                    let _running = state.post(work);
                    break;
                }
                state.sizes()
            };
            self.grow(sizes)?;
        }
        // The thread may wait for what it did itself with epoll.
        self.process.pollers.notify();
        Ok(())
    }

    /// Makes an inbox and a stack of these sizes twice as large.
    ///
    /// Fails with `ENOMEM` if they are as large as they may be.
    pub(crate) fn grow(&self, (inbox, stack): (usize, usize)) -> Result {
        if inbox >= MAX_CAPACITY || stack >= MAX_CAPACITY {
            return Err(ENOMEM);
        }
        let inbox = RingStorage::new(2 * inbox)?;
        let mut stack = KVec::with_capacity(2 * stack, GFP_KERNEL_ACCOUNT)?;
        let mut queue = self.process.queue.lock();
        let state = self.state(&mut queue);
        let inbox = state.inbox.grow(inbox);
        if stack.capacity() > state.stack.capacity() {
            for call in state.stack.drain_all() {
                // There is room, so this cannot fail.
                let _ = stack.push_within_capacity(call);
            }
            core::mem::swap(&mut state.stack, &mut stack);
        }
        drop(queue);
        drop((inbox, stack));
        Ok(())
    }

    /// Whether the thread is gone. A thread that is not may be gone at once, unless the lock of its
    /// process is held.
    pub(crate) fn is_dead(&self) -> bool {
        self.is_dead.load(Relaxed)
    }

    /// The thread is gone from now on. The caller holds the lock of the process.
    pub(crate) fn set_dead(&self, _queue: &mut Queue) {
        self.is_dead.store(true, Relaxed);
    }
}

impl State {
    /// Whether there is room for more work, besides the outcome of a call.
    pub(crate) fn has_room(&self) -> bool {
        self.inbox.has_room(2)
    }

    /// Queues work, for which there must be room, and says which task to wake.
    pub(crate) fn post(&mut self, work: Work) -> Option<ARef<Task>> {
        let _ = self.inbox.push(work);
        self.is_ready = true;
        self.sleeper.take()
    }

    /// Queues the outcome of the call on top of the stack and says which task to wake.
    pub(crate) fn post_outcome(&mut self, call: Arc<Transaction>) -> Option<ARef<Task>> {
        // `has_room` keeps a place free for it.
        self.post(Work::Outcome(call))
    }

    /// Takes the next item, if there is room to read it.
    pub(crate) fn pop_if(&mut self, has_room: bool) -> Option<Work> {
        if !has_room {
            return None;
        }
        let work = self.inbox.pop();
        if self.inbox.is_empty() {
            self.is_ready = false;
        }
        work
    }

    /// Whether the stack has room for another call.
    pub(crate) fn has_frame(&self) -> bool {
        self.stack.len() < self.stack.capacity()
    }

    /// The sizes to give to [`Thread::grow`] when there is no room.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.inbox.capacity(), self.stack.capacity())
    }

    /// Whether the thread may do work that is for any thread: it waits for nothing else.
    pub(crate) fn is_available(&self) -> bool {
        self.stack.is_empty() && self.inbox.is_empty()
    }
}
