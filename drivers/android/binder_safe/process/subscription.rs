// SPDX-License-Identifier: GPL-2.0

//! A request of a process to be told about a node: that its owner died, or that its owner was
//! frozen or thawed.
//!
//! Both work alike. A process subscribes by a handle and names a cookie. When there is news it
//! reads the cookie, and confirms that it did. A subscription that is cleared ends with a last
//! return, after the news that is already on its way was confirmed. One whose handle goes away just
//! ends.

use super::{
    node::Node,
    peer::Peer,
    queue::Queue,
    refs::Ref,
    Process, //
};
use crate::{
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
            WorkLinks, //
        },
        Thread, //
    }, //
};
use kernel::{
    fmt::{
        Display,
        Formatter, //
    },
    list::{
        impl_has_checked_links,
        CheckedLinks,
        CheckedList, //
    },
    prelude::*,
    sync::{
        Arc,
        LockedBy, //
    }, //
};

/// What a subscription is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// The owner of the node dies.
    Death,
    /// The owner of the node is frozen or thawed.
    Freeze,
}

impl Display for Topic {
    fn fmt(&self, f: &mut Formatter<'_>) -> kernel::fmt::Result {
        f.write_str(match self {
            Self::Death => "death",
            Self::Freeze => "freezing",
        })
    }
}

/// Links of subscriptions at the owner of their node.
const OF_OWNER: u64 = 1;

/// Links of subscriptions that were delivered.
const DELIVERED: u64 = 2;

/// News that a process has read and not confirmed, the oldest first.
pub(crate) type Delivered = CheckedList<Subscription, DELIVERED>;

/// Who wants news about the nodes of one process, by topic.
pub(crate) struct Subscribers {
    death: CheckedList<Subscription, OF_OWNER>,
    freeze: CheckedList<Subscription, OF_OWNER>,
    nr_freeze: usize,
}

/// A subscription of `process` to news about `node`.
pub(crate) struct Subscription {
    pub(crate) process: Arc<Peer>,
    pub(crate) node: Arc<Node>,
    pub(crate) topic: Topic,
    pub(crate) cookie: u64,
    state: LockedBy<State, Queue>,
    links: WorkLinks,
    of_owner: CheckedLinks<OF_OWNER>,
    delivered: CheckedLinks<DELIVERED>,
    _counted: Counted,
}

impl_has_checked_links! {
    impl HasCheckedLinks<0, 2> for Subscription { self.links }
    impl HasCheckedLinks<OF_OWNER> for Subscription { self.of_owner }
    impl HasCheckedLinks<DELIVERED> for Subscription { self.delivered }
}

impl Queued for Subscription {
    fn into_work(self: Arc<Self>) -> Work {
        Work::Notice(self)
    }

    fn as_notice(&self, queue: &Queue) -> Option<Notice> {
        self.preview(queue)
    }
}

/// State that the lock of the subscriber protects. Whether an item is queued, or was delivered and
/// not confirmed, is seen from the links.
struct State {
    /// There is news that was not delivered.
    is_due: bool,
    /// The subscriber wants no more.
    is_cleared: bool,
    /// The subscriber no longer has the handle.
    is_over: bool,
    /// The state that was delivered last of a [`Topic::Freeze`].
    told_frozen: Option<bool>,
    /// The state of the owner as it was last announced.
    is_frozen: bool,
}

/// What the subscriber reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// `BR_DEAD_BINDER`
    Dead,
    /// `BR_FROZEN_BINDER`, with whether the owner is frozen.
    Frozen(bool),
    /// `BR_CLEAR_DEATH_NOTIFICATION_DONE`, `BR_CLEAR_FREEZE_NOTIFICATION_DONE`
    Cleared,
}

impl Display for Notice {
    fn fmt(&self, f: &mut Formatter<'_>) -> kernel::fmt::Result {
        f.write_str(match self {
            Self::Dead => "dead",
            Self::Frozen(true) => "frozen",
            Self::Frozen(false) => "thawed",
            Self::Cleared => "no more news",
        })
    }
}

