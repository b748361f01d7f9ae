// SPDX-License-Identifier: GPL-2.0

//! Commands about subscriptions to the death and the freezing of other processes.
//!
//! Those about deaths ignore what makes no sense; those about freezing, which came later, fail.

use crate::{
    diag::messages::About,
    object::{
        subscription::{
            Subscription,
            Topic, //
        },
        thread::Thread, //
    },
    proto::command::HandleCookie, //
};
use kernel::prelude::*;

/// `BC_REQUEST_DEATH_NOTIFICATION`, `BC_REQUEST_FREEZE_NOTIFICATION`
///
/// Fails with `EINVAL` if there is no such handle, or a subscription by it already.
pub(crate) fn request(thread: &Thread, topic: Topic, what: &HandleCookie) -> Result {
    let process = &thread.process;
    let node = process.any_node(what.handle()).ok_or(EINVAL)?;
    let subscription = Subscription::new(process.clone(), node.clone(), topic, what.cookie())?;
    process.reserve_subscription()?;
    let subscribed = node.subscribe(&subscription);
    if subscribed.is_err() || !process.attach(what.handle(), &subscription) {
        process.end_subscription(&subscription);
        return Err(subscribed.err().unwrap_or(EINVAL));
    }
    let is_dead = subscribed?;
    tell(thread, "wants", &subscription);
    let is_news = match topic {
        Topic::Death => is_dead,
        Topic::Freeze => !is_dead,
    };
    if is_news {
        subscription.announce();
    }
    Ok(())
}

/// `BC_CLEAR_DEATH_NOTIFICATION`, `BC_CLEAR_FREEZE_NOTIFICATION`
///
/// Fails with `EINVAL` if there is no such subscription.
pub(crate) fn clear(thread: &Thread, topic: Topic, what: &HandleCookie) -> Result {
    let process = &thread.process;
    let subscription = process
        .detach(what.handle(), topic, what.cookie())
        .ok_or(EINVAL)?;
    tell(thread, "no longer wants", &subscription);
    subscription.node.unsubscribe(&subscription);
    make_room(thread);
    let posted = subscription.clear(&mut process.queue.lock(), thread);
    process.wake_posted(posted);
    Ok(())
}

/// `BC_DEAD_BINDER_DONE`, `BC_FREEZE_NOTIFICATION_DONE`
///
/// Fails with `EINVAL` if nothing was delivered with that cookie, or it was confirmed before.
pub(crate) fn confirm(thread: &Thread, topic: Topic, cookie: u64) -> Result {
    let process = &thread.process;
    make_room(thread);
    let mut queue = process.queue.lock();
    let subscription = queue.take_delivered(topic, cookie).ok_or(EINVAL)?;
    let posted = subscription.confirm(&mut queue, thread);
    drop(queue);
    tell(thread, "has read", &subscription);
    process.wake_posted(posted);
    Ok(())
}

/// Makes room for what the thread itself is to read. Without memory another thread may read it.
fn make_room(thread: &Thread) {
    let _ = thread.reserve_inbox();
}

/// Says what a thread does about the news that a subscription is for.
fn tell(thread: &Thread, verb: &str, subscription: &Subscription) {
    let (topic, node) = (subscription.topic, subscription.node.debug_id);
    let what = fmt!(
        "{verb} news of the {topic} of node {node}, cookie {:#x}",
        subscription.cookie
    );
    About::News.tell(thread.who(), what);
}
