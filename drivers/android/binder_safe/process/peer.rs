// SPDX-License-Identifier: GPL-2.0

//! What others may keep of a process.
//!
//! Handles, transactions and subscriptions of others refer to a process for as long as they like,
//! also when it is dead. So a process has two parts. The `Peer` is small: its lock, its work, who
//! it was. The [`Process`] has all that is large: the memory that messages go to, the address space
//! and the credentials. It ends when the file is closed, or, if somebody is sending to it at that
//! moment, as soon as they are done.

use super::{
    pollers::Pollers,
    queue::Queue,
    Process, //
};
use crate::thread::{
    wake::{
        Urgency,
        Wake, //
    },
    work::{
        enqueue,
        Work, //
    }, //
};
use kernel::{
    new_condvar,
    new_spinlock,
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        Arc,
        CondVar,
        SpinLock, //
    },
    task::{
        Pid,
        Task,
        TaskPid, //
    }, //
};

/// A process as others know it.
#[pin_data]
pub(crate) struct Peer {
    /// The thread group that opened the file, in the initial pid namespace.
    pub(crate) pid: Pid,
    /// The same for any pid namespace.
    pub(crate) task_pid: ARef<TaskPid>,
    pub(crate) pollers: Pollers,
    /// The same as in `queue`, for those who fail early.
    is_dead: Atomic<bool>,
    /// Calls are refused and oneway messages are only kept. Changed under the lock of `queue`.
    is_frozen: Atomic<bool>,
    /// The last attempt that succeeded froze the process, or thawed it: what listeners are told.
    /// Changed under the lock of `queue`.
    is_known_frozen: Atomic<bool>,
    /// Transactions that the process got and has not dealt with. It is raised under the lock of
    /// `queue`.
    outstanding: Atomic<u32>,
    /// It may be time to ask for another thread. Changed under the lock of `queue`.
    lacks_loopers: Atomic<bool>,
    /// Freezers wait here until nothing is outstanding.
    #[pin]
    pub(crate) drained: CondVar,
    #[pin]
    pub(crate) queue: SpinLock<Queue>,
    /// The rest of the process, until its file is closed.
    #[pin]
    process: SpinLock<Option<Arc<Process>>>,
}

impl Peer {
    /// The peer of a process that does not exist yet.
    pub(super) fn new(pid: Pid, task_pid: ARef<TaskPid>) -> Result<Arc<Self>> {
        let init = pin_init!(Self {
            pid,
            task_pid,
            pollers: Pollers::new(),
            is_dead: Atomic::new(false),
            is_frozen: Atomic::new(false),
            is_known_frozen: Atomic::new(false),
            outstanding: Atomic::new(0),
            lacks_loopers: Atomic::new(false),
            drained <- new_condvar!("Peer::drained"),
            queue <- new_spinlock!(Queue::new(), "Peer::queue"),
            process <- new_spinlock!(None, "Peer::process"),
        });
        Arc::pin_init(init, GFP_KERNEL_ACCOUNT)
    }

    /// The whole process, unless its file was closed.
    pub(crate) fn process(&self) -> Option<Arc<Process>> {
        self.process.lock().clone()
    }

    /// Sets what [`Self::process`] gives, and gives what it was.
    pub(super) fn set_process(&self, process: Option<Arc<Process>>) -> Option<Arc<Process>> {
        core::mem::replace(&mut *self.process.lock(), process)
    }

    /// Whether the process was released. One that was not may be at any time.
    pub(crate) fn is_dead(&self) -> bool {
        self.is_dead.load(Relaxed)
    }

    /// Makes the process dead: nothing can be queued for it any more.
    pub(super) fn set_dead(&self) {
        let mut queue = self.queue.lock();
        queue.is_dead = true;
        self.is_dead.store(true, Relaxed);
    }

    /// Whether the process refuses calls. Only under the lock of `queue` does that stay true.
    pub(crate) fn is_frozen(&self) -> bool {
        self.is_frozen.load(Relaxed)
    }

    /// Refuses calls from now on, or accepts them; `queue` is locked.
    pub(super) fn set_frozen(&self, _queue: &mut Queue, is_frozen: bool) {
        // Ordered before a look at `outstanding`; see `conclude`.
        self.is_frozen.xchg(is_frozen, Full);
    }

