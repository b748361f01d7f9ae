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
    queue::Queue, //
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
        CheckedLinks, //
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
pub(super) const OF_OWNER: u64 = 1;

/// Links of subscriptions that were delivered.
pub(super) const DELIVERED: u64 = 2;

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
    pub(super) fn end(&self, queue: &mut Queue) {
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
