// SPDX-License-Identifier: GPL-2.0

//! A process: one open file of a device.
//!
//! # Locks
//!
//! | Lock | Protects | Taken within |
//! |---|---|---|
//! | `Instance::processes` (mutex) | the processes of a mount | nothing |
//! | `Registry::lists` (mutex) | processes and contexts for the logs | nothing |
//! | `ProcessFiles::opens` (mutex) | which thread groups have a log file | nothing |
//! | `DeviceLimit::count`, `Minors::taken` (mutexes) | numbers of devices | the file system's |
//! | `Context::manager` | who answers at handle 0 | nothing |
//! | `Process::refs` | the handles of a process, and subscriptions by them | nothing |
//! | `Peer::queue` | work, threads, nodes, subscriptions, their states | `refs`, `manager` |
//! | `Peer::process` | whether the process is still there | nothing |
//! | `Area::space` | which bytes of an area are in use | nothing |
//!
//! All but the mutexes are spin locks. Two pairs are held together: `refs` of a process that has a
//! reference and `queue` of the process that owns the node, so that the counts of a node are always
//! the sum of its references; and `manager` of a context and `queue` of the process that becomes
//! it, so that its node is not forgotten meanwhile. Nobody holds `refs` of two processes, nor
//! `queue` of two. Inside `queue` is the wait queue of `Peer::drained` alone; the locks of a page
//! area are in the kernel crate, and no lock of the driver is held around them.
//!
//! Under a spin lock one only records what is to be done, in a number of steps that does not depend
//! on what others sent. Threads and pollers are woken ([`Wake`](crate::thread::wake::Wake)),
//! objects are dropped, user memory is copied and memory is allocated after it was released. Queues
//! are links in the items, so queueing needs no memory.
//!
//! Without a lock:
//!
//! - `Thread::local` belongs to the thread itself (`ExclusiveCell`),
//! - `Thread::handoff` is filled under `queue`, and emptied by the thread when it wakes up,
//! - `Transaction::outcome` is written once, by whoever decides the call,
//! - `Node::strong_refs` and `Node::pins` are counts of which the last one to go takes the owner's
//!   `queue`; `NodePin` says why one of them always notices,
//! - `Peer::is_frozen` changes under `queue`, and `outstanding` goes up under it and down without:
//!   a freezer and whoever has dealt with the last transaction change their own word first and look
//!   at the other's then,
//! - `Peer::is_dead` is a hint for those who can fail early; what counts is the same in `queue` and
//!   in `refs`.

pub(crate) mod commands;
pub(crate) mod freeze;
pub(crate) mod node;
pub(crate) mod nodes;
pub(crate) mod peer;
pub(crate) mod pollers;
pub(crate) mod queue;
pub(crate) mod refs;
pub(crate) mod snapshot;
pub(crate) mod subscribe;
pub(crate) mod subscribers;
pub(crate) mod subscription;
pub(crate) mod teardown;

use self::{
    peer::Peer,
    queue::ListedThread,
    refs::Refs, //
};
use crate::{
    context::Context,
    diag::{
        commands::Sums,
        objects::{
            Counted,
            Kind, //
        }, //
    },
    memory::area::Area,
    thread::{
        looper,
        Thread, //
    },
    transaction::contents::Contents, //
};
use core::ops::Deref;
use kernel::{
    cred::Credential,
    fs::file::{
        File,
        PollEvents,
        UncountedFile, //
    },
    list::{
        impl_has_checked_links,
        CheckedLinks, //
    },
    new_spinlock,
    prelude::*,
    sync::{
        aref::ARef,
        atomic::Atomic,
        poll::PollTable,
        Arc,
        ExclusiveCell,
        SpinLock, //
    },
    task::{
        Pid,
        PidType,
        Task, //
    }, //
};

/// Links of processes in their instance.
pub(crate) const IN_INSTANCE: u64 = 0;

/// Links of processes in the registry.
pub(crate) const IN_REGISTRY: u64 = 1;

/// One open file: the memory its messages go to, its references, and who opened it.
///
/// It ends when the file is closed. What others keep of it is its [`Peer`].
#[pin_data]
pub(crate) struct Process {
    pub(crate) peer: Arc<Peer>,
    pub(crate) context: Arc<Context>,
    /// The thread group that opened the file.
    pub(crate) task: ARef<Task>,
    /// The nice value of the thread that opened the file.
    pub(crate) nice: i32,
    /// Who opened the file, whatever the caller of an ioctl has become since.
    pub(crate) cred: ARef<Credential>,
    pub(crate) area: Arc<Area<Contents>>,
    /// The process wants to know when it sends too many oneway messages.
    pub(crate) detects_spam: Atomic<bool>,
    #[pin]
    pub(crate) refs: SpinLock<Refs>,
    /// Threads that came lately, by their ids, where they are found without a lock.
    recent: [ExclusiveCell<Option<Arc<Thread>>>; NR_RECENT],
    in_instance: CheckedLinks<IN_INSTANCE>,
    in_registry: CheckedLinks<IN_REGISTRY>,
    /// The process counts as open until its release is over.
    counted: ExclusiveCell<Option<Counted>>,
}