impl Subscription {
    /// A subscription that nobody knows yet.
    pub(crate) fn new(
        process: Arc<Peer>,
        node: Arc<Node>,
        topic: Topic,
        cookie: u64,
    ) -> Result<Arc<Self>> {
        let state = State {
            is_due: false,
            is_cleared: false,
            is_over: false,
            told_frozen: None,
            is_frozen: false,
        };
        let state = LockedBy::new(&process.queue, state);
        let subscription = Self {
            process,
            node,
            topic,
            cookie,
            state,
            links: WorkLinks::new(),
            of_owner: CheckedLinks::new(),
            delivered: CheckedLinks::new(),
            _counted: Counted::new(match topic {
                Topic::Death => Kind::Death,
                Topic::Freeze => Kind::Freeze,
            }),
        };
        Ok(Arc::new(subscription, GFP_KERNEL_ACCOUNT)?)
    }

    fn state<'a>(&'a self, queue: &'a mut Queue) -> &'a mut State {
        self.state.access_mut(queue)
    }

    /// Whether neither an item is queued nor one waits to be confirmed.
    fn is_idle(&self) -> bool {
        !self.links.is_linked() && !self.delivered.is_linked()
    }

    /// There is news: the owner died or, for [`Topic::Freeze`], may have been frozen or thawed.
    pub(crate) fn announce(self: &Arc<Self>) {
        let mut queue = self.process.queue.lock();
        // Looked at under the lock, so that the one who announces last has the last word.
        let is_frozen = self.node.owner.is_known_frozen();
        let is_idle = self.is_idle();
        let state = self.state(&mut queue);
        state.is_frozen = is_frozen;
        let is_old = self.topic == Topic::Freeze && is_idle && state.told_frozen == Some(is_frozen);
        if state.is_cleared || state.is_over || is_old {
            return;
        }
        state.is_due = true;
        let wake = if is_idle {
            self.enqueue(&mut queue)
        } else {
            Wake::nobody()
        };
        drop(queue);
        wake.wake(Urgency::Plain);
    }

    /// The subscriber wants no more. `thread` reads the last return if it is in the loop, so that
    /// it comes before anything else that the thread is to do.
    pub(crate) fn clear(self: &Arc<Self>, queue: &mut Queue, thread: &Thread) -> Wake<'_> {
        self.state(queue).is_cleared = true;
        if self.is_idle() {
            self.enqueue_for(queue, thread)
        } else {
            Wake::nobody()
        }
    }

    /// The subscriber has read the news, and taken this out of the list of what was delivered.
    pub(crate) fn confirm(self: &Arc<Self>, queue: &mut Queue, thread: &Thread) -> Wake<'_> {
        let state = self.state(queue);
        if self.topic == Topic::Freeze {
            state.is_due &= state.told_frozen != Some(state.is_frozen);
        }
        if state.is_cleared {
            self.enqueue_for(queue, thread)
        } else if state.is_due {
            self.enqueue(queue)
        } else {
            Wake::nobody()
        }
    }

    /// What an item in a queue would come to if it were taken now.
    fn preview(&self, queue: &Queue) -> Option<Notice> {
        let state = self.state.access(queue);
        if state.is_over {
            return None;
        }
        if state.is_cleared && (self.topic == Topic::Freeze || !state.is_due) {
            return Some(Notice::Cleared);
        }
        Some(match self.topic {
            Topic::Death => Notice::Dead,
            Topic::Freeze => Notice::Frozen(state.is_frozen),
        })
    }

    /// The subscriber has lost the handle.
    fn end(&self, queue: &mut Queue) {
        self.state(queue).is_over = true;
        // The caller has another reference.
        let _this = queue.delivered.remove(self);
    }

    /// The notice for the subscriber by an item that was taken from a queue, if there is one.
    pub(crate) fn deliver(self: &Arc<Self>, queue: &mut Queue) -> Option<Notice> {
        let notice = self.preview(queue)?;
        if notice != Notice::Cleared {
            let state = self.state(queue);
            state.is_due = false;
            state.told_frozen = Some(state.is_frozen);
            // It is not in the list: nothing is queued again before it was confirmed.
            let _ = queue.delivered.push_back(self.clone());
        }
        Some(notice)
    }

    /// Queues an item for any thread.
    pub(crate) fn enqueue(self: &Arc<Self>, queue: &mut Queue) -> Wake<'_> {
        self.process.assign(queue, Work::Notice(self.clone()))
    }

    /// Queues an item for the current thread if that is in the loop, else for any thread.
    fn enqueue_for(self: &Arc<Self>, queue: &mut Queue, thread: &Thread) -> Wake<'_> {
        if !thread.state(queue).is_looper() {
            return self.enqueue(queue);
        }
        let own = thread.receive(queue, Work::Notice(self.clone()));
        self.process.wake_for(own)
    }
}

