// SPDX-License-Identifier: GPL-2.0

//! Work that is put into the hands of a thread which sleeps in a read.
//!
//! Whoever has work for a sleeping thread does under the lock all that the thread would do when it
//! wakes up, so that the thread need not take the lock again. Only work that ends a read is given
//! in this way, and only if there is nothing else to be done; all other work goes into the inbox.
//!
//! A thread that wakes up, for whatever reason, looks for a gift without the lock, and if there is
//! none under it. From then on nobody gives it anything, so none is left behind.

use super::{
    queue::Queue,
    thread::{
        looper,
        Thread, //
    },
    transaction::Transaction,
    work::Work, //
};
use kernel::{
    prelude::*,
    sync::{
        aref::ARef,
        atomic::Relaxed,
        Arc, //
    },
    task::Task, //
};

/// The call, message or reply that ends a read. Its giver has done under the lock all that the
/// reader would have done.
pub(crate) struct Gift {
    pub(crate) given: Given,
    /// The reader shall ask for another thread.
    pub(crate) spawn: bool,
}

/// What a gift is.
pub(crate) enum Given {
    /// A call or a message. A call is on the stack.
    Transaction(Arc<Transaction>),
    /// The reply to a call, which came off the stack.
    Outcome(Arc<Transaction>, Option<Arc<Transaction>>),
}

impl Thread {
    /// Puts work that ends a read into the hands of the thread, if it sleeps in one and nothing
    /// else is to be done. Gives the work back otherwise.
    pub(super) fn give(&self, queue: &mut Queue, work: Work) -> Result<Option<ARef<Task>>, Work> {
        let is_busy = !queue.todo.is_empty();
        let state = self.state(queue);
        if is_busy || !state.takes_gifts || state.must_return || !state.inbox.is_empty() {
            return Err(work);
        }
        // The thread may wake up for no reason, and look at this very moment.
        let Some(mut gift) = self.gift.try_borrow_mut() else {
            return Err(work);
        };
        let given = match work {
            Work::Transaction(transaction) => {
                transaction.handler.store(self.tid, Relaxed);
                if !transaction.is_oneway() {
                    // There is room, so this cannot fail.
                    let _ = state.stack.push_within_capacity(transaction.clone());
                }
                Given::Transaction(transaction)
            }
            Work::Outcome(call) if call.is_answered() => Given::Outcome(call, state.stack.pop()),
            work => return Err(work),
        };
        state.takes_gifts = false;
        state.looper &= !looper::WAITING;
        let task = state.sleeper.take();
        let can_ask = state.can_ask;
        let spawn = can_ask && queue.request_looper(&self.process);
        *gift = Some(Gift { given, spawn });
        Ok(task)
    }

    /// What the current thread was given while it slept.
    pub(crate) fn take_gift(&self) -> Option<Gift> {
        self.gift.try_borrow_mut()?.take()
    }
}