    /// Whether the last attempt that succeeded froze the process.
    pub(crate) fn is_known_frozen(&self) -> bool {
        self.is_known_frozen.load(Relaxed)
    }

    /// The process was frozen or thawed; `queue` is locked.
    pub(super) fn set_known_frozen(&self, _queue: &mut Queue, is_frozen: bool) {
        self.is_known_frozen.store(is_frozen, Relaxed);
    }

    /// Whether it may be time to ask for another thread, which only the lock of `queue` tells.
    pub(crate) fn lacks_loopers(&self) -> bool {
        self.lacks_loopers.load(Relaxed)
    }

    /// The threads that `queue` asks for have changed.
    pub(crate) fn note_loopers(&self, queue: &Queue) {
        self.lacks_loopers.store(queue.loopers.lacks_one(), Relaxed);
    }

    /// Whether a thread shall ask for another one, because nobody is left to wait.
    pub(crate) fn request_looper(&self, queue: &mut Queue) -> bool {
        let spawn = queue.nobody_is_idle() && queue.loopers.request();
        if spawn {
            self.note_loopers(queue);
        }
        spawn
    }

    /// The process was not asked for another thread after all.
    pub(crate) fn take_back_request(&self) {
        let mut queue = self.queue.lock();
        queue.loopers.take_back();
        self.note_loopers(&queue);
    }

    /// How many transactions the process has not dealt with.
    pub(crate) fn outstanding(&self) -> u32 {
        self.outstanding.load(Relaxed)
    }

    /// The process gets another transaction; its `queue` is locked.
    pub(crate) fn take_on(&self, _queue: &mut Queue) {
        self.outstanding.fetch_add(1, Relaxed);
    }

    /// The process has dealt with a transaction.
    pub(crate) fn conclude(&self) {
        if self.outstanding.fetch_sub(1, Full) == 1 && self.is_frozen() {
            // A freezer looks under the lock and then waits.
            let queue = self.queue.lock();
            self.drained.notify_all();
            drop(queue);
        }
    }

    /// The wake-up for work that `sleeper` got or, without one, that any thread may take.
    pub(crate) fn wake_for(&self, sleeper: Option<ARef<Task>>) -> Wake<'_> {
        Wake::new(sleeper, &self.pollers)
    }

    /// Gives `work` to the thread that began to wait last; without one, it waits for the first
    /// thread that is free.
    pub(crate) fn assign(&self, queue: &mut Queue, work: Work) -> Wake<'_> {
        let Some(thread) = queue.pop_idle() else {
            enqueue(&mut queue.todo, work.into_item());
            return self.wake_for(None);
        };
        if thread.state(queue).has_room {
            return self.wake_for(thread.receive(queue, work));
        }
        // It only returns, and sees that another thread comes for the work.
        enqueue(&mut queue.todo, work.into_item());
        self.wake_for(thread.state(queue).sleeper.take())
    }

    /// Picks a thread for work that is left in spite of threads that wait.
    pub(crate) fn rouse(&self, queue: &mut Queue) -> Wake<'_> {
        if queue.todo.is_empty() {
            return Wake::nobody();
        }
        let idle = queue.pop_idle();
        Wake::sleeper(idle.and_then(|thread| thread.state(queue).sleeper.take()))
    }

    /// Makes reads that wait return with nothing, because a file descriptor was closed, and those
    /// that come next, of threads that do not wait.
    ///
    /// Sleepers are looked for in the order of their ids, and not again: threads that sleep anew,
    /// or come, after this has begun have begun to read after it, too.
    pub(crate) fn interrupt_reads(&self) {
        let mut queue = self.queue.lock();
        queue.flushes = queue.flushes.wrapping_add(1);
        let mut left = queue.nr_threads();
        drop(queue);
        let mut above = Pid::MIN;
        while left > 0 {
            let mut queue = self.queue.lock();
            let Some(thread) = queue.thread_above(above) else {
                break;
            };
            above = thread.tid;
            let sleeper = queue.take_sleeper(&thread);
            drop(queue);
            Wake::sleeper(sleeper).wake(Urgency::Plain);
            left -= 1;
        }
    }
}