impl_has_checked_links! {
    impl HasCheckedLinks<IN_INSTANCE> for Process { self.in_instance }
    impl HasCheckedLinks<IN_REGISTRY> for Process { self.in_registry }
}

/// How many threads are remembered; a power of two.
const NR_RECENT: usize = 16;

impl Deref for Process {
    type Target = Arc<Peer>;

    fn deref(&self) -> &Arc<Peer> {
        &self.peer
    }
}

impl Process {
    /// The process of a file that the current task opens.
    pub(crate) fn new(context: Arc<Context>, file: &UncountedFile) -> Result<Arc<Self>> {
        let current = current!();
        let leader = current.group_leader();
        let task_pid = leader.task_pid(PidType::ThreadGroup).ok_or(ESRCH)?;
        let peer = Peer::new(leader.pid(), task_pid)?;
        let area = Area::new(&context.instance.global.domain)?;
        let own_context = context.clone();
        let init = pin_init!(Self {
            peer,
            context: own_context,
            task: leader.into(),
            nice: current.nice(),
            cred: file.cred().into(),
            area,
            detects_spam: Atomic::new(false),
            refs <- new_spinlock!(Refs::new(), "Process::refs"),
            recent: [const { ExclusiveCell::new(None) }; NR_RECENT],
            in_instance: CheckedLinks::new(),
            in_registry: CheckedLinks::new(),
            counted: ExclusiveCell::new(Some(Counted::new(Kind::Process))),
        });
        let process = Arc::pin_init(init, GFP_KERNEL_ACCOUNT)?;
        context.instance.add(&process)?;
        process.set_process(Some(process.clone()));
        Ok(process)
    }

    /// Takes what makes the process count as open.
    pub(crate) fn take_counted(&self) -> Option<Counted> {
        self.counted.try_borrow_mut()?.take()
    }

    /// The thread that stands for the current task, made if the task is new here.
    pub(crate) fn current_thread(&self) -> Result<Arc<Thread>> {
        let tid = current!().pid();
        if let Some(Some(thread)) = self.recent(tid).try_borrow_mut().as_deref() {
            if thread.is_current() {
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
    fn forget_all(&self) {
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

    /// Finds the current task, which has that id, in the table, or enters it.
    #[inline(never)]
    fn find_thread(&self, tid: Pid) -> Result<Arc<Thread>> {
        if let Some(thread) = self.queue.lock().thread(tid) {
            if thread.is_current() {
                return Ok(thread.clone());
            }
        }
        let thread = Thread::new(self.peer.clone())?;
        let listed = ListedThread::new(tid, thread.clone(), GFP_KERNEL_ACCOUNT)?;
        let mut queue = self.queue.lock();
        // A task of this id that has ended without a word. Nobody else enters the current one.
        let stale = queue.thread(tid).cloned();
        let removed = stale.as_ref().and_then(|stale| queue.remove_thread(stale));
        queue.add_thread(listed);
        let swept = queue.sweep();
        drop(queue);
        drop((removed, swept));
        if let Some(stale) = stale {
            teardown::end_thread(&stale);
        }
        Ok(thread)
    }

    /// Whether the current thread has something to read; waits for it together with others.
    pub(crate) fn poll(&self, file: &File, table: &PollTable<'_>) -> Result<PollEvents> {
        let thread = self.current_thread()?;
        self.pollers.register(&self.queue, file, table)?;
        // The task is in no ioctl, so nobody else uses what is its own.
        let local = thread.local.try_borrow_mut().ok_or(EBUSY)?;
        let mut queue = self.queue.lock();
        let must_return = thread.must_return(&mut queue);
        let state = thread.state(&mut queue);
        state.looper |= looper::POLL;
        let takes_any = state.is_available() && local.is_available();
        let is_readable = state.is_ready || must_return || local.is_ready;
        Ok(if is_readable || takes_any && !queue.todo.is_empty() {
            PollEvents::IN
        } else {
            PollEvents::NONE
        })
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
}