impl Subscribers {
    /// Nobody.
    pub(super) const fn new() -> Self {
        Self {
            death: CheckedList::new(),
            freeze: CheckedList::new(),
            nr_freeze: 0,
        }
    }

    fn add(&mut self, subscription: Arc<Subscription>) {
        match subscription.topic {
            Topic::Death => drop(self.death.push_back(subscription)),
            Topic::Freeze => {
                self.nr_freeze += usize::from(self.freeze.push_back(subscription).is_ok());
            }
        }
    }

    fn remove(&mut self, subscription: &Subscription) -> Option<Arc<Subscription>> {
        match subscription.topic {
            Topic::Death => self.death.remove(subscription),
            Topic::Freeze => {
                let removed = self.freeze.remove(subscription)?;
                self.nr_freeze -= 1;
                Some(removed)
            }
        }
    }

    /// Takes anyone out.
    pub(super) fn pop(&mut self) -> Option<Arc<Subscription>> {
        let subscription = self.death.pop_front();
        subscription.or_else(|| self.freeze.pop_front())
    }

    /// How many want to know of freezing.
    pub(super) fn nr_freeze(&self) -> usize {
        self.nr_freeze
    }

    /// The next one that wants to know of freezing; all come in turn.
    pub(super) fn next_freeze(&mut self) -> Option<Arc<Subscription>> {
        self.freeze.rotate().map(Arc::from)
    }
}

impl Queue {
    /// Takes the oldest news with that cookie that the process has read and not confirmed.
    pub(crate) fn take_delivered(
        &mut self,
        topic: Topic,
        cookie: u64,
    ) -> Option<Arc<Subscription>> {
        let mut delivered = self.delivered.iter();
        let found = delivered.find(|each| each.topic == topic && each.cookie == cookie);
        let found: Arc<Subscription> = found?.into();
        drop(delivered);
        self.delivered.remove(&found)
    }
}

impl Node {
    /// Enters a subscription to news of the node. Gives whether its owner is dead.
    pub(crate) fn subscribe(&self, subscription: &Arc<Subscription>) -> bool {
        let mut queue = self.owner.queue.lock();
        if !queue.is_dead {
            queue.subscribers.add(subscription.clone());
        }
        queue.is_dead
    }

    /// Takes a subscription out, if it is still there.
    pub(crate) fn unsubscribe(&self, subscription: &Subscription) {
        let removed = self.owner.queue.lock().subscribers.remove(subscription);
        drop(removed);
    }
}

impl Ref {
    /// The subscription about `topic` that was made by the handle.
    fn subscription(&mut self, topic: Topic) -> &mut Option<Arc<Subscription>> {
        match topic {
            Topic::Death => &mut self.death,
            Topic::Freeze => &mut self.freeze,
        }
    }
}

impl Process {
    /// The node that `handle` names.
    pub(crate) fn any_node(&self, handle: u32) -> Option<Arc<Node>> {
        Some(self.refs.lock().table.get(handle)?.node.clone())
    }

    /// Keeps a subscription at the handle of its node, unless there is one, or another node.
    pub(crate) fn attach(&self, handle: u32, subscription: &Arc<Subscription>) -> bool {
        let mut refs = self.refs.lock();
        let Some(entry) = refs.table.get_mut(handle) else {
            return false;
        };
        let is_same_node = Arc::ptr_eq(&entry.node, &subscription.node);
        let place = entry.subscription(subscription.topic);
        if place.is_some() || !is_same_node {
            return false;
        }
        *place = Some(subscription.clone());
        true
    }

    /// Takes a subscription from its handle.
    pub(crate) fn detach(
        &self,
        handle: u32,
        topic: Topic,
        cookie: u64,
    ) -> Option<Arc<Subscription>> {
        let mut refs = self.refs.lock();
        let place = refs.table.get_mut(handle)?.subscription(topic);
        place.take_if(|subscription| subscription.cookie == cookie)
    }

    /// Ends a subscription whose handle is gone.
    pub(crate) fn end_subscription(&self, subscription: &Subscription) {
        subscription.node.unsubscribe(subscription);
        subscription.end(&mut self.queue.lock());
    }
}
