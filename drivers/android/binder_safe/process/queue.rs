// SPDX-License-Identifier: GPL-2.0

//! The work of a process and the threads that do it.

use super::{
    node::Node,
    subscribers::{
        Delivered,
        Subscribers, //
    }, //
};
use crate::{
    diag::{
        commands::Sums,
        objects::Kind, //
    },
    thread::{
        work::WorkList,
        Thread, //
    }, //
};
use kernel::{
    list::CheckedList,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNode, //
    },
    sync::{
        aref::ARef,
        Arc, //
    },
    task::{
        Pid,
        PidType,
        Task, //
    }, //
};

/// What the lock of a process protects, the states of its threads and nodes included.
pub(crate) struct Queue {
    /// Work for the thread that is free first. There is none while a thread sleeps that could take
    /// it.
    pub(crate) todo: WorkList,
    /// The nodes of the process by their pointers.
    nodes: RBTree<u64, Arc<Node>>,
    /// All threads, by their ids.
    threads: RBTree<Pid, Arc<Thread>>,
    nr_threads: usize,
    /// Records of threads up to this id were looked at by [`Self::sweep`].
    swept: Pid,
    /// Threads that sleep until there is work for any of them. The one that came last goes first,
    /// because its memory is warmest.
    idle: CheckedList<Thread>,
    nr_idle: usize,
    pub(crate) loopers: Loopers,
    /// How many threads make or handle a call.
    pub(crate) in_calls: usize,
    /// How many times a file descriptor was closed.
    pub(crate) flushes: u32,
    /// Who wants news about the nodes of the process.
    pub(crate) subscribers: Subscribers,
    /// News of others that the process has read and not confirmed.
    pub(crate) delivered: Delivered,
    pub(crate) freeze: FreezeState,
    /// Counts of threads that are gone.
    pub(crate) gone: Sums,
    /// The process was released; nothing may be queued any more.
    pub(crate) is_dead: bool,
}

/// What the lock of a process protects of its being frozen.
#[derive(Default)]
pub(crate) struct FreezeState {
    /// How many attempts to freeze it are under way, during which it refuses calls.
    pub(crate) attempts: u32,
    /// It has refused a call since it was frozen.
    pub(crate) refused_call: bool,
    /// It has got a oneway message since.
    pub(crate) kept_oneway: bool,
}

/// How many threads the process has and was asked for.
#[derive(Default)]
pub(crate) struct Loopers {
    /// How many the driver may ask for.
    pub(crate) max: u32,
    /// How many were asked for and have not registered yet.
    pub(crate) requested: u32,
    /// How many were asked for and have registered.
    pub(crate) started: u32,
}

impl Loopers {
    /// Whether there may be another thread, which was not asked for yet.
    pub(crate) fn lacks_one(&self) -> bool {
        self.requested == 0 && self.started < self.max
    }

    /// Whether the process is to be asked for another thread, which then counts as requested.
    pub(crate) fn request(&mut self) -> bool {
        let wants_one = self.lacks_one();
        self.requested += u32::from(wants_one);
        wants_one
    }

    /// The process was not asked after all.
    pub(crate) fn take_back(&mut self) {
        self.requested = self.requested.saturating_sub(1);
    }

    /// A requested thread has come. Fails if none was requested.
    pub(crate) fn register(&mut self) -> Result {
        self.requested = self.requested.checked_sub(1).ok_or(EINVAL)?;
        self.started += 1;
        Ok(())
    }
}

/// A node's place in the table.
pub(crate) type ListedNode = RBTreeNode<u64, Arc<Node>>;

/// A thread's place in the table, to be dropped after unlocking.
pub(crate) type ListedThread = RBTreeNode<Pid, Arc<Thread>>;

/// How many records [`Queue::sweep`] looks at: more than one for each new thread, so that there are
/// never many more records than threads.
const SWEEP: usize = 2;

impl Queue {
    /// No work and no threads.
    pub(crate) fn new() -> Self {
        Self {
            todo: WorkList::new(),
            nodes: RBTree::new(),
            threads: RBTree::new(),
            nr_threads: 0,
            swept: Pid::MIN,
            idle: CheckedList::new(),
            nr_idle: 0,
            loopers: Loopers::default(),
            in_calls: 0,
            flushes: 0,
            subscribers: Subscribers::new(),
            delivered: Delivered::new(),
            freeze: FreezeState::default(),
            gone: Sums::new(),
            is_dead: false,
        }
    }

    /// The thread of that id.
    pub(crate) fn thread(&self, tid: Pid) -> Option<&Arc<Thread>> {
        self.threads.get(&tid)
    }

    /// The thread with the lowest id above `tid`.
    pub(crate) fn thread_above(&self, tid: Pid) -> Option<Arc<Thread>> {
        let cursor = self.threads.cursor_lower_bound(&tid.checked_add(1)?)?;
        Some(cursor.current().1.clone())
    }

