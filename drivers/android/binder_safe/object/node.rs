// SPDX-License-Identifier: GPL-2.0

//! An object that a process offers to others.
//!
//! The owner is told of references to its node as `pure::counts` says. What it has to be told goes
//! to the thread that sends the node for the first time, before that thread learns that its message
//! was accepted, and to any thread otherwise.

use super::{
    process::Process,
    queue::{
        ListedNode,
        Posted,
        Queue, //
    },
    subscription::Subscription,
    thread::Thread,
    transaction::Transaction,
    work::Work, //
};
use crate::{
    diag::objects::{
        Counted,
        Kind, //
    },
    proto::{
        object::Count,
        wire::FlatObject, //
    },
    pure::{
        counts::{
            Counts,
            News, //
        },
        ring::Ring,
    },
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        Arc,
        LockedBy,
        SpinLockGuard, //
    },
    task::Pid,
    uapi, //
};

/// A node: where its owner finds the object, and what senders must respect.
pub(crate) struct Node {
    pub(crate) owner: Arc<Process>,
    pub(crate) debug_id: u32,
    /// The owner's name for the object.
    pub(crate) ptr: u64,
    /// What else the owner wants to be told with each transaction.
    pub(crate) cookie: u64,
    /// `FLAT_BINDER_FLAG_*`.
    pub(crate) flags: u32,
    /// How many processes have strong references. Changed under the owner's lock.
    strong_refs: Atomic<u32>,
    /// Messages to the node that its owner has not freed. While there is a strong reference or
    /// another message, this changes without a lock.
    pins: Atomic<u32>,
    /// It is, or was, the node of a manager, which nobody has to keep alive.
    is_permanent: Atomic<bool>,
    state: LockedBy<NodeState, Queue>,
    _counted: Counted,
}

/// What the lock of the owner protects.
pub(crate) struct NodeState {
    pub(crate) counts: Counts,
    /// Who is to be told what changed.
    told: Told,
    /// The work of the process holds an item for this node, valid or not.
    is_queued: bool,
    /// The owner's table holds the node.
    pub(crate) is_listed: bool,
    /// A oneway message was not freed yet, so others wait here.
    pub(crate) is_busy: bool,
    pub(crate) parked: Ring<Arc<Transaction>>,
    /// Who wants to be told what becomes of the owner.
    pub(crate) subscribers: KVVec<Arc<Subscription>>,
}

/// Where the valid item for a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nobody,
    Any,
    Thread(Pid),
}

impl Node {
    /// A node of `owner`, as described by `object`.
    pub(crate) fn new(owner: Arc<Process>, object: &FlatObject, debug_id: u32) -> Self {
        let state = NodeState {
            counts: Counts::default(),
            told: Told::Nobody,
            is_queued: false,
            is_listed: false,
            is_busy: false,
            parked: Ring::new(),
            subscribers: KVVec::new(),
        };
        let state = LockedBy::new(&owner.queue, state);
        Self {
            owner,
            debug_id,
            ptr: object.binder,
            cookie: object.cookie,
            flags: object.flags,
            strong_refs: Atomic::new(0),
            pins: Atomic::new(0),
            is_permanent: Atomic::new(false),
            state,
            _counted: Counted::new(Kind::Node),
        }
    }

    /// The node's state, under the lock of its owner.
    pub(crate) fn state<'a>(&'a self, queue: &'a mut Queue) -> &'a mut NodeState {
        self.state.access_mut(queue)
    }

    /// The node's state for looking at, under the lock of its owner.
    pub(crate) fn state_ref<'a>(&'a self, queue: &'a Queue) -> &'a NodeState {
        self.state.access(queue)
    }

    /// Whether messages to the node may carry file descriptors.
    pub(crate) fn accepts_files(&self) -> bool {
        self.flags & uapi::flat_binder_object_flags_FLAT_BINDER_FLAG_ACCEPTS_FDS != 0
    }

    /// Whether the owner wants to know the security context of senders.
    pub(crate) fn wants_security_context(&self) -> bool {
        self.flags & uapi::flat_binder_object_flags_FLAT_BINDER_FLAG_TXN_SECURITY_CTX != 0
    }

