// SPDX-License-Identifier: GPL-2.0

//! Queueing transactions where they will be read.
//!
//! A call goes to the thread that waits for its sender, else to the one that became idle last, else
//! to whichever thread is free first. Oneway messages to one node go one by one: while one of them
//! is out, the others are parked at the node.

use super::{
    node::Node,
    process::Process,
    queue::{
        Posted,
        Queue, //
    },
    thread::Thread,
    transaction::Transaction,
    work::{
        Wake,
        Work, //
    },
};
use crate::{
    diag::trace,
    pure::ring::RingStorage, //
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
    /// `ESRCH` if the process or the thread is gone, `EAGAIN` if the process is frozen, and
    /// `ENOMEM` if there is no memory.
    pub(crate) error: Error,
}

/// How a transaction was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It will be read.
    Normally,
    /// It will be read, but its receiver is frozen.
    ToFrozen,
}

/// Why a transaction is not queued yet.
enum Refusal {
    /// There is nobody to read it.
    Gone,
    /// The receiver is frozen.
    Frozen,
    /// The work of the process must grow; it has room for that many items.
    Todo(usize),
    /// The inbox of the thread must grow.
    Inbox(Arc<Thread>, (usize, usize)),
    /// The node's line of parked messages must grow.
    Parked(usize),
}

/// How a transaction was queued, whom to wake, and a message that it took the place of.
type Queued<'a> = (Sent, Wake<'a>, Option<Arc<Transaction>>);

type Attempt<'a> = Result<Queued<'a>, (Refusal, Arc<Transaction>)>;

impl Process {
    /// Queues a transaction to `node`, one of this process, for thread `to`, or for any thread, and
    /// says how, and whom to wake. May sleep.
    pub(crate) fn send(
        &self,
        node: &Arc<Node>,
        to: Option<&Arc<Thread>>,
        transaction: Arc<Transaction>,
    ) -> Result<(Sent, Wake<'_>), NotSent> {
        let mut transaction = transaction;
        loop {
            let attempt = if transaction.is_oneway() {
                self.try_send_oneway(node, transaction)
            } else {
                self.try_send_call(to, transaction)
            };
            let refusal = match attempt {
                Ok((sent, wake, outdated)) => {
                    if let Some(outdated) = outdated {
                        trace::UpdateBufferRelease::of(|| outdated.request.label().numbers());
                        drop(outdated);
                    }
                    return Ok((sent, wake));
                }
                Err((refusal, back)) => {
                    transaction = back;
                    refusal
                }
            };
            if let Err(error) = self.make_room(node, refusal) {
                return Err(NotSent { transaction, error });
            }
        }
    }

    fn try_send_call(
        &self,
        to: Option<&Arc<Thread>>,
        transaction: Arc<Transaction>,
    ) -> Attempt<'_> {
        let mut queue = self.queue.lock();
        if self.is_frozen() {
            queue.refused_call = true;
            return Err((Refusal::Frozen, transaction));
        }
        if queue.is_dead || to.is_some_and(|thread| thread.is_dead()) {
            return Err((Refusal::Gone, transaction));
        }
        let Some(thread) = to else {
            let posted = queue.post_to_any(self, transaction)?;
            drop(queue);
            return Ok((Sent::Normally, self.wake_task(posted.0), None));
        };
        let state = thread.state(&mut queue);
        if !state.has_room() {
            let sizes = state.sizes();
            return Err((Refusal::Inbox(thread.clone(), sizes), transaction));
        }
        transaction.is_outstanding.store(true, Relaxed);
        self.take_on(&mut queue);
        // The thread may deal with it from now on.
        let task = thread.post(&mut queue, Work::Transaction(transaction));
        drop(queue);
        Ok((Sent::Normally, self.wake_task(task), None))
    }

    fn try_send_oneway(&self, node: &Arc<Node>, transaction: Arc<Transaction>) -> Attempt<'_> {
        let mut queue = self.queue.lock();
        if queue.is_dead {
            return Err((Refusal::Gone, transaction));
        }
        let sent = if self.is_frozen() {
            queue.kept_oneway = true;
            Sent::ToFrozen
        } else {
            Sent::Normally
        };
        if node.state(&mut queue).is_busy {
            let outdated = match sent {
                Sent::ToFrozen => queue.take_outdated(node, &transaction),
                Sent::Normally => None,
            };
            queue.park(node, transaction)?;
            self.take_on(&mut queue);
            drop(queue);
            return Ok((sent, Wake::NOBODY, outdated));
        }
        let posted = queue.post_to_any(self, transaction)?;
        node.state(&mut queue).is_busy = true;
        drop(queue);
        Ok((sent, self.wake_task(posted.0), None))
    }

    fn make_room(&self, node: &Arc<Node>, refusal: Refusal) -> Result {
        match refusal {
            Refusal::Gone => Err(ESRCH),
            Refusal::Frozen => Err(EAGAIN),
            Refusal::Todo(capacity) => self.grow_todo(capacity),
            Refusal::Inbox(thread, sizes) => thread.grow(sizes),
            Refusal::Parked(capacity) => {
                let storage = RingStorage::new(core::cmp::max(4, 2 * capacity))?;
                let mut queue = self.queue.lock();
                let old = node.state(&mut queue).parked.grow(storage);
                drop(queue);
                drop(old);
                Ok(())
            }
        }
    }
}

impl Queue {
    /// Queues a transaction for any thread.
    fn post_to_any(
        &mut self,
        process: &Process,
        transaction: Arc<Transaction>,
    ) -> Result<Posted, (Refusal, Arc<Transaction>)> {
        let Some(thread) = self.pop_idle() else {
            let capacity = self.todo.capacity();
            if !self.todo.has_room() {
                return Err((Refusal::Todo(capacity), transaction));
            }
            transaction.is_outstanding.store(true, Relaxed);
            process.take_on(self);
            let _ = self.todo.push(Work::Transaction(transaction));
            return Ok(Posted(None));
        };
        let state = thread.state(self);
        if !state.has_room() {
            let sizes = state.sizes();
            self.push_idle(&thread);
            return Err((Refusal::Inbox(thread, sizes), transaction));
        }
        transaction.is_outstanding.store(true, Relaxed);
        process.take_on(self);
        // The thread may deal with it from now on.
        let task = thread.post(self, Work::Transaction(transaction));
        Ok(Posted(task))
    }

    /// Takes out a parked message that `newer` replaces.
    fn take_outdated(&mut self, node: &Node, newer: &Transaction) -> Option<Arc<Transaction>> {
        let parked = &mut node.state(self).parked;
        let outdated = parked.take_first(|older| newer.supersedes(older))?;
        self.todo.forgo();
        Some(outdated)
    }

    /// Makes a oneway message wait for the one before it, and promises it a place for later.
    fn park(
        &mut self,
        node: &Node,
        transaction: Arc<Transaction>,
    ) -> Result<(), (Refusal, Arc<Transaction>)> {
        if !self.todo.promise() {
            return Err((Refusal::Todo(self.todo.capacity()), transaction));
        }
        let parked = &mut node.state(self).parked;
        let capacity = parked.capacity();
        transaction.is_outstanding.store(true, Relaxed);
        if let Err(transaction) = parked.push(transaction) {
            transaction.is_outstanding.store(false, Relaxed);
            self.todo.forgo();
            return Err((Refusal::Parked(capacity), transaction));
        }
        Ok(())
    }
}
