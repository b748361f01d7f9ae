// SPDX-License-Identifier: GPL-2.0

//! The work of a process and the threads that do it.

use super::{
    node::Node,
    process::Process,
    subscription::Subscription,
    thread::Thread,
    work::Work, //
};
use crate::{
    diag::{
        commands::Sums,
        objects::Kind, //
    },
    pure::todo::Todo,
};
use kernel::{
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNode,
        RBTreeNodeReservation, //
    },
    sync::{
        aref::ARef,
        Arc, //
    },
    task::{
        Pid,
        Task, //
    }, //
};

/// What the lock of a process protects, the states of its threads included.
pub(crate) struct Queue {
    /// Work for whichever thread is free.
    pub(crate) todo: Todo<Work>,
    /// The nodes of the process by their pointers. Each has a place in `todo` promised, unless it
    /// is there.
    nodes: RBTree<u64, Arc<Node>>,
    /// All threads, by their ids. There is always room to make all of them idle.
    threads: KVec<Arc<Thread>>,
    /// Threads that sleep until there is work in `todo`. The one that came last goes first, because
    /// its memory is warmest.
    idle: KVec<Arc<Thread>>,
    pub(crate) loopers: Loopers,
    /// What the process has read about nodes of others, and not confirmed. Each of its
    /// subscriptions has a place here promised, unless it is there.
    pub(crate) delivered: Todo<Arc<Subscription>>,
    /// What came while the process was frozen.
    pub(crate) refused_call: bool,
    pub(crate) kept_oneway: bool,
    /// What threads that are gone have counted.
    pub(crate) gone: Sums,
    /// The process was released; nothing may be queued any more.
    pub(crate) is_dead: bool,
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

/// A node's place in the table, to be dropped after unlocking.
pub(crate) type ListedNode = RBTreeNode<u64, Arc<Node>>;

/// Memory for a place in the table.
pub(crate) type NodeRoom = RBTreeNodeReservation<u64, Arc<Node>>;

/// Work was queued for any thread, this one first.
#[must_use]
pub(crate) struct Posted(pub(crate) Option<ARef<Task>>);

/// Room for one more thread, allocated where sleeping is allowed.
pub(crate) struct ThreadRoom {
    threads: KVec<Arc<Thread>>,
    idle: KVec<Arc<Thread>>,
}

impl ThreadRoom {
    /// Allocates room for `capacity` threads.
    pub(crate) fn new(capacity: usize) -> Result<Self> {
        Ok(Self {
            threads: KVec::with_capacity(capacity, GFP_KERNEL_ACCOUNT)?,
            idle: KVec::with_capacity(capacity, GFP_KERNEL_ACCOUNT)?,
        })
    }
}

impl Queue {
    /// No work and no threads.
    pub(crate) fn new() -> Self {
        Self {
            todo: Todo::new(),
            nodes: RBTree::new(),
            threads: KVec::new(),
            idle: KVec::new(),
            loopers: Loopers::default(),
            delivered: Todo::new(),
            refused_call: false,
            kept_oneway: false,
            gone: Sums::new(),
            is_dead: false,
        }
    }

    /// The thread of that id.
    pub(crate) fn thread(&self, tid: Pid) -> Option<&Arc<Thread>> {
        let index = self.threads.binary_search_by_key(&tid, |thread| thread.tid);
        Some(&self.threads[index.ok()?])
    }

    /// All threads, by their ids.
    pub(crate) fn threads(&self) -> &[Arc<Thread>] {
        &self.threads
    }

    /// How many threads there is room for.
    pub(crate) fn thread_capacity(&self) -> usize {
        self.threads.capacity()
    }

    /// Adds a thread, unless there is no room. There must be none of its id.
    pub(crate) fn add_thread(&mut self, thread: &Arc<Thread>) -> bool {
        let index = self.threads.partition_point(|other| other.tid < thread.tid);
        let added = self
            .threads
            .insert_within_capacity(index, thread.clone())
            .is_ok();
        if added {
            Kind::Thread.begin();
        }
        added
    }

