// SPDX-License-Identifier: GPL-2.0

//! Commands about subscriptions to the death and the freezing of other processes.
//!
//! Those about deaths ignore what makes no sense; those about freezing, which came later, fail.

use super::{
    subscription::{
        Subscription,
        Topic, //
    },
    Process, //
};
use crate::{
    diag::messages::About,
    thread::{
        wake::Urgency,
        Thread, //
    },
    wire::command::HandleCookie, //
};
use kernel::prelude::*;

/// `BC_REQUEST_DEATH_NOTIFICATION`, `BC_REQUEST_FREEZE_NOTIFICATION`
///
/// Fails with `EINVAL` if there is no such handle, or a subscription by it already.
pub(crate) fn request(
    process: &Process,
    thread: &Thread,
    topic: Topic,
    asked: &HandleCookie,
) -> Result {
    let node = process.any_node(asked.handle()).ok_or(EINVAL)?;
    let subscriber = thread.process.clone();
    let subscription = Subscription::new(subscriber, node.clone(), topic, asked.cookie())?;
    let is_dead = node.subscribe(&subscription);
    if !process.attach(asked.handle(), &subscription) {
        process.end_subscription(&subscription);
        return Err(EINVAL);
    }
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
pub(crate) fn clear(
    process: &Process,
    thread: &Thread,
    topic: Topic,
    asked: &HandleCookie,
) -> Result {
    let subscription = process
        .detach(asked.handle(), topic, asked.cookie())
        .ok_or(EINVAL)?;
    tell(thread, "no longer wants", &subscription);
    subscription.node.unsubscribe(&subscription);
    let wake = subscription.clear(&mut thread.process.queue.lock(), thread);
    wake.wake(Urgency::Plain);
    Ok(())
}

/// `BC_DEAD_BINDER_DONE`, `BC_FREEZE_NOTIFICATION_DONE`
///
/// Fails with `EINVAL` if nothing was delivered with that cookie, or it was confirmed before.
pub(crate) fn confirm(thread: &Thread, topic: Topic, cookie: u64) -> Result {
    let mut queue = thread.process.queue.lock();
    let subscription = queue.take_delivered(topic, cookie).ok_or(EINVAL)?;
    let wake = subscription.confirm(&mut queue, thread);
    drop(queue);
    wake.wake(Urgency::Plain);
    tell(thread, "has read", &subscription);
    Ok(())
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
