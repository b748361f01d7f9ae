// SPDX-License-Identifier: GPL-2.0

//! `BINDER_FREEZE`: making a process that does not run look that way to others.
//!
//! A frozen process takes no calls, and keeps oneway messages for later. It is frozen once it has
//! dealt with what it got before. Until that is sure, an attempt to freeze it makes it refuse
//! calls, but its listeners are told only of attempts that succeeded. Processes are named as the
//! caller knows them, and only those of the caller's mount can be.

use super::{
    peer::Peer,
    queue::Queue, //
};
use crate::{
    context::instance::Instance,
    wire::structs::{
        FreezeInfo,
        FrozenStatus, //
    }, //
};
use kernel::{
    prelude::*,
    sync::CondVarTimeoutResult,
    time::msecs_to_jiffies, //
};

/// Freezes or thaws all processes of a thread group.
///
/// Fails with `EINVAL` if there are none, with `EAGAIN` if one has something to do still, with
/// `ERESTARTSYS` if a signal came, and with `ENOMEM`. The process that it fails for stays as it
/// was.
pub(crate) fn freeze(instance: &Instance, info: &FreezeInfo) -> Result {
    for peer in &instance.find(info.pid)? {
        if info.enable == 0 {
            thaw(peer);
        } else {
            freeze_one(peer, info.timeout_ms)?;
        }
    }
    Ok(())
}

fn thaw(peer: &Peer) {
    peer.set_freeze(&mut peer.queue.lock(), false);
    announce(peer);
}

fn freeze_one(peer: &Peer, timeout_ms: u32) -> Result {
    let mut queue = peer.queue.lock();
    queue.freeze.attempts += 1;
    queue.freeze.refused_call = false;
    queue.freeze.kept_oneway = false;
    peer.refuse_calls(&mut queue);
    let mut rest = msecs_to_jiffies(timeout_ms);
    let mut result = Ok(());
    while peer.outstanding() > 0 && rest > 0 {
        rest = match peer.drained.wait_interruptible_timeout(&mut queue, rest) {
            CondVarTimeoutResult::Woken { jiffies } => jiffies,
            CondVarTimeoutResult::Timeout => 0,
            CondVarTimeoutResult::Signal { .. } => {
                result = Err(ERESTARTSYS);
                break;
            }
        };
    }
    if result.is_ok() && is_busy(peer, &queue) {
        result = Err(EAGAIN);
    }
    queue.freeze.attempts -= 1;
    if result.is_err() {
        peer.refuse_calls(&mut queue);
        return result;
    }
    peer.set_known_frozen(&mut queue, true);
    peer.refuse_calls(&mut queue);
    drop(queue);
    announce(peer);
    Ok(())
}

/// Whether the process has something to answer, or waits for an answer.
fn is_busy(peer: &Peer, queue: &Queue) -> bool {
    peer.outstanding() > 0 || queue.in_calls > 0
}

impl Peer {
    /// The process is frozen or thawed, and has not refused or kept anything since.
    fn set_freeze(&self, queue: &mut Queue, is_frozen: bool) {
        queue.freeze.refused_call = false;
        queue.freeze.kept_oneway = false;
        self.set_known_frozen(queue, is_frozen);
        self.refuse_calls(queue);
    }

    /// Refuses calls while the process is frozen, or somebody tries to freeze it.
    fn refuse_calls(&self, queue: &mut Queue) {
        let is_frozen = self.is_known_frozen() || queue.freeze.attempts > 0;
        self.set_frozen(queue, is_frozen);
    }
}

/// Tells all who subscribed that the process may have been frozen or thawed.
///
/// Each is told the state that it finds. Others may do the same at the same time: together they
/// take as many steps after the last change as there are subscribers, so each is told the last one.
fn announce(peer: &Peer) {
    let left = peer.queue.lock().subscribers.nr_freeze();
    for _ in 0..left {
        let Some(subscriber) = peer.queue.lock().subscribers.next_freeze() else {
            break;
        };
        subscriber.announce();
    }
}

/// `BINDER_GET_FROZEN_INFO`: what came to a thread group since it was frozen.
pub(crate) fn status(instance: &Instance, asked: &FrozenStatus) -> Result<FrozenStatus> {
    let mut status = FrozenStatus {
        pid: asked.pid,
        ..FrozenStatus::default()
    };
    for peer in &instance.find(asked.pid)? {
        let queue = peer.queue.lock();
        status.sync_recv |= u32::from(queue.freeze.refused_call);
        status.sync_recv |= u32::from(is_busy(peer, &queue)) << 1;
        status.async_recv |= u32::from(queue.freeze.kept_oneway);
    }
    Ok(status)
}
