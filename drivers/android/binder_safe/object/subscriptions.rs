// SPDX-License-Identifier: GPL-2.0

//! Where subscriptions are found: at the handle that they were made by, at the node that they are
//! about, and among those that their process has read of and not confirmed.

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
use crate::pure::ring::RingStorage;
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

    /// Promises a new subscription its places in the queues of the process. May sleep.
    pub(crate) fn reserve_subscription(&self) -> Result {
        loop {
            let capacity = {
                let mut queue = self.queue.lock();
                if !queue.delivered.has_room() {
                    Err(queue.delivered.capacity())
                } else if queue.todo.promise() {
                    queue.delivered.promise();
                    return Ok(());
                } else {
                    Ok(queue.todo.capacity())
                }
            };
            match capacity {
                Ok(todo) => self.grow_todo(todo)?,
                Err(delivered) => self.grow_delivered(delivered)?,
            }
        }
    }

    /// Ends a subscription whose handle is gone.
    pub(crate) fn end_subscription(&self, subscription: &Arc<Subscription>) {
        subscription.node.unsubscribe(subscription);
        subscription.end(&mut self.queue.lock());
    }

    fn grow_delivered(&self, capacity: usize) -> Result {
        let storage = RingStorage::new(core::cmp::max(4, 2 * capacity))?;
        let _old = self.queue.lock().delivered.grow(storage);
        Ok(())
    }
}

impl Queue {
    /// Takes the subscription with that cookie of which the process has read first and that it has
    /// not confirmed yet.
    pub(crate) fn take_delivered(
        &mut self,
        topic: Topic,
        cookie: u64,
    ) -> Option<Arc<Subscription>> {
        let is_it = |each: &Arc<Subscription>| each.topic == topic && each.cookie == cookie;
        let found = self.delivered.take_first(is_it)?;
        self.delivered.promise_again();
        Some(found)
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