    /// Makes this the node of a manager. Fails with `EAGAIN` if its owner has forgotten it
    /// meanwhile.
    pub(crate) fn make_permanent(&self, queue: &mut Queue) -> Result {
        let state = self.state(queue);
        if !state.is_listed {
            return Err(EAGAIN);
        }
        state.counts.make_permanent();
        self.is_permanent.store(true, Relaxed);
        Ok(())
    }

    /// How many processes and messages keep the object alive.
    pub(crate) fn strong_outside(&self) -> u32 {
        self.strong_refs() + self.pins()
    }

    /// How many processes have strong references.
    pub(crate) fn strong_refs(&self) -> u32 {
        self.strong_refs.load(Relaxed)
    }

    /// How many messages to the node keep the object alive.
    pub(crate) fn pins(&self) -> u32 {
        self.pins.load(Relaxed)
    }

    /// Whether anybody but the owner keeps the object alive.
    fn is_strong_outside(&self) -> bool {
        self.strong_refs.load(Relaxed) > 0 || self.pins.load(Relaxed) > 0
    }

    /// Adds a reference of another process, or to one: `is_new` if that process had none, and
    /// `is_strong` if it had no strong one.
    ///
    /// The first strong reference must be made by a `teller`, a thread of the owner with room in
    /// its inbox that will tell its process of it. Fails with `EINVAL` otherwise, and with `EAGAIN`
    /// if the owner, which lives, has forgotten the node meanwhile.
    pub(crate) fn add_ref(
        self: &Arc<Self>,
        queue: &mut Queue,
        is_new: bool,
        is_strong: bool,
        teller: Option<&Thread>,
    ) -> Result {
        let is_first = is_strong && !self.is_strong_outside();
        if is_new && !self.state_ref(queue).is_listed && !queue.is_dead {
            return Err(EAGAIN);
        }
        let state = self.state(queue);
        if is_first && teller.is_none() && !state.counts.has(Count::Strong) {
            return Err(EINVAL);
        }
        state.counts.refs += u32::from(is_new);
        if is_strong {
            self.strong_refs.fetch_add(1, Full);
        }
        if let Some(teller) = teller {
            self.tell_thread(queue, teller);
        }
        Ok(())
    }

    /// Takes away a reference of another process: `is_last` if that process has none left, and
    /// `is_strong` if it has no strong one left.
    pub(crate) fn remove_ref(&self, queue: &mut Queue, is_last: bool, is_strong: bool) {
        if is_strong {
            // Ordered before the look at `pins` in `is_strong_outside`; see `NodePin`.
            self.strong_refs.fetch_sub(1, Full);
        }
        self.state(queue).counts.refs -= u32::from(is_last);
    }

    /// The owner has another message that hands the node back to it.
    pub(crate) fn add_local(&self, queue: &mut Queue, count: Count) {
        let counts = &mut self.state(queue).counts;
        match count {
            Count::Strong => counts.local_strong += 1,
            Count::Weak => counts.local_weak += 1,
        }
    }

    /// The owner no longer has a message that handed the node back to it.
    pub(crate) fn release_local(self: &Arc<Self>, count: Count) {
        let mut queue = self.owner.queue.lock();
        let counts = &mut self.state(&mut queue).counts;
        match count {
            Count::Strong => counts.local_strong -= 1,
            Count::Weak => counts.local_weak -= 1,
        }
        self.settle_and_wake(queue);
    }

    /// Forgets the node if it serves no purpose, since what it was looked up for has failed.
    pub(crate) fn give_up(self: &Arc<Self>) {
        self.settle_and_wake(self.owner.queue.lock());
    }

    fn settle_and_wake(self: &Arc<Self>, mut queue: SpinLockGuard<'_, Queue>) {
        let settled = self.settle(&mut queue);
        drop(queue);
        self.owner.wake_posted(settled.posted);
    }

    /// Sees that the owner is told what has changed, and forgets a node that serves no purpose.
    pub(crate) fn settle(self: &Arc<Self>, queue: &mut Queue) -> Settled {
        let strong_outside = self.is_strong_outside();
        let state = self.state(queue);
        if state.counts.has_news(strong_outside) {
            return Settled {
                posted: self.tell_any(queue),
                node: None,
            };
        }
        let is_unused = state.is_listed && state.counts.is_unused(strong_outside);
        Settled {
            posted: None,
            node: is_unused.then(|| queue.remove_node(self)).flatten(),
        }
    }

