// SPDX-License-Identifier: GPL-2.0

//! Where subscriptions are found: at the handle that they were made by, at the node that they are
//! about, and in a table of their process.

use super::{
    node::Node,
    process::Process,
    queue::Queue,
    refs::Ref,
    subscription::{
        Subscription,
        Topic, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

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

    /// Enters a new subscription into the table of the process, and promises it a place in the work
    /// of the process. May sleep.
    pub(crate) fn reserve_subscription(&self, subscription: &Arc<Subscription>) -> Result {
        loop {
            let (nr, capacity) = {
                let mut queue = self.queue.lock();
                let has_entry = queue.subscriptions.len() < queue.subscriptions.capacity();
                if has_entry && queue.todo.promise() {
                    let _ = queue
                        .subscriptions
                        .push_within_capacity(subscription.clone());
                    return Ok(());
                }
                let nr = (!has_entry).then(|| queue.subscriptions.len());
                (nr, queue.todo.capacity())
            };
            match nr {
                Some(nr) => self.grow_subscriptions(nr)?,
                None => self.grow_todo(capacity)?,
            }
        }
    }

    /// Ends a subscription whose handle is gone.
    pub(crate) fn end_subscription(&self, subscription: &Arc<Subscription>) {
        subscription.node.unsubscribe(subscription);
        let over = subscription.end(&mut self.queue.lock());
        drop(over);
    }

    fn grow_subscriptions(&self, nr: usize) -> Result {
        let mut larger = KVVec::with_capacity(core::cmp::max(4, 2 * nr), GFP_KERNEL_ACCOUNT)?;
        let mut queue = self.queue.lock();
        grow(&mut queue.subscriptions, &mut larger);
        drop(queue);
        drop(larger);
        Ok(())
    }
}

impl Queue {
    /// The subscription with that cookie that was delivered first and not confirmed yet.
    pub(crate) fn first_delivered(
        &mut self,
        topic: Topic,
        cookie: u64,
    ) -> Option<Arc<Subscription>> {
        let mut first = None;
        for index in 0..self.subscriptions.len() {
            let subscription = self.subscriptions[index].clone();
            if subscription.topic != topic || subscription.cookie != cookie {
                continue;
            }
            if let Some(nth) = subscription.delivered_as(self) {
                if first.as_ref().is_none_or(|(least, _)| nth < *least) {
                    first = Some((nth, subscription));
                }
            }
        }
        Some(first?.1)
    }

    /// Takes a subscription out of the table.
    pub(crate) fn remove_subscription(
        &mut self,
        subscription: &Arc<Subscription>,
    ) -> Option<Arc<Subscription>> {
        remove(&mut self.subscriptions, subscription)
    }
}

impl Node {
    /// Enters a subscription to news of the node. Gives whether its owner is dead. May sleep.
    pub(crate) fn subscribe(&self, subscription: &Arc<Subscription>) -> Result<bool> {
        loop {
            let nr = {
                let mut queue = self.owner.queue.lock();
                if queue.is_dead {
                    return Ok(true);
                }
                let subscribers = &mut self.state(&mut queue).subscribers;
                if subscribers.len() < subscribers.capacity() {
                    let _ = subscribers.push_within_capacity(subscription.clone());
                    return Ok(false);
                }
                subscribers.len()
            };
            let mut larger = KVVec::with_capacity(core::cmp::max(4, 2 * nr), GFP_KERNEL_ACCOUNT)?;
            let mut queue = self.owner.queue.lock();
            grow(&mut self.state(&mut queue).subscribers, &mut larger);
            drop(queue);
            drop(larger);
        }
    }

    /// Takes a subscription out, if it is still there.
    pub(crate) fn unsubscribe(&self, subscription: &Arc<Subscription>) {
        let mut queue = self.owner.queue.lock();
        let removed = remove(&mut self.state(&mut queue).subscribers, subscription);
        drop(queue);
        drop(removed);
    }
}

/// Takes `item` out of `items`, whose order does not matter.
fn remove(
    items: &mut KVVec<Arc<Subscription>>,
    item: &Arc<Subscription>,
) -> Option<Arc<Subscription>> {
    let index = items.iter().position(|other| Arc::ptr_eq(other, item))?;
    let last = items.len() - 1;
    items.as_mut_slice().swap(index, last);
    items.pop()
}

/// Moves `items` to `larger`, unless it has become too small meanwhile, and swaps the two.
fn grow(items: &mut KVVec<Arc<Subscription>>, larger: &mut KVVec<Arc<Subscription>>) {
    if larger.capacity() <= items.capacity() {
        return;
    }
    for item in items.drain_all() {
        // There is room, so this cannot fail.
        let _ = larger.push_within_capacity(item);
    }
    core::mem::swap(items, larger);
}
