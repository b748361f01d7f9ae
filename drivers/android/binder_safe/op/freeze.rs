// SPDX-License-Identifier: GPL-2.0

//! `BINDER_FREEZE`: making a process that does not run look that way to others.
//!
//! A frozen process takes no calls, and keeps oneway messages for later. It is frozen once it has
//! dealt with what it got before. Processes are named as the caller knows them, and only those of
//! the caller's mount can be.

use crate::{
    object::{
        instance::Instance,
        process::Process,
        queue::Queue,
        subscription::{
            Subscription,
            Topic, //
        }, //
    },
    proto::wire::{
        FreezeInfo,
        FrozenStatus, //
    },
};
use kernel::{
    prelude::*,
    sync::{
        Arc,
        CondVarTimeoutResult, //
    },
    time::msecs_to_jiffies, //
};

/// Freezes or thaws all processes of a thread group.
///
/// Fails with `EINVAL` if there are none, with `EAGAIN` if one has something to do still, with
/// `EINTR` if a signal came, and with `ENOMEM`. The process that it fails for stays as it was.
pub(crate) fn freeze(instance: &Instance, info: &FreezeInfo) -> Result {
    for process in &instance.find(info.pid)? {
        if info.enable == 0 {
            thaw(process)?;
        } else {
            freeze_one(process, info.timeout_ms)?;
        }
    }
    Ok(())
}

fn thaw(process: &Process) -> Result {
    let mut queue = process.queue.lock();
    let was_frozen = process.set_frozen(&mut queue, false);
    queue.refused_call = false;
    queue.kept_oneway = false;
    drop(queue);
    announce_or(process, was_frozen)
}

fn freeze_one(process: &Process, timeout_ms: u32) -> Result {
    let mut queue = process.queue.lock();
    let was_frozen = process.set_frozen(&mut queue, true);
    queue.refused_call = false;
    queue.kept_oneway = false;
    let mut rest = msecs_to_jiffies(timeout_ms);
    let mut result = Ok(());
    while process.outstanding() > 0 && rest > 0 {
        rest = match process.drained.wait_interruptible_timeout(&mut queue, rest) {
            CondVarTimeoutResult::Woken { jiffies } => jiffies,
            CondVarTimeoutResult::Timeout => 0,
            CondVarTimeoutResult::Signal { .. } => {
                result = Err(EINTR);
                break;
            }
        };
    }
    if result.is_ok() && is_busy(process, &queue) {
        result = Err(EAGAIN);
    }
    if result.is_err() {
        process.set_frozen(&mut queue, was_frozen);
        return result;
    }
    drop(queue);
    announce_or(process, was_frozen)
}

/// Tells of the change, or takes it back: nobody was told.
fn announce_or(process: &Process, was_frozen: bool) -> Result {
    announce(process).inspect_err(|_| {
        process.set_frozen(&mut process.queue.lock(), was_frozen);
    })
}

/// Whether the process has something to answer, or waits for an answer.
fn is_busy(process: &Process, queue: &Queue) -> bool {
    let in_call = |thread: &Arc<_>| !thread_is_free(thread, queue);
    process.outstanding() > 0 || queue.threads().iter().any(in_call)
}

fn thread_is_free(thread: &crate::object::thread::Thread, queue: &Queue) -> bool {
    thread.state_ref(queue).stack.is_empty()
}

/// Tells all who subscribed that the process was frozen or thawed.
fn announce(process: &Process) -> Result {
    let mut capacity = 0;
    loop {
        let mut subscribers = KVVec::with_capacity(capacity, GFP_KERNEL)?;
        let queue = process.queue.lock();
        capacity = collect(&queue, &mut subscribers);
        drop(queue);
        if capacity == subscribers.len() {
            for subscriber in &subscribers {
                subscriber.announce();
            }
            return Ok(());
        }
    }
}

/// Collects who subscribed, as far as there is room, and gives how many there are.
fn collect(queue: &Queue, subscribers: &mut KVVec<Arc<Subscription>>) -> usize {
    let mut count = 0;
    for node in queue.nodes() {
        for subscriber in &node.state_ref(queue).subscribers {
            if subscriber.topic == Topic::Freeze {
                count += 1;
                let _ = subscribers.push_within_capacity(subscriber.clone());
            }
        }
    }
    count
}

/// `BINDER_GET_FROZEN_INFO`: what came to a thread group since it was frozen.
pub(crate) fn status(instance: &Instance, asked: &FrozenStatus) -> Result<FrozenStatus> {
    let mut status = FrozenStatus {
        pid: asked.pid,
        ..FrozenStatus::default()
    };
    for process in &instance.find(asked.pid)? {
        let queue = process.queue.lock();
        status.sync_recv |= u32::from(queue.refused_call);
        status.sync_recv |= u32::from(is_busy(process, &queue)) << 1;
        status.async_recv |= u32::from(queue.kept_oneway);
    }
    Ok(status)
}
