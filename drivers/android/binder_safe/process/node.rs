// SPDX-License-Identifier: GPL-2.0

//! An object that a process offers to others.
//!
//! The owner is told of references to its node as `collections::counts` says. The update goes to
//! the thread that sends the node for the first time, before that thread learns that its message
//! was accepted, and to any thread otherwise.

use super::{
    peer::Peer,
    queue::{
        ListedNode,
        Queue, //
    }, //
};
use crate::{
    collections::counts::{
        Counts,
        RefUpdate, //
    },
    diag::objects::{
        Counted,
        Kind, //
    },
    thread::{
        wake::{
            Urgency,
            Wake, //
        },
        work::{
            Queued,
            Work,
            WorkLinks,
            WorkList, //
        },
        Thread, //
    },
    wire::{
        object::Count,
        structs::FlatObject, //
    }, //
};
use kernel::{
    list::impl_has_checked_links,
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
    pub(crate) owner: Arc<Peer>,
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
    links: WorkLinks,
    _counted: Counted,
}

impl_has_checked_links! {
    impl HasCheckedLinks<0, 2> for Node { self.links }
}

impl Queued for Node {
    fn into_work(self: Arc<Self>) -> Work {
        Work::Node(self)
    }
}

/// What the lock of the owner protects.
pub(crate) struct NodeState {
    pub(crate) counts: Counts,
    /// Whose queue the node is in, because its owner has something to learn.
    pending_on: PendingOn,
    /// The owner's table holds the node.
    pub(crate) is_listed: bool,
    /// A oneway message was not freed yet, so others wait here.
    pub(crate) is_busy: bool,
    pub(crate) parked: WorkList,
}

/// Which queue a node is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PendingOn {
    Nobody,
    /// The work of the process, or the inbox of a thread that was picked for it.
    Process,
    /// The inbox of the thread that sent the node, where it comes before the return for the
    /// message.
    Sender(Pid),
}

impl Node {
    /// A node of `owner`, as described by `object`.
    pub(crate) fn new(owner: Arc<Peer>, object: &FlatObject, debug_id: u32) -> Self {
        let state = NodeState {
            counts: Counts::default(),
            pending_on: PendingOn::Nobody,
            is_listed: false,
            is_busy: false,
            parked: WorkList::new(),
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
            links: WorkLinks::new(),
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
    /// The first strong reference must be made by a `notifier`, a thread of the owner that will
    /// tell its process of it. Fails with `EINVAL` otherwise, and with `EAGAIN` if the owner, which
    /// lives, has forgotten the node meanwhile.
    pub(crate) fn add_ref(
        self: &Arc<Self>,
        queue: &mut Queue,
        is_new: bool,
        is_strong: bool,
        notifier: Option<&Thread>,
    ) -> Result {
        let is_first = is_strong && !self.is_strong_outside();
        if is_new && !self.state_ref(queue).is_listed && !queue.is_dead {
            return Err(EAGAIN);
        }
        let state = self.state(queue);
        if is_first && notifier.is_none() && !state.counts.has(Count::Strong) {
            return Err(EINVAL);
        }
        state.counts.refs += u32::from(is_new);
        if is_strong {
            self.strong_refs.fetch_add(1, Full);
        }
        if let Some(notifier) = notifier {
            self.notify_by(queue, notifier);
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
        self.update_and_wake(queue);
    }

    /// Forgets the node if it serves no purpose, since what it was looked up for has failed.
    pub(crate) fn give_up(self: &Arc<Self>) {
        self.update_and_wake(self.owner.queue.lock());
    }

    /// Updates the owner, and releases its lock.
    pub(crate) fn update_and_wake(self: &Arc<Self>, mut queue: SpinLockGuard<'_, Queue>) {
        let (wake, listed) = self.update_owner(&mut queue);
        drop(queue);
        wake.wake(Urgency::Plain);
        drop(listed);
    }

    /// Sees that the owner is told what has changed, and forgets a node that serves no purpose.
    ///
    /// Gives what is to be done after unlocking: whom to wake, and a place that was left.
    pub(crate) fn update_owner(
        self: &Arc<Self>,
        queue: &mut Queue,
    ) -> (Wake<'_>, Option<ListedNode>) {
        let strong_outside = self.is_strong_outside();
        let state = self.state(queue);
        if state.counts.has_news(strong_outside) {
            return (self.notify_by_any(queue), None);
        }
        let is_unused = state.is_listed && state.counts.is_unused(strong_outside);
        let listed = is_unused.then(|| queue.remove_node(self)).flatten();
        (Wake::nobody(), listed)
    }

    /// What to tell the owner, now that the node was taken out of a queue. Gives the place of a
    /// node that serves no purpose any more.
    ///
    /// References and pins are looked at once: if the last one goes after that, it sees to the rest
    /// as soon as it gets the lock.
    pub(crate) fn take_update(&self, queue: &mut Queue) -> (RefUpdate, Option<ListedNode>) {
        let strong_outside = self.is_strong_outside();
        let state = self.state(queue);
        state.pending_on = PendingOn::Nobody;
        let update = state.counts.tell(strong_outside);
        let is_unused = state.is_listed && state.counts.is_unused(strong_outside);
        let listed = is_unused.then(|| queue.remove_node(self)).flatten();
        (update, listed)
    }

    /// Puts the node into the inbox of `sender`, a thread of the owner that is not woken for it,
    /// wherever it was before.
    fn notify_by(self: &Arc<Self>, queue: &mut Queue, sender: &Thread) {
        let strong_outside = self.is_strong_outside();
        let state = self.state(queue);
        let here = PendingOn::Sender(sender.tid);
        if state.pending_on == here || !state.counts.has_news(strong_outside) {
            return;
        }
        match core::mem::replace(&mut state.pending_on, here) {
            PendingOn::Nobody => {}
            // The caller has another reference.
            PendingOn::Process => drop(queue.todo.remove(&**self)),
            PendingOn::Sender(other) => {
                if let Some(other) = queue.thread(other).cloned() {
                    other.withdraw(queue, &**self);
                }
            }
        }
        if !sender.enclose(queue, self.clone()) {
            // A thread that was picked for it has it in its inbox, and reads it at once.
            self.state(queue).pending_on = PendingOn::Process;
        }
    }

    /// Puts the node into the work of the process, unless it is in a queue already.
    fn notify_by_any(self: &Arc<Self>, queue: &mut Queue) -> Wake<'_> {
        let state = self.state(queue);
        if state.pending_on != PendingOn::Nobody || !state.is_listed {
            return Wake::nobody();
        }
        state.pending_on = PendingOn::Process;
        self.owner.assign(queue, Work::Node(self.clone()))
    }

    /// Passes the node, which a thread that ends had in its inbox, on to the process.
    pub(crate) fn pass_on(self: &Arc<Self>, queue: &mut Queue) -> Wake<'_> {
        self.state(queue).pending_on = PendingOn::Nobody;
        self.notify_by_any(queue)
    }

    /// The oneway message in progress was freed: lets the next one go.
    pub(crate) fn advance(&self, queue: &mut Queue) -> Wake<'_> {
        let state = self.state(queue);
        match state.parked.pop_front() {
            Some(next) => self.owner.assign(queue, next.into_work()),
            None => {
                state.is_busy = false;
                Wake::nobody()
            }
        }
    }
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
            node.update_and_wake(node.owner.queue.lock());
        }
    }
}
