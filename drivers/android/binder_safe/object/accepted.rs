// SPDX-License-Identifier: GPL-2.0

//! What a thread is told of its own transactions that were accepted.
//!
//! It is counted where only the thread looks, unless there is something in the inbox that the
//! thread has to learn before.

use super::{
    own::Own,
    thread::{
        Thread,
        COMPLETE, //
    },
    work::Work, //
};
use kernel::prelude::*;

impl Thread {
    /// Tells the current thread that its transaction was accepted.
    ///
    /// This comes before it is sent, since it may fail for want of memory.
    pub(crate) fn accept(&self, own: &mut Own) -> Result {
        own.check_accepted()?;
        // What the thread has to learn before is in the inbox.
        own.is_behind = self.is_alerted();
        if own.is_behind {
            return self.post_own(Work::Accepted(COMPLETE));
        }
        own.accepted += 1;
        own.is_ready = true;
        // The thread may wait with epoll for what it did itself.
        self.process.pollers.notify();
        Ok(())
    }

    /// Puts the return that a call was accepted into the inbox of the current thread, if there is
    /// something that it has to learn before. It is read together with whatever comes next.
    pub(crate) fn accept_behind(&self, own: &mut Own) -> Result<bool> {
        own.check_accepted()?;
        if !self.is_alerted() {
            return Ok(false);
        }
        self.reserve_inbox()?;
        let mut queue = self.process.queue.lock();
        self.enclose(&mut queue, Work::Accepted(COMPLETE));
        Ok(true)
    }

    /// Makes the last return that a transaction was accepted say `ret`, or takes it back.
    ///
    /// Without memory for `ret` the thread learns no more than that the transaction was accepted.
    pub(crate) fn amend_accepted(&self, own: &mut Own, ret: Option<u32>) {
        if !own.is_behind {
            own.accepted -= 1;
            if let Some(ret) = ret {
                if self.post_own(Work::Accepted(ret)).is_err() {
                    own.accepted += 1;
                }
            }
            own.is_ready &= own.accepted > 0;
            return;
        }
        self.amend_behind(ret);
    }

    /// Does the same for a return that is in the inbox.
    pub(crate) fn amend_behind(&self, ret: Option<u32>) {
        let mut queue = self.process.queue.lock();
        let state = self.state(&mut queue);
        let old = state
            .inbox
            .take_last(|work| matches!(work, Work::Accepted(_)));
        if let (Some(_), Some(ret)) = (old, ret) {
            // It has the place of the old one.
            let _ = state.inbox.push(Work::Accepted(ret));
        }
        if state.inbox.is_empty() {
            state.is_ready = false;
        }
    }
}
