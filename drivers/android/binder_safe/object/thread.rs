// SPDX-License-Identifier: GPL-2.0

//! A task that uses a process's file.

use super::{
    error::Failure,
    gift::Gift,
    own::Own,
    process::Process,
    queue::Queue,
    transaction::Transaction,
    work::Work, //
};
use crate::{
    diag::commands::Counters,
    pure::ring::{
        Ring,
        RingStorage, //
    },
};
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
        LockedBy, //
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
pub(crate) const COMPLETE: u32 = uapi::binder_driver_return_protocol_BR_TRANSACTION_COMPLETE;

/// How many items a thread has room for once it needs any.
const FIRST_CAPACITY: usize = 4;

/// How many items can wait to be read by a thread, and how deep calls can be nested, so that nobody
/// fills memory with what is never read.
pub(super) const MAX_CAPACITY: usize = 4096;

/// A thread. The driver knows it by its id in the initial pid namespace.
pub(crate) struct Thread {
    pub(crate) process: Arc<Process>,
    pub(crate) tid: Pid,
    /// The thread is gone; set under the lock of the process.
    is_dead: Atomic<bool>,
    state: LockedBy<State, Queue>,
    /// There is something in `state` to look at before a read ends. Changed under the lock.
    alert: Atomic<bool>,
    /// `Work::Failed` is in the inbox, and no commands are taken until it was read. Only the thread
    /// itself writes this.
    has_failed: Atomic<bool>,
    /// What logs know of [`Own::accepted`]; the thread itself writes this.
    pub(crate) unread_accepted: Atomic<u32>,
    /// What the thread has written and read.
    pub(crate) counters: Counters,
    /// What somebody has put into the hands of the thread, which sleeps in a read.
    pub(super) gift: ExclusiveCell<Option<Gift>>,
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
    /// The sleeper has room for whatever comes, and takes it without a look at its state.
    pub(crate) takes_gifts: bool,
    /// The sleeper can ask its process for another thread.
    pub(crate) can_ask: bool,
}

impl Thread {
    /// A thread of `process` that nobody knows yet.
    pub(crate) fn new(process: Arc<Process>, tid: Pid) -> Result<Arc<Self>> {
        let state = State {
            inbox: Ring::new(),
            is_ready: false,
            stack: KVec::new(),
            looper: 0,
            must_return: false,
            sleeper: None,
            takes_gifts: false,
            can_ask: false,
        };
        let state = LockedBy::new(&process.queue, state);
        let init = init!(Self {
            process,
            tid,
            is_dead: Atomic::new(false),
            state,
            alert: Atomic::new(false),
            has_failed: Atomic::new(false),
            unread_accepted: Atomic::new(0),
            counters: Counters::new(),
            gift: ExclusiveCell::new(None),
            own: ExclusiveCell::new(Own::new()),
        });
        Arc::init(init, GFP_KERNEL_ACCOUNT)
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

    /// Whether a read must not end before it has looked at the state, under the lock.
    pub(crate) fn is_alerted(&self) -> bool {
        self.alert.load(Relaxed)
    }

    /// Whether the state holds something to look at before a read ends. The lock is held.
    pub(crate) fn set_alert(&self, _queue: &mut Queue, alert: bool) {
        self.alert.store(alert, Relaxed);
    }

    /// Queues work, for which there must be room, and says which task to wake.
    pub(crate) fn post(&self, queue: &mut Queue, work: Work) -> Option<ARef<Task>> {
        let work = match self.give(queue, work) {
            Ok(task) => return task,
            Err(work) => work,
        };
        self.set_alert(queue, true);
        let state = self.state(queue);
        // `has_room` keeps a place free for the outcome of a call, which needs no other.
        let _ = state.inbox.push(work);
        state.is_ready = true;
        state.sleeper.take()
    }

    /// Queues work that is not worth waking up for, for which there must be room.
    pub(crate) fn enclose(&self, queue: &mut Queue, work: Work) {
        self.set_alert(queue, true);
        let _ = self.state(queue).inbox.push(work);
    }

    /// Checks that the current thread may make a call, and gives the call that it is handling.
    ///
    /// A thread that waits for an outcome cannot call again.
    pub(crate) fn begin_call(&self, own: &mut Own) -> Result<Option<Arc<Transaction>>, Failure> {
        if own.has_call() {
            return Err(Failure::failed(EPROTO));
        }
        if own.is_free_to_call() {
            return Ok(None);
        }
        loop {
            let sizes = {
                let mut queue = self.process.queue.lock();
                let state = self.state(&mut queue);
                own.settle(state);
                match state.stack.last() {
                    Some(call) if call.is_from(self) => return Err(Failure::failed(EPROTO)),
                    handled if own.has_frame() => return Ok(handled.cloned()),
                    _ => state.sizes(),
                }
            };
            self.grow(sizes).map_err(Failure::failed)?;
        }
    }

    /// Puts what the current thread has made on its stack.
    pub(crate) fn settle(&self, own: &mut Own) {
        let mut queue = self.process.queue.lock();
        own.settle(self.state(&mut queue));
    }

    /// Takes the call that the current thread handles off its stack.
    ///
    /// Gives `None` if the thread handles no call, or has made one itself since.
    pub(crate) fn end_handled_call(&self, own: &mut Own) -> Option<Arc<Transaction>> {
        let mut queue = self.process.queue.lock();
        let state = self.state(&mut queue);
        own.settle(state);
        if state.stack.last().is_none_or(|call| call.is_from(self)) {
            return None;
        }
        let call = state.stack.pop();
        own.settle(state);
        call
    }

    /// Tells the current thread with return `ret` that its transaction failed.
    pub(crate) fn fail(&self, own: &Own, ret: u32) -> Result {
        own.check_accepted()?;
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
        self.set_alert(&mut queue, true);
        self.state(&mut queue).must_return = true;
    }

    /// Queues work that the current thread has made for itself, and makes room for it first.
    pub(super) fn post_own(&self, work: Work) -> Result {
        self.reserve_inbox()?;
        let mut queue = self.process.queue.lock();
        let _running = self.post(&mut queue, work);
        drop(queue);
        // The thread may wait with epoll for what it did itself.
        self.process.pollers.notify();
        Ok(())
    }

    /// Makes an inbox and a stack of these sizes twice as large. The first ones are small.
    ///
    /// Fails with `ENOMEM` if they are as large as they may be.
    pub(crate) fn grow(&self, (inbox, stack): (usize, usize)) -> Result {
        if inbox >= MAX_CAPACITY || stack >= MAX_CAPACITY {
            return Err(ENOMEM);
        }
        let twice = |size: usize| FIRST_CAPACITY.max(2 * size);
        let inbox = RingStorage::new(twice(inbox))?;
        let mut stack = KVec::with_capacity(twice(stack), GFP_KERNEL_ACCOUNT)?;
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
    /// Whether the thread has joined the pool of its process.
    pub(crate) fn is_looper(&self) -> bool {
        self.looper & (looper::REGISTERED | looper::ENTERED) != 0
    }

    /// Whether there is room for more work, besides the outcome of a call.
    pub(crate) fn has_room(&self) -> bool {
        self.inbox.has_room(2)
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

    /// The sizes to give to [`Thread::grow`] when there is no room.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.inbox.capacity(), self.stack.capacity())
    }

    /// Whether the thread may do work that is for any thread: it waits for nothing else.
    pub(crate) fn is_available(&self) -> bool {
        self.stack.is_empty() && self.inbox.is_empty()
    }
}
