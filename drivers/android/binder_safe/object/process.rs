// SPDX-License-Identifier: GPL-2.0

//! A process: one open file of a device.

use super::{
    contents::Contents,
    context::Context,
    queue::{
        Posted,
        Queue,
        ThreadRoom, //
    },
    refs::Refs,
    thread::{
        looper,
        Thread, //
    },
    transaction::Transaction,
    work::{
        Pollers,
        Urgency,
        Wake,
        Work, //
    },
};
use crate::{
    diag::commands::Sums,
    pure::ring::RingStorage,
    res::area::Area, //
};
use kernel::{
    cred::Credential,
    fs::file::{
        File,
        PollEvents,
        UncountedFile, //
    },
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
        poll::PollTable,
        Arc,
        ArcBorrow,
        CondVar,
        ExclusiveCell,
        SpinLock, //
    },
    task::{
        Pid,
        Task, //
    }, //
};

/// How many threads a process can have. Those that end without `BINDER_THREAD_EXIT` count until
/// their ids are used again.
const MAX_THREADS: usize = 1 << 14;

/// One open file: the memory its messages go to, its threads, and their work.
#[pin_data]
pub(crate) struct Process {
    pub(crate) context: Arc<Context>,
    /// The thread group that opened the file.
    pub(crate) task: ARef<Task>,
    /// The nice value of the thread that opened the file.
    pub(crate) nice: i32,
    /// Who opened the file, whatever the caller of an ioctl has become since.
    pub(crate) cred: ARef<Credential>,
    pub(crate) area: Arc<Area<Contents>>,
    pub(crate) pollers: Pollers,
    /// The same as in `queue`, for those who fail early.
    is_dead: Atomic<bool>,
    /// Calls are refused and oneway messages are only kept. Changed under the lock of `queue`.
    is_frozen: Atomic<bool>,
    /// Transactions that the process got and has not dealt with. It is raised under the lock of
    /// `queue`.
    outstanding: Atomic<u32>,
    /// It may be time to ask for another thread. Changed under the lock of `queue`.
    lacks_loopers: Atomic<bool>,
    /// The process wants to know when it sends too many oneway messages.
    pub(crate) detects_spam: Atomic<bool>,
    /// Whoever wants to freeze the process waits here until nothing is outstanding.
    #[pin]
    pub(crate) drained: CondVar,
    #[pin]
    pub(crate) refs: SpinLock<Refs>,
    #[pin]
    pub(crate) queue: SpinLock<Queue>,
    /// Threads of `queue` that came lately, by their ids, where they are found without a lock.
    recent: [ExclusiveCell<Option<Arc<Thread>>>; NR_RECENT],
}

/// How many threads are remembered; a power of two.
const NR_RECENT: usize = 16;

impl Process {
    /// The process of a file that the current task opens.
    pub(crate) fn new(context: Arc<Context>, file: &UncountedFile) -> Result<Arc<Self>> {
        let area = Area::new(&context.instance.shared.domain)?;
        let own_context = context.clone();
        let init = pin_init!(Self {
            context: own_context,
            task: current!().group_leader().into(),
            nice: current!().nice(),
            cred: file.cred().into(),
            area,
            pollers: Pollers::new(),
            is_dead: Atomic::new(false),
            is_frozen: Atomic::new(false),
            outstanding: Atomic::new(0),
            lacks_loopers: Atomic::new(false),
            detects_spam: Atomic::new(false),
            drained <- new_condvar!("Process::drained"),
            refs <- new_spinlock!(Refs::new(), "Process::refs"),
            queue <- new_spinlock!(Queue::new(), "Process::queue"),
            recent: [const { ExclusiveCell::new(None) }; NR_RECENT],
        });
        let process = Arc::pin_init(init, GFP_KERNEL_ACCOUNT)?;
        context.instance.add(process.clone())?;
        Ok(process)
    }

    /// The thread that stands for the current task, made if the task is new here.
    ///
    /// Fails with `ENOMEM` if there are too many.
    pub(crate) fn current_thread(self: ArcBorrow<'_, Self>) -> Result<Arc<Thread>> {
        let tid = current!().pid();
        if let Some(Some(thread)) = self.recent(tid).try_borrow_mut().as_deref() {
            if thread.tid == tid && !thread.is_dead() {
                return Ok(thread.clone());
            }
        }
        let thread = self.find_thread(tid)?;
        let other = self.remember(tid, Some(thread.clone()));
        drop(other);
        Ok(thread)
    }

    /// Forgets where `thread` was found lately. A thread that somebody looks for at this moment may
    /// stay where it is, until another one takes its place or the process is released.
    pub(crate) fn forget(&self, thread: &Thread) {
        let is_it = |other: &mut Arc<Thread>| core::ptr::eq(&**other, thread);
        let cell = self.recent(thread.tid).try_borrow_mut();
        let forgotten = cell.and_then(|mut cell| cell.take_if(is_it));
        drop(forgotten);
    }

    /// Forgets all threads, since nobody uses the process any more.
    pub(crate) fn forget_all(&self) {
        for tid in 0..NR_RECENT {
            let forgotten = self.remember(tid as Pid, None);
            drop(forgotten);
        }
    }

    /// Where the thread of that id may be found.
    fn recent(&self, tid: Pid) -> &ExclusiveCell<Option<Arc<Thread>>> {
        &self.recent[tid as usize % NR_RECENT]
    }

    /// Puts a thread where it will be found, and gives the one that was there.
    fn remember(&self, tid: Pid, thread: Option<Arc<Thread>>) -> Option<Arc<Thread>> {
        match self.recent(tid).try_borrow_mut() {
            Some(mut cell) => core::mem::replace(&mut *cell, thread),
            None => thread,
        }
    }