    /// Moves the threads to larger `room` and gives back the old one, to be freed after unlocking.
    pub(crate) fn grow_threads(&mut self, mut room: ThreadRoom) -> ThreadRoom {
        if room.threads.capacity() > self.threads.capacity() {
            move_all(&mut self.threads, &mut room.threads);
            move_all(&mut self.idle, &mut room.idle);
        }
        room
    }

    /// Takes a thread out of the table.
    pub(crate) fn remove_thread(&mut self, thread: &Thread) -> Option<Arc<Thread>> {
        let index = self
            .threads
            .iter()
            .position(|other| is_same(other, thread))?;
        let removed = self.threads.remove(index).ok()?;
        self.count_gone(&removed);
        Some(removed)
    }

    /// Takes any thread out of the table.
    pub(crate) fn pop_thread(&mut self) -> Option<Arc<Thread>> {
        let removed = self.threads.pop()?;
        self.count_gone(&removed);
        Some(removed)
    }

    fn count_gone(&mut self, thread: &Thread) {
        self.gone.add(&thread.counters);
        Kind::Thread.end();
    }

    /// How many threads wait for work.
    pub(crate) fn nr_idle(&self) -> usize {
        self.idle.len()
    }

    /// Whether no thread waits for work.
    pub(crate) fn nobody_is_idle(&self) -> bool {
        self.idle.is_empty()
    }

    /// Whether a thread shall ask its `process` for another one, because nobody is left to wait.
    pub(crate) fn request_looper(&mut self, process: &Process) -> bool {
        let spawn = self.nobody_is_idle() && self.loopers.request();
        if spawn {
            process.note_loopers(self);
        }
        spawn
    }

    /// Adds a thread that is about to wait for any work.
    pub(crate) fn push_idle(&mut self, thread: &Arc<Thread>) {
        // There is room for each thread of the table, and a thread waits once.
        let _ = self.idle.push_within_capacity(thread.clone());
    }

    /// Takes the thread that began to wait last.
    pub(crate) fn pop_idle(&mut self) -> Option<Arc<Thread>> {
        self.idle.pop()
    }

    /// Picks the thread that gets work which was queued for any.
    pub(crate) fn pick_idle(&mut self) -> Posted {
        Posted(
            self.pop_idle()
                .and_then(|thread| thread.state(self).sleeper.take()),
        )
    }

    /// The node at `ptr`.
    pub(crate) fn node(&self, ptr: u64) -> Option<&Arc<Node>> {
        self.nodes.get(&ptr)
    }

    /// All nodes.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.nodes.values()
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

    /// Adds a node, whose pointer no other has. Gives the memory back if `todo` is full.
    pub(crate) fn add_node(&mut self, room: NodeRoom, node: &Arc<Node>) -> Result<(), NodeRoom> {
        if !self.todo.promise() {
            return Err(room);
        }
        self.nodes.insert(room.into_node(node.ptr, node.clone()));
        node.state(self).is_listed = true;
        Ok(())
    }

    /// Takes a node out.
    pub(crate) fn remove_node(&mut self, node: &Node) -> Option<ListedNode> {
        let listed = self.nodes.remove_node(&node.ptr)?;
        let state = node.state(self);
        state.is_listed = false;
        if !state.is_queued() {
            self.todo.forgo();
        }
        Some(listed)
    }

    /// Takes any node out.
    pub(crate) fn pop_node(&mut self) -> Option<(Arc<Node>, ListedNode)> {
        let node = self.nodes.values().next()?.clone();
        let listed = self.remove_node(&node)?;
        Some((node, listed))
    }

    /// Takes out a thread that no longer waits. Whoever gave it work may have done so already.
    pub(crate) fn remove_idle(&mut self, thread: &Thread) -> Option<Arc<Thread>> {
        let index = self.idle.iter().rposition(|other| is_same(other, thread))?;
        self.idle.remove(index).ok()
    }
}

fn is_same(other: &Arc<Thread>, thread: &Thread) -> bool {
    core::ptr::eq(&**other, thread)
}

/// Moves the items of `from` to the larger `to`, and swaps the two.
fn move_all<T>(from: &mut KVec<T>, to: &mut KVec<T>) {
    for item in from.drain_all() {
        // There is room, so this cannot fail.
        let _ = to.push_within_capacity(item);
    }
    core::mem::swap(from, to);
}