    /// All threads, by their ids.
    pub(crate) fn threads(&self) -> impl Iterator<Item = &Arc<Thread>> {
        self.threads.values()
    }

    /// How many threads there are.
    pub(crate) fn nr_threads(&self) -> usize {
        self.nr_threads
    }

    /// Adds a thread, whose id no other has.
    pub(crate) fn add_thread(&mut self, listed: ListedThread) {
        Kind::Thread.begin();
        self.nr_threads += 1;
        self.threads.insert(listed);
    }

    /// Takes a thread out of the table, if it is there.
    pub(crate) fn remove_thread(&mut self, thread: &Thread) -> Option<ListedThread> {
        let found = self.threads.get(&thread.tid)?;
        if !core::ptr::eq(&**found, thread) {
            return None;
        }
        let removed = self.threads.remove_node(&thread.tid)?;
        self.count_gone(thread);
        Some(removed)
    }

    /// Takes any thread out of the table.
    pub(crate) fn pop_thread(&mut self) -> Option<(Arc<Thread>, ListedThread)> {
        let thread = self.threads.values().next()?.clone();
        let listed = self.remove_thread(&thread)?;
        Some((thread, listed))
    }

    /// Takes the records of threads out that have ended without `BINDER_THREAD_EXIT` and left
    /// nothing behind. Looks at a few, behind those that it looked at before.
    pub(crate) fn sweep(&mut self) -> [Option<ListedThread>; SWEEP] {
        [(); SWEEP].map(|()| {
            let Some(thread) = self.thread_above(self.swept) else {
                self.swept = Pid::MIN;
                return None;
            };
            self.swept = thread.tid;
            if thread.pid.has_task(PidType::Thread) || !thread.state(self).is_available() {
                return None;
            }
            thread.set_dead(self);
            self.remove_thread(&thread)
        })
    }

    fn count_gone(&mut self, thread: &Thread) {
        self.nr_threads -= 1;
        self.gone.add(&thread.counters);
        Kind::Thread.end();
    }

    /// How many threads wait for work.
    pub(crate) fn nr_idle(&self) -> usize {
        self.nr_idle
    }

    /// Whether no thread waits for work.
    pub(crate) fn nobody_is_idle(&self) -> bool {
        self.idle.is_empty()
    }

    /// Adds a thread that is about to wait for any work.
    pub(crate) fn push_idle(&mut self, thread: &Arc<Thread>) {
        self.nr_idle += usize::from(self.idle.push_front(thread.clone()).is_ok());
    }

    /// Takes the thread that began to wait last.
    pub(crate) fn pop_idle(&mut self) -> Option<Arc<Thread>> {
        let thread = self.idle.pop_front()?;
        self.nr_idle -= 1;
        Some(thread)
    }

    /// Takes out a thread that no longer waits, unless somebody who gave it work has done so.
    pub(crate) fn remove_idle(&mut self, thread: &Thread) -> Option<Arc<Thread>> {
        let removed = self.idle.remove(thread)?;
        self.nr_idle -= 1;
        Some(removed)
    }

    /// Takes the task that sleeps in a read of `thread`, which is to return with nothing.
    pub(super) fn take_sleeper(&mut self, thread: &Thread) -> Option<ARef<Task>> {
        let sleeper = thread.state(self).sleeper.take()?;
        // The caller has another reference.
        let _thread = self.remove_idle(thread);
        Some(sleeper)
    }

    /// The node at `ptr`.
    pub(crate) fn node(&self, ptr: u64) -> Option<&Arc<Node>> {
        self.nodes.get(&ptr)
    }

    /// The first node whose pointer is not below `ptr`.
    pub(crate) fn node_from(&self, ptr: u64) -> Option<Arc<Node>> {
        let cursor = self.nodes.cursor_lower_bound(&ptr)?;
        Some(cursor.current().1.clone())
    }

    /// The first node whose pointer is above `ptr`.
    pub(crate) fn node_after(&self, ptr: u64) -> Option<Arc<Node>> {
        self.node_from(ptr.checked_add(1)?)
    }

    /// Adds `node` by its place `listed`. No other node has its pointer.
    pub(crate) fn add_node(&mut self, node: &Node, listed: ListedNode) {
        node.state(self).is_listed = true;
        self.nodes.insert(listed);
    }

    /// Takes a node out, and out of the work of the process.
    pub(crate) fn remove_node(&mut self, node: &Node) -> Option<ListedNode> {
        let listed = self.nodes.remove_node(&node.ptr)?;
        node.state(self).is_listed = false;
        // The table had another reference.
        let _node = self.todo.remove(node);
        Some(listed)
    }

    /// Takes any node out.
    pub(crate) fn pop_node(&mut self) -> Option<(Arc<Node>, ListedNode)> {
        let node = self.nodes.values().next()?.clone();
        let listed = self.remove_node(&node)?;
        Some((node, listed))
    }
}