    /// What to tell the owner by an item that `thread` took from its inbox or, without one, from
    /// the work of the process; `None` if the item is not valid any more.
    pub(crate) fn take_news(self: &Arc<Self>, queue: &mut Queue, at: Option<Pid>) -> Option<News> {
        let strong_outside = self.is_strong_outside();
        let state = self.state(queue);
        let here = match at {
            Some(tid) => Told::Thread(tid),
            None => {
                state.is_queued = false;
                if self.state_ref(queue).is_listed {
                    queue.todo.promise_again();
                }
                Told::Any
            }
        };
        let state = self.state(queue);
        if state.told != here {
            return None;
        }
        state.told = Told::Nobody;
        let news = state.counts.tell(strong_outside);
        Some(news)
    }

    /// Puts an item into the inbox of `teller`, who is not woken for it.
    fn tell_thread(self: &Arc<Self>, queue: &mut Queue, teller: &Thread) {
        let strong_outside = self.is_strong_outside();
        let state = self.state(queue);
        let told = Told::Thread(teller.tid);
        if state.told == told || !state.counts.has_news(strong_outside) {
            return;
        }
        state.told = told;
        // The teller made room for it.
        teller.enclose(queue, Work::Node(self.clone()));
    }

    /// Puts an item into the work of the process, unless one is under way. Says whom to wake.
    pub(crate) fn tell_any(self: &Arc<Self>, queue: &mut Queue) -> Option<Posted> {
        let state = self.state(queue);
        if state.told != Told::Nobody || !state.is_listed {
            return None;
        }
        state.told = Told::Any;
        if !core::mem::replace(&mut state.is_queued, true) {
            queue.todo.push_promised(Work::Node(self.clone()));
        }
        Some(queue.pick_idle())
    }

    /// Passes an item that a thread did not read on to the process.
    pub(crate) fn pass_on(self: &Arc<Self>, queue: &mut Queue, tid: Pid) -> Option<Posted> {
        let state = self.state(queue);
        if state.told != Told::Thread(tid) {
            return None;
        }
        state.told = Told::Nobody;
        self.tell_any(queue)
    }

    /// The oneway message in progress was freed: lets the next one go. Says whom to wake.
    pub(crate) fn advance(&self, queue: &mut Queue) -> Option<Posted> {
        let state = self.state(queue);
        match state.parked.pop() {
            Some(next) => {
                queue.todo.push_promised(Work::Transaction(next));
                Some(queue.pick_idle())
            }
            None => {
                state.is_busy = false;
                None
            }
        }
    }
}

impl NodeState {
    /// Whether the work of the process holds an item for the node.
    pub(crate) fn is_queued(&self) -> bool {
        self.is_queued
    }
}

/// What is left to do once the locks are released.
#[must_use]
#[derive(Default)]
pub(crate) struct Settled {
    /// The owner got work.
    pub(crate) posted: Option<Posted>,
    /// The node left the owner's table, and is to be dropped.
    pub(crate) node: Option<ListedNode>,
}

/// Keeps a node's object alive while a message to it is under way.
///
/// Dropping it takes the lock of the node's owner if it may have been the last thing to do so: both
/// this and [`Node::remove_ref`] first take away their own part and then look for the other's, with
/// full ordering between the two, so at least one of them sees that nothing is left.
pub(crate) struct NodePin(Arc<Node>);

impl NodePin {
    /// Pins a node that is kept alive otherwise at this moment.
    pub(crate) fn new(node: Arc<Node>) -> Self {
        node.pins.fetch_add(1, Full);
        Self(node)
    }
}

impl core::ops::Deref for NodePin {
    type Target = Arc<Node>;

    fn deref(&self) -> &Arc<Node> {
        &self.0
    }
}

impl Drop for NodePin {
    fn drop(&mut self) {
        let node = &self.0;
        if node.pins.fetch_sub(1, Full) == 1
            && node.strong_refs.load(Relaxed) == 0
            && !node.is_permanent.load(Relaxed)
        {
            let mut queue = node.owner.queue.lock();
            let settled = node.settle(&mut queue);
            drop(queue);
            node.owner.wake_posted(settled.posted);
            drop(settled.node);
        }
    }
}
