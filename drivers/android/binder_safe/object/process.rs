// SPDX-License-Identifier: GPL-2.0

//! A process: one open file of a device.

use super::{
    context::Context,
    queue::{
        Queue,
        ThreadRoom, //
    },
    thread::{
        looper,
        Thread, //
    },
    transaction::{
        Contents,
        Transaction, //
    },
    work::{
        Pollers,
        Urgency,
        Wake,
        Work, //
    },
};
use crate::{
    pure::ring::RingStorage,
    res::area::Area, //
};
use kernel::{
    cred::Credential,
    fs::file::{
        File,
        PollEvents, //
    },
    new_spinlock,
    prelude::*,
    sync::{
        aref::ARef,
        poll::PollTable,
        Arc,
        ArcBorrow,
        SpinLock, //
    },
    task::Task, //
};

/// One open file: the memory its messages go to, its threads, and their work.
#[pin_data]
pub(crate) struct Process {
    pub(crate) context: Arc<Context>,
    /// The thread group that opened the file.
    pub(crate) task: ARef<Task>,
    /// Who opened the file, whatever the caller of an ioctl has become since.
    pub(crate) cred: ARef<Credential>,
    pub(crate) area: Arc<Area<Contents>>,
    pub(crate) pollers: Pollers,
    #[pin]
    pub(crate) queue: SpinLock<Queue>,
}

/// Work that found no taker, and why.
pub(crate) struct NotSent {
    pub(crate) work: Work,
    /// `ESRCH` if the process or the thread is gone, `ENOMEM` if there is no memory.
    pub(crate) error: Error,
}

/// What must grow before work can be queued, and how large it is now.
enum Full {
    Todo(usize),
    Inbox(Arc<Thread>, usize),
}

impl Process {
    /// The process of a file that the current task opens.
    pub(crate) fn new(context: Arc<Context>, file: &File) -> Result<Arc<Self>> {
        let area = Area::new(&context.shared.domain)?;
        let init = pin_init!(Self {
            context: context.clone(),
            task: current!().group_leader().into(),
            cred: file.cred().into(),
            area,
            pollers: Pollers::new(),
            queue <- new_spinlock!(Queue::new(), "Process::queue"),
        });
        let process = Arc::pin_init(init, GFP_KERNEL_ACCOUNT)?;
        context.add(process.clone())?;
        Ok(process)
    }

    /// The thread that stands for the current task, made if the task is new here.
    pub(crate) fn current_thread(self: ArcBorrow<'_, Self>) -> Result<Arc<Thread>> {
        let tid = current!().pid();
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
            let room = ThreadRoom::new(core::cmp::max(4, 2 * capacity))?;
            let _old = self.queue.lock().grow_threads(room);
        }
    }

    /// Queues work for thread `to`, or for any thread, and says whom to wake.
    ///
    /// May sleep. Gives the work back if the process or the thread is gone.
    pub(crate) fn send(&self, to: Option<&Arc<Thread>>, work: Work) -> Result<Wake<'_>, NotSent> {
        let mut work = work;
        loop {
            let full = match self.try_send(to, work)? {
                Ok(wake) => return Ok(wake),
                Err((full, back)) => {
                    work = back;
                    full
                }
            };
            if let Err(error) = self.make_room(full) {
                return Err(NotSent { work, error });
            }
        }
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
        let task = thread.state(&mut queue).post_outcome(call);
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
        self.pollers.register(file, table)?;
        let mut queue = self.queue.lock();
        let state = thread.state(&mut queue);
        state.looper |= looper::POLL;
        let takes_any = state.is_available();
        let is_readable = state.is_ready || state.must_return;
        Ok(if is_readable || takes_any && !queue.todo.is_empty() {
            PollEvents::IN
        } else {
            PollEvents::NONE
        })
    }

    fn try_send(
        &self,
        to: Option<&Arc<Thread>>,
        work: Work,
    ) -> Result<Result<Wake<'_>, (Full, Work)>, NotSent> {
        let error = ESRCH;
        let mut queue = self.queue.lock();
        if queue.is_dead || to.is_some_and(|thread| thread.is_dead()) {
            return Err(NotSent { work, error });
        }
        let Some(thread) = to.cloned().or_else(|| queue.pop_idle()) else {
            let capacity = queue.todo.capacity();
            let result = queue.todo.push(work);
            drop(queue);
            return Ok(match result {
                Ok(()) => Ok(self.wake_task(None)),
                Err(work) => Err((Full::Todo(capacity), work)),
            });
        };
        let state = thread.state(&mut queue);
        let capacity = state.inbox.capacity();
        let result = state.post(work);
        if result.is_err() && to.is_none() {
            queue.push_idle(&thread);
        }
        drop(queue);
        Ok(match result {
            Ok(task) => Ok(self.wake_task(task)),
            Err(work) => Err((Full::Inbox(thread, capacity), work)),
        })
    }

    fn make_room(&self, full: Full) -> Result {
        match full {
            Full::Todo(capacity) => {
                let storage = RingStorage::new(core::cmp::max(8, 2 * capacity))?;
                let _old = self.queue.lock().todo.grow(storage);
            }
            Full::Inbox(thread, capacity) => {
                let storage = RingStorage::new(2 * capacity)?;
                let _old = thread.state(&mut self.queue.lock()).inbox.grow(storage);
            }
        }
        Ok(())
    }

    /// Whom to wake when `task` got work, or, without one, when any thread may take it.
    pub(crate) fn wake_task(&self, task: Option<ARef<Task>>) -> Wake<'_> {
        Wake {
            task,
            pollers: Some(&self.pollers),
        }
    }
}
