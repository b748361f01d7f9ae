// SPDX-License-Identifier: GPL-2.0

//! A task that uses a process's file.

pub(crate) mod completions;
pub(crate) mod deliver;
pub(crate) mod handoff;
pub(crate) mod local;
pub(crate) mod loopers;
pub(crate) mod nice;
pub(crate) mod read;
pub(crate) mod stack;
pub(crate) mod wake;
pub(crate) mod work;

use self::{
    handoff::Handoff,
    local::Local,
    stack::Stack,
    work::{
        enqueue,
        Queued,
        Work,
        WorkLinks,
        WorkList, //
    }, //
};
use crate::{
    diag::commands::Counters,
    process::{
        peer::Peer,
        queue::Queue, //
    },
    transaction::{
        failure::Failure,
        Transaction, //
    }, //
};
use kernel::{
    list::{
        impl_has_checked_links,
        CheckedLinks, //
    },
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
        PidType,
        Task,
        TaskPid, //
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

/// A thread. The driver knows it by its id in the initial pid namespace.
pub(crate) struct Thread {
    pub(crate) process: Arc<Peer>,
    pub(crate) tid: Pid,
    /// Tells the thread from one that has its id later.
    pub(crate) pid: ARef<TaskPid>,
    /// The thread is gone; set under the lock of the process.
    is_dead: Atomic<bool>,
    state: LockedBy<State, Queue>,
    /// There is something in `state` to look at before a read ends. Changed under the lock.
    alert: Atomic<bool>,
    /// The return that tells the thread that its last transaction failed, until it has read that;
    /// no commands are taken meanwhile. Only the thread itself writes this.
    failure: Atomic<u32>,
    /// What logs know of [`Local::completions`]; the thread itself writes this.
    pub(crate) unread_completions: Atomic<u32>,
    /// Counts of commands and returns of the thread.
    pub(crate) counters: Counters,
    /// An item that somebody has put into the hands of the thread, which sleeps in a read.
    handoff: ExclusiveCell<Option<Handoff>>,
    /// Data that only the task itself uses, while it is in an ioctl.
    pub(crate) local: ExclusiveCell<Local>,
    /// The place in the thread's own inbox, as [`Work::Failed`].
    links: WorkLinks,
    /// The place among those that wait for any work.
    idle_links: CheckedLinks,
}

impl_has_checked_links! {
    impl HasCheckedLinks<0, 2> for Thread { self.links }
    impl HasCheckedLinks<0> for Thread { self.idle_links }
}

impl Queued for Thread {
    fn into_work(self: Arc<Self>) -> Work {
        Work::Failed(self)
    }
}

/// The state of a thread that others may look at under the lock of the process.
///
/// # Reasons to return from a read
///
/// | Reason | Where | A sleeper is woken for it |
/// |---|---|---|
/// | an item for this thread | `inbox`, `is_ready` | yes |
/// | an item for this thread that is read with the next one | `inbox` without `is_ready` | no |
/// | an item for any thread | `Queue::todo`, if `is_available` | by `Peer::assign` |
/// | an item in the thread's hands | `Thread::handoff` | yes |
/// | transactions were accepted | `Local::completions` | it never sleeps with one that matters |
/// | its descriptors are to be closed | `must_return` | it does it itself |
/// | somebody closed a file descriptor | `flushes` differs from that of the queue | yes |
pub(crate) struct State {
    /// Work for this thread and no other.
    pub(crate) inbox: WorkList,
    /// The inbox contains something worth waking up for. The completion of a call is not: its
    /// caller would only go back to sleep.
    pub(crate) is_ready: bool,
    pub(crate) stack: Stack,
    /// `looper::*`.
    pub(crate) looper: u32,
    /// The next read shall return even if there is nothing to read.
    pub(crate) must_return: bool,
    /// [`Queue::flushes`] when a read last returned.
    pub(super) flushes: u32,
    /// The task that sleeps in a read.
    pub(crate) sleeper: Option<ARef<Task>>,
    /// The sleeper has room in its buffer for any item.
    pub(crate) has_room: bool,
    /// The sleeper takes an item without a look at its state.
    pub(crate) takes_handoff: bool,
    /// The sleeper can ask its process for another thread.
    pub(crate) can_ask: bool,
}

impl Thread {
    /// The current task as a thread of `process` that nobody knows yet.
    pub(crate) fn new(process: Arc<Peer>) -> Result<Arc<Self>> {
        let task = current!();
        let pid = task.task_pid(PidType::Thread).ok_or(ESRCH)?;
        let tid = task.pid();
        let state = State {
            inbox: WorkList::new(),
            is_ready: false,
            stack: Stack::new(),
            looper: 0,
            must_return: false,
            flushes: process.queue.lock().flushes,
            sleeper: None,
            has_room: false,
            takes_handoff: false,
            can_ask: false,
        };
        let state = LockedBy::new(&process.queue, state);
        let init = init!(Self {
            process,
            tid,
            pid,
            is_dead: Atomic::new(false),
            state,
            alert: Atomic::new(false),
            failure: Atomic::new(0),
            unread_completions: Atomic::new(0),
            counters: Counters::new(),
            handoff: ExclusiveCell::new(None),
            local: ExclusiveCell::new(Local::new()),
            links: WorkLinks::new(),
            idle_links: CheckedLinks::new(),
        });
        Arc::init(init, GFP_KERNEL_ACCOUNT)
    }

    /// The thread group and the thread, as messages name them.
    pub(crate) fn who(&self) -> (Pid, Pid) {
        (self.process.pid, self.tid)
    }

    /// Whether this stands for the current task.
    pub(crate) fn is_current(&self) -> bool {
        current!().is(&self.pid) && !self.is_dead()
    }

    /// The thread's state, under the lock of its process.
    pub(crate) fn state<'a>(&'a self, queue: &'a mut Queue) -> &'a mut State {
        self.state.access_mut(queue)
    }

    /// The thread's state for looking at, under the lock of its process.
    pub(crate) fn state_ref<'a>(&'a self, queue: &'a Queue) -> &'a State {
        self.state.access(queue)
    }

    /// The return that the current thread has yet to read, if its last transaction failed.
    pub(crate) fn failure(&self) -> Option<u32> {
        Some(self.failure.load(Relaxed)).filter(|ret| *ret != 0)
    }

    /// Whether a read must not end before it has looked at the state, under the lock.
    pub(crate) fn is_alerted(&self) -> bool {
        self.alert.load(Relaxed)
    }

    /// Whether the state contains something to look at before a read ends. The lock is held.
    pub(crate) fn set_alert(&self, _queue: &mut Queue, alert: bool) {
        self.alert.store(alert, Relaxed);
    }

    /// Whether the thread's next read shall return even if there is nothing to read.
    pub(crate) fn must_return(&self, queue: &mut Queue) -> bool {
        let flushes = queue.flushes;
        let state = self.state(queue);
        state.must_return || state.flushes != flushes
    }

    /// A read returns.
    pub(super) fn has_returned(&self, queue: &mut Queue) {
        let flushes = queue.flushes;
        let state = self.state(queue);
        state.must_return = false;
        state.flushes = flushes;
    }

    /// Queues work for this thread, and gives the task to wake.
    pub(crate) fn receive(&self, queue: &mut Queue, work: Work) -> Option<ARef<Task>> {
        let work = match self.hand_over(queue, work) {
            Ok(task) => return task,
            Err(work) => work,
        };
        self.enclose(queue, work.into_item());
        let state = self.state(queue);
        state.is_ready = true;
        state.sleeper.take()
    }

    /// Queues an item that is not worth waking up for. Gives whether it was in no queue.
    pub(crate) fn enclose(&self, queue: &mut Queue, item: Arc<dyn Queued>) -> bool {
        self.set_alert(queue, true);
        enqueue(&mut self.state(queue).inbox, item)
    }

    /// Takes an item back that was queued for this thread, if it was not read. The caller has
    /// another reference to it.
    pub(crate) fn withdraw(&self, queue: &mut Queue, item: &(dyn Queued + 'static)) {
        let state = self.state(queue);
        let _item = state.inbox.remove(item);
        state.is_ready &= !state.inbox.is_empty();
    }

    /// Checks that the current thread may make a call, and gives the call that it is handling.
    ///
    /// A thread that waits for an outcome cannot call again.
    pub(crate) fn begin_call(
        &self,
        local: &mut Local,
    ) -> Result<Option<Arc<Transaction>>, Failure> {
        if local.has_call() {
            return Err(Failure::failed(EPROTO));
        }
        if !local.has_stack() {
            return Ok(None);
        }
        let mut queue = self.process.queue.lock();
        let stack = &self.state(&mut queue).stack;
        if stack.made().is_some() {
            return Err(Failure::failed(EPROTO));
        }
        Ok(stack.handled().cloned())
    }

    /// Puts the call that the current thread has made on its stack.
    pub(crate) fn flush_call(&self, local: &mut Local) {
        if local.has_call() {
            local.flush_call(self, &mut self.process.queue.lock());
        }
    }

    /// Takes the call that the current thread handles off its stack.
    ///
    /// Gives `None` if the thread handles no call, or has made one itself since.
    pub(crate) fn end_handled_call(&self, local: &mut Local) -> Option<Arc<Transaction>> {
        let mut queue = self.process.queue.lock();
        local.flush_call(self, &mut queue);
        self.state(&mut queue).stack.handled()?;
        let call = self.pop_call(&mut queue);
        local.note_stack(&self.state(&mut queue).stack);
        call
    }

    /// Tells the current thread with return `ret` that its transaction failed.
    pub(crate) fn fail(self: &Arc<Self>, ret: u32) {
        self.failure.store(ret, Relaxed);
        self.receive_own(self.clone());
    }

    /// The current thread takes commands again, since it has read that its transaction failed.
    pub(super) fn forgive(&self) {
        self.failure.store(0, Relaxed);
    }

    /// Makes the current thread's next read return, even if there is nothing to read.
    pub(crate) fn return_soon(&self) {
        let mut queue = self.process.queue.lock();
        self.set_alert(&mut queue, true);
        self.state(&mut queue).must_return = true;
    }

    /// Queues an item that the current thread has made for itself.
    pub(crate) fn receive_own(&self, item: Arc<dyn Queued>) {
        let mut queue = self.process.queue.lock();
        self.enclose(&mut queue, item);
        self.state(&mut queue).is_ready = true;
        drop(queue);
        // The thread may wait with epoll for its own doing.
        self.process.pollers.notify();
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

    /// Takes the next item, if there is room to read it.
    pub(super) fn pop_if(&mut self, has_room: bool) -> Option<Arc<dyn Queued>> {
        if !has_room {
            return None;
        }
        let first = self.inbox.first()?;
        if let Some(returns) = first.as_return().filter(|returns| returns.count() > 1) {
            // All but the last of them leave the item in the inbox.
            returns.set_count(returns.count() - 1);
            return Some(first.into());
        }
        let item = self.inbox.pop_front();
        self.is_ready &= !self.inbox.is_empty();
        item
    }

    /// Whether the thread may do work that is for any thread: it waits for nothing else.
    pub(crate) fn is_available(&self) -> bool {
        self.stack.is_empty() && self.inbox.is_empty()
    }
}
