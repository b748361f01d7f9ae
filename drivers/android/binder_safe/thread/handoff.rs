// SPDX-License-Identifier: GPL-2.0

//! Work that is put into the hands of a thread which sleeps in a read.
//!
//! The giver does under the lock all that the thread would do when it wakes up, so that the thread
//! need not take the lock again. Only an item that ends a read is handed over, and only if there is
//! nothing else to be done; all others go into the inbox.
//!
//! A thread that wakes up, for whatever reason, looks for a handoff without the lock, and if there
//! is none under it. From then on nobody hands it anything, so none is left behind.

use super::{
    looper,
    work::Work,
    Thread, //
};
use crate::{
    process::queue::Queue,
    transaction::Transaction, //
};
use kernel::{
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
    task::Task, //
};

/// The item that ends a read, taken for the reader.
pub(crate) struct Handoff {
    pub(super) taken: Taken,
    /// The reader shall ask for another thread.
    pub(super) spawn: bool,
}

/// An item that was taken and ends a read.
pub(super) enum Taken {
    /// A call, which is on the stack, or a message.
    Transaction(Arc<Transaction>),
    /// The outcome of a call, which came off the stack.
    Outcome(Arc<Transaction>),
}

impl Thread {
    /// Keeps the stack of the thread in step with the item that is taken for it.
    #[inline(always)]
    pub(super) fn take(&self, queue: &mut Queue, taken: &Taken) {
        match taken {
            Taken::Transaction(transaction) => {
                transaction.set_handler(self.tid);
                if !transaction.is_oneway() {
                    self.push_handled(queue, transaction.clone());
                }
            }
            Taken::Outcome(_) => {
                // `taken` is another reference to it.
                let _call = self.pop_call(queue);
            }
        }
    }

    /// Puts work that ends a read into the hands of the thread, if it sleeps in one and nothing
    /// else is to be done. Gives the work back otherwise.
    pub(super) fn hand_over(
        &self,
        queue: &mut Queue,
        work: Work,
    ) -> Result<Option<ARef<Task>>, Work> {
        let (has_todo, flushes) = (!queue.todo.is_empty(), queue.flushes);
        let state = self.state(queue);
        let must_return = state.must_return || state.flushes != flushes;
        if has_todo || must_return || !state.takes_handoff || !state.inbox.is_empty() {
            return Err(work);
        }
        // The thread may wake up for no reason, and look at this very moment.
        let Some(mut place) = self.handoff.try_borrow_mut() else {
            return Err(work);
        };
        let taken = match work {
            Work::Transaction(transaction) => Taken::Transaction(transaction),
            Work::Outcome(call) if call.is_answered() => Taken::Outcome(call),
            work => return Err(work),
        };
        state.takes_handoff = false;
        state.looper &= !looper::WAITING;
        let (task, can_ask) = (state.sleeper.take(), state.can_ask);
        self.take(queue, &taken);
        let spawn = can_ask && self.process.request_looper(queue);
        *place = Some(Handoff { taken, spawn });
        Ok(task)
    }

    /// The item that the current thread was handed while it slept.
    pub(super) fn take_handoff(&self) -> Option<Handoff> {
        self.handoff.try_borrow_mut()?.take()
    }
}