    /// Finds the thread of that id in the table, or makes it.
    #[inline(never)]
    fn find_thread(self: ArcBorrow<'_, Self>, tid: Pid) -> Result<Arc<Thread>> {
        if let Some(thread) = self.queue.lock().thread(tid) {
            return Ok(thread.clone());
        }
        let thread = Thread::new(self.into(), tid)?;
        loop {
            let capacity = {
                let mut queue = self.queue.lock();
                // Nobody else makes a thread for this task.
                if queue.add_thread(&thread) {
                    return Ok(thread);
                }
                queue.thread_capacity()
            };
            if capacity >= MAX_THREADS {
                return Err(ENOMEM);
            }
            let room = ThreadRoom::new(core::cmp::max(4, 2 * capacity))?;
            let _old = self.queue.lock().grow_threads(room);
        }
    }

    /// What the threads of the process have counted, and those that it had; for the release of the
    /// process, when none counts any more.
    pub(crate) fn final_sums(&self) -> Sums {
        let queue = self.queue.lock();
        let mut sums = queue.gone;
        for thread in queue.threads() {
            sums.add(&thread.counters);
        }
        sums
    }

    /// Whether the process was released. One that was not may be at any time.
    pub(crate) fn is_dead(&self) -> bool {
        self.is_dead.load(Relaxed)
    }

    /// Whether the process is frozen. Only under the lock of `queue` does that stay true.
    pub(crate) fn is_frozen(&self) -> bool {
        self.is_frozen.load(Relaxed)
    }

    /// Freezes or thaws the process, whose `queue` is locked; gives whether it was frozen before.
    pub(crate) fn set_frozen(&self, _queue: &mut Queue, is_frozen: bool) -> bool {
        // Ordered before a look at `outstanding`; see `conclude`.
        self.is_frozen.xchg(is_frozen, Full)
    }

    /// Whether it may be time to ask for another thread, which only the lock of `queue` tells.
    pub(crate) fn lacks_loopers(&self) -> bool {
        self.lacks_loopers.load(Relaxed)
    }

    /// The threads that `queue` asks for have changed.
    pub(crate) fn note_loopers(&self, queue: &Queue) {
        self.lacks_loopers.store(queue.loopers.lacks_one(), Relaxed);
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
            // Whoever freezes the process looks under the lock and then waits.
            let queue = self.queue.lock();
            self.drained.notify_all();
            drop(queue);
        }
    }

    /// Nothing is queued for the process from now on, nor may it refer to anything.
    pub(crate) fn set_dead(&self) {
        self.is_dead.store(true, Relaxed);
        self.queue.lock().is_dead = true;
        self.refs.lock().is_dead = true;
    }

    /// Tells `thread`, whose call it is, that the outcome of `call` is known.
    ///
    /// Gives the call back if the thread is gone. Cannot fail otherwise: a thread waits for one
    /// outcome at a time, and there is always room for one.
    pub(crate) fn send_outcome(
        &self,
        thread: &Thread,
        call: Arc<Transaction>,
    ) -> Result<Wake<'_>, Arc<Transaction>> {
        let mut queue = self.queue.lock();
        if thread.is_dead() {
            return Err(call);
        }
        let task = thread.post(&mut queue, Work::Outcome(call));
        drop(queue);
        Ok(self.wake_task(task))
    }

    /// Makes reads that wait return with nothing, because a file descriptor was closed.
    pub(crate) fn interrupt_reads(&self) {
        loop {
            let mut queue = self.queue.lock();
            let sleeping = |thread: &&Arc<Thread>| thread.state_ref(&queue).sleeper.is_some();
            let Some(thread) = queue.threads().iter().find(sleeping).cloned() else {
                break;
            };
            thread.set_alert(&mut queue, true);
            let state = thread.state(&mut queue);
            state.must_return = true;
            let task = state.sleeper.take();
            drop(queue);
            self.wake_task(task).wake(Urgency::Plain);
        }
    }

    /// Whether the current thread has something to read; waits for it together with others.
    pub(crate) fn poll(
        self: ArcBorrow<'_, Self>,
        file: &File,
        table: &PollTable<'_>,
    ) -> Result<PollEvents> {
        let thread = self.current_thread()?;
        self.pollers.register(&self.queue, file, table)?;
        // The task is in no ioctl, so nobody else uses what is its own.
        let own = thread.own.try_borrow_mut().ok_or(EBUSY)?;
        let mut queue = self.queue.lock();
        let state = thread.state(&mut queue);
        state.looper |= looper::POLL;
        let takes_any = state.is_available() && own.is_available();
        let is_readable = state.is_ready || state.must_return || own.is_ready;
        Ok(if is_readable || takes_any && !queue.todo.is_empty() {
            PollEvents::IN
        } else {
            PollEvents::NONE
        })
    }

    /// Makes the work of the process, which has room for `capacity` items, twice as large.
    pub(crate) fn grow_todo(&self, capacity: usize) -> Result {
        let storage = RingStorage::new(core::cmp::max(8, 2 * capacity))?;
        let _old = self.queue.lock().todo.grow(storage);
        Ok(())
    }

    /// Wakes whoever is to do work that was queued.
    pub(crate) fn wake_posted(&self, posted: Option<Posted>) {
        if let Some(Posted(task)) = posted {
            self.wake_task(task).wake(Urgency::Plain);
        }
    }

    /// Whom to wake when `task` got work, or, without one, when any thread may take it.
    pub(crate) fn wake_task(&self, task: Option<ARef<Task>>) -> Wake<'_> {
        Wake {
            task,
            pollers: Some(&self.pollers),
        }
    }
}
