// SPDX-License-Identifier: GPL-2.0

//! What a process wants to be told about a node: that its owner died, or that its owner was frozen
//! or thawed.
//!
//! Both work alike. A process subscribes by a handle and names a cookie. When there is news it
//! reads the cookie, and confirms that it did. A subscription that is cleared ends with a last
//! return, after the news that is already on its way was confirmed. One whose handle goes away just
//! ends.

use super::{
    node::Node,
    process::Process,
    queue::{
        Posted,
        Queue, //
    },
    thread::Thread,
    work::Work, //
};
use crate::diag::objects::{
    Counted,
    Kind, //
};
use kernel::{
    fmt::{
        Display,
        Formatter, //
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

/// A subscription of `process` to news about `node`.
pub(crate) struct Subscription {
    pub(crate) process: Arc<Process>,
    pub(crate) node: Arc<Node>,
    pub(crate) topic: Topic,
    pub(crate) cookie: u64,
    state: LockedBy<State, Queue>,
    _counted: Counted,
}

/// What the lock of the subscriber protects.
struct State {
    phase: Phase,
    /// There is news that was not delivered.
    is_due: bool,
    /// The subscriber wants no more.
    is_cleared: bool,
    /// The subscriber no longer has the handle.
    is_over: bool,
    /// What was delivered last of a [`Topic::Freeze`].
    told_frozen: Option<bool>,
    /// The item in a queue, or the one that may come, has a place promised in the work of the
    /// process.
    is_promised: bool,
}

/// Where the subscription is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    Queued,
    /// It was read and not confirmed, and is in the list of those.
    Delivered,
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
        process: Arc<Process>,
        node: Arc<Node>,
        topic: Topic,
        cookie: u64,
    ) -> Result<Arc<Self>> {
        let state = State {
            phase: Phase::Idle,
            is_due: false,
            is_cleared: false,
            is_over: false,
            told_frozen: None,
            is_promised: true,
        };
        let state = LockedBy::new(&process.queue, state);
        let subscription = Self {
            process,
            node,
            topic,
            cookie,
            state,
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

    /// There is news.
    pub(crate) fn announce(self: &Arc<Self>) {
        let mut queue = self.process.queue.lock();
        let is_frozen = self.node.owner.is_frozen();
        let state = self.state(&mut queue);
        let is_old = self.topic == Topic::Freeze
            && state.phase == Phase::Idle
            && state.told_frozen == Some(is_frozen);
        if state.is_cleared || state.is_over || is_old {
            return;
        }
        state.is_due = true;
        let posted = (state.phase == Phase::Idle).then(|| self.enqueue(&mut queue));
        drop(queue);
        self.process.wake_posted(posted);
    }

    /// The subscriber wants no more. `thread` reads the last return if it is in the loop, so that
    /// it comes before anything else that the thread is to do.
    pub(crate) fn clear(self: &Arc<Self>, queue: &mut Queue, thread: &Thread) -> Option<Posted> {
        let state = self.state(queue);
        state.is_cleared = true;
        (state.phase == Phase::Idle)
            .then(|| self.enqueue_for(queue, thread))
            .flatten()
    }

    /// The subscriber has read the news, and taken this out of the list of what was delivered.
    pub(crate) fn confirm(self: &Arc<Self>, queue: &mut Queue, thread: &Thread) -> Option<Posted> {
        let is_frozen = self.node.owner.is_frozen();
        let state = self.state(queue);
        state.phase = Phase::Idle;
        if self.topic == Topic::Freeze {
            state.is_due &= state.told_frozen != Some(is_frozen);
        }
        if state.is_cleared {
            self.enqueue_for(queue, thread)
        } else if state.is_due {
            Some(self.enqueue(queue))
        } else {
            None
        }
    }

    /// What an item in a queue would come to if it were taken now.
    pub(crate) fn preview(&self, queue: &Queue) -> Option<Notice> {
        let state = self.state.access(queue);
        if state.is_over {
            None
        } else if state.is_cleared && (self.topic == Topic::Freeze || !state.is_due) {
            Some(Notice::Cleared)
        } else {
            Some(match self.topic {
                Topic::Death => Notice::Dead,
                Topic::Freeze => Notice::Frozen(self.node.owner.is_frozen()),
            })
        }
    }

    /// The subscriber has lost the handle.
    pub(crate) fn end(self: &Arc<Self>, queue: &mut Queue) {
        let state = self.state(queue);
        state.is_over = true;
        match state.phase {
            Phase::Queued => {}
            Phase::Idle => self.forget(queue),
            Phase::Delivered => {
                // The caller has it, so this is not the last one.
                let _this = queue.delivered.take_first(|other| Arc::ptr_eq(other, self));
                queue.delivered.promise_again();
                self.forget(queue);
            }
        }
    }

    /// What the subscriber is to read by an item that was taken from a queue, if anything.
    pub(crate) fn deliver(self: &Arc<Self>, queue: &mut Queue) -> Option<Notice> {
        let is_frozen = self.node.owner.is_frozen();
        let state = self.state(queue);
        if state.is_over {
            self.forget(queue);
            return None;
        }
        let is_last = state.is_cleared && (self.topic == Topic::Freeze || !state.is_due);
        if is_last {
            self.forget(queue);
            return Some(Notice::Cleared);
        }
        state.is_due = false;
        state.told_frozen = Some(is_frozen);
        state.phase = Phase::Delivered;
        queue.delivered.push_promised(self.clone());
        self.promise_again(queue);
        Some(match self.topic {
            Topic::Death => Notice::Dead,
            Topic::Freeze => Notice::Frozen(is_frozen),
        })
    }

    /// Queues an item for any thread. There is a place for it.
    fn enqueue(self: &Arc<Self>, queue: &mut Queue) -> Posted {
        let state = self.state(queue);
        state.phase = Phase::Queued;
        state.is_promised = false;
        queue.todo.push_promised(Work::Notice(self.clone()));
        queue.pick_idle()
    }

    /// Queues an item for the current thread if that is in the loop, else for any thread.
    fn enqueue_for(self: &Arc<Self>, queue: &mut Queue, thread: &Thread) -> Option<Posted> {
        let own = thread.state(queue);
        if !own.is_looper() || !own.has_room() {
            return Some(self.enqueue(queue));
        }
        let _running = thread.post(queue, Work::Notice(self.clone()));
        self.state(queue).phase = Phase::Queued;
        None
    }

    /// The item that was just taken out leaves its place to the next one.
    fn promise_again(&self, queue: &mut Queue) {
        let state = self.state(queue);
        if !core::mem::replace(&mut state.is_promised, true) {
            queue.todo.promise_again();
        }
    }

    /// Gives up the places that were promised, since nothing more will come.
    fn forget(&self, queue: &mut Queue) {
        queue.delivered.forgo();
        let state = self.state(queue);
        if core::mem::take(&mut state.is_promised) {
            queue.todo.forgo();
        }
    }
}
