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
use crate::pure::ring::RingStorage;
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// A transaction that found no taker, and why.
pub(crate) struct NotSent {
    pub(crate) transaction: Arc<Transaction>,
    /// `ESRCH` if the process or the thread is gone, `ENOMEM` if there is no memory.
    pub(crate) error: Error,
}

/// Why a transaction is not queued yet.
enum Refusal {
    /// There is nobody to read it.
    Gone,
    /// The work of the process must grow; it has room for that many items.
    Todo(usize),
    /// The inbox of the thread must grow.
    Inbox(Arc<Thread>, (usize, usize)),
    /// The node's line of parked messages must grow.
    Parked(usize),
}

type Attempt<'a> = Result<Wake<'a>, (Refusal, Arc<Transaction>)>;

impl Process {
    /// Queues a transaction to a node of this process for thread `to`, or for any thread, and says
    /// whom to wake. May sleep.
    pub(crate) fn send(
        &self,
        to: Option<&Arc<Thread>>,
        transaction: Arc<Transaction>,
    ) -> Result<Wake<'_>, NotSent> {
        let node = transaction.node.clone();
        let mut transaction = transaction;
        loop {
            let attempt = if transaction.is_oneway() {
                self.try_send_oneway(&node, transaction)
            } else {
                self.try_send_call(to, transaction)
            };
            let refusal = match attempt {
                Ok(wake) => return Ok(wake),
                Err((refusal, back)) => {
                    transaction = back;
                    refusal
                }
            };
            if let Err(error) = self.make_room(&node, refusal) {
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
        if queue.is_dead || to.is_some_and(|thread| thread.is_dead()) {
            return Err((Refusal::Gone, transaction));
        }
        let Some(thread) = to else {
            let posted = queue.post_to_any(transaction)?;
            drop(queue);
            return Ok(self.wake_task(posted.0));
        };
        let state = thread.state(&mut queue);
        if !state.has_room() {
            let sizes = state.sizes();
            return Err((Refusal::Inbox(thread.clone(), sizes), transaction));
        }
        let task = state.post(Work::Transaction(transaction));
        drop(queue);
        Ok(self.wake_task(task))
    }

    fn try_send_oneway(&self, node: &Arc<Node>, transaction: Arc<Transaction>) -> Attempt<'_> {
        let mut queue = self.queue.lock();
        if queue.is_dead {
            return Err((Refusal::Gone, transaction));
        }
        if node.state(&mut queue).is_busy {
            return queue.park(node, transaction).map(|()| Wake::NOBODY);
        }
        let posted = queue.post_to_any(transaction)?;
        node.state(&mut queue).is_busy = true;
        drop(queue);
        Ok(self.wake_task(posted.0))
    }

    fn make_room(&self, node: &Arc<Node>, refusal: Refusal) -> Result {
        match refusal {
            Refusal::Gone => Err(ESRCH),
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
        transaction: Arc<Transaction>,
    ) -> Result<Posted, (Refusal, Arc<Transaction>)> {
        let Some(thread) = self.pop_idle() else {
            let capacity = self.todo.capacity();
            if !self.todo.has_room() {
                return Err((Refusal::Todo(capacity), transaction));
            }
            let _ = self.todo.push(Work::Transaction(transaction));
            return Ok(Posted(None));
        };
        let state = thread.state(self);
        if !state.has_room() {
            let sizes = state.sizes();
            self.push_idle(&thread);
            return Err((Refusal::Inbox(thread, sizes), transaction));
        }
        Ok(Posted(state.post(Work::Transaction(transaction))))
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
        if let Err(transaction) = parked.push(transaction) {
            self.todo.forgo();
            return Err((Refusal::Parked(capacity), transaction));
        }
        Ok(())
    }
}
