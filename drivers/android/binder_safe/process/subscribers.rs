// SPDX-License-Identifier: GPL-2.0

//! Where subscriptions are found: at the handle that they were made by, at the owner of the node
//! that they are about, and among those whose news their process has read and not confirmed.

use super::{
    node::Node,
    queue::Queue,
    refs::Ref,
    subscription::{
        Subscription,
        Topic,
        DELIVERED,
        OF_OWNER, //
    },
    Process, //
};
use kernel::{
    list::CheckedList,
    sync::Arc, //
};

/// News that a process has read and not confirmed, the oldest first.
pub(crate) type Delivered = CheckedList<Subscription, DELIVERED>;

/// Who wants news about the nodes of one process, by topic.
pub(crate) struct Subscribers {
    death: CheckedList<Subscription, OF_OWNER>,
    freeze: CheckedList<Subscription, OF_OWNER>,
    nr_freeze: usize,
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
