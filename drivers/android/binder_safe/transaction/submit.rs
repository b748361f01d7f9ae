// SPDX-License-Identifier: GPL-2.0

//! Queueing transactions where they will be read.
//!
//! A call goes to the thread that waits for its sender, else to the one that became idle last, else
//! to whichever thread is free first. Oneway messages to one node go one by one: while one of them
//! is out, the others are parked at the node.

use super::Transaction;
use crate::{
    diag::trace,
    process::{
        node::Node,
        peer::Peer,
        queue::Queue, //
    },
    thread::{
        wake::Wake,
        work::{
            enqueue,
            Queued,
            Work,
            WorkList, //
        },
        Thread, //
    }, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::Relaxed,
        Arc, //
    }, //
};

/// A transaction that found no taker, and why.
pub(crate) struct NotSent {
    pub(crate) transaction: Arc<Transaction>,
    /// `ESRCH` if the process or the thread is gone, and `EAGAIN` if the process is frozen.
    pub(crate) error: Error,
}

/// How a oneway message was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It will be read.
    Normally,
    /// It will be read, but its receiver is frozen.
    ToFrozen,
}

impl Peer {
    /// Queues a call to a node of this process, for thread `to`, or for any thread, and gives whom
    /// to wake.
    pub(super) fn submit_call(
        &self,
        to: Option<&Arc<Thread>>,
        transaction: Arc<Transaction>,
    ) -> Result<Wake<'_>, NotSent> {
        let mut queue = self.queue.lock();
        let error = if self.is_frozen() {
            queue.freeze.refused_call = true;
            Some(EAGAIN)
        } else {
            let is_gone = queue.is_dead || to.is_some_and(|thread| thread.is_dead());
            is_gone.then_some(ESRCH)
        };
        if let Some(error) = error {
            drop(queue);
            return Err(NotSent { transaction, error });
        }
        self.take_on_transaction(&mut queue, &transaction);
        // A thread may deal with it from now on.
        let work = Work::Transaction(transaction);
        Ok(match to {
            Some(thread) => self.wake_for(thread.receive(&mut queue, work)),
            None => self.assign(&mut queue, work),
        })
    }

    /// Queues a oneway message to `node`, one of this process, and gives how, and whom to wake.
    pub(super) fn submit_oneway(
        &self,
        node: &Node,
        transaction: Arc<Transaction>,
    ) -> Result<(Sent, Wake<'_>), NotSent> {
        let mut queue = self.queue.lock();
        if queue.is_dead {
            drop(queue);
            let error = ESRCH;
            return Err(NotSent { transaction, error });
        }
        let sent = if self.is_frozen() {
            queue.freeze.kept_oneway = true;
            Sent::ToFrozen
        } else {
            Sent::Normally
        };
        self.take_on_transaction(&mut queue, &transaction);
        let state = node.state(&mut queue);
        if !core::mem::replace(&mut state.is_busy, true) {
            let wake = self.assign(&mut queue, Work::Transaction(transaction));
            drop(queue);
            return Ok((sent, wake));
        }
        let outdated = match sent {
            Sent::ToFrozen => take_outdated(&mut state.parked, &transaction),
            Sent::Normally => None,
        };
        enqueue(&mut state.parked, transaction);
        drop(queue);
        if let Some(Work::Transaction(outdated)) = outdated.map(Queued::into_work) {
            trace::UpdateBufferRelease::of(|| outdated.request.label().numbers());
            drop(outdated);
        }
        Ok((sent, Wake::nobody()))
    }

    /// The transaction counts as outstanding.
    fn take_on_transaction(&self, queue: &mut Queue, transaction: &Transaction) {
        transaction.is_outstanding.store(true, Relaxed);
        self.take_on(queue);
    }

    /// Puts the outcome of a call where its caller, `thread` of this process, waits for it. Hands
    /// the call back if the thread is gone.
    pub(super) fn submit_outcome(
        &self,
        thread: &Thread,
        call: Arc<Transaction>,
    ) -> Result<Wake<'_>, Arc<Transaction>> {
        let mut queue = self.queue.lock();
        if thread.is_dead() {
            drop(queue);
            return Err(call);
        }
        let sleeper = thread.receive(&mut queue, Work::Outcome(call));
        Ok(self.wake_for(sleeper))
    }
}

/// Takes out a parked message that `newer` replaces.
fn take_outdated(parked: &mut WorkList, newer: &Transaction) -> Option<Arc<dyn Queued>> {
    let replaces = |item: &dyn Queued| item.as_transaction().is_some_and(|it| newer.supersedes(it));
    let outdated = parked.iter().find(|item| replaces(&**item))?;
    let outdated: Arc<dyn Queued> = outdated.into();
    parked.remove(&*outdated)
}
