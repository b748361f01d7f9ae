// SPDX-License-Identifier: GPL-2.0

//! Telling a thread that its transactions were accepted.
//!
//! They are counted where only the thread looks, unless there is something in the inbox that the
//! thread has to read before. Then they are queued behind it, many in one item.

use super::{
    local::Local,
    work::{
        Queued,
        Return,
        Work, //
    },
    Thread,
    COMPLETE, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

impl Thread {
    /// Tells the current thread that its transaction was accepted.
    pub(crate) fn complete(&self, local: &mut Local) {
        if self.complete_behind(local) {
            self.state(&mut self.process.queue.lock()).is_ready = true;
        } else {
            local.completions += 1;
            local.is_ready = true;
        }
        // The thread may wait with epoll for its own doing.
        self.process.pollers.notify();
    }

    /// Queues the return that a transaction was accepted, if there is something in the inbox that
    /// the current thread has to read before. It is read together with the item that comes next.
    ///
    /// Without memory for it, it is not queued: the thread reads it first, which only changes the
    /// order.
    pub(crate) fn complete_behind(&self, local: &mut Local) -> bool {
        local.queued = None;
        if !self.is_alerted() {
            return false;
        }
        let Ok(returns) = new_return(local, COMPLETE) else {
            return false;
        };
        let mut queue = self.process.queue.lock();
        // Many transactions in a row take no more memory than one.
        let last = self.state(&mut queue).inbox.last().map(Arc::from);
        if let Some(Work::Returns(last)) = last.map(Queued::into_work) {
            if last.code() == COMPLETE {
                last.set_count(last.count() + 1);
                drop(queue);
                local.queued = Some(last);
                return true;
            }
        }
        self.enclose(&mut queue, returns.clone());
        drop(queue);
        local.queued = Some(returns);
        true
    }

    /// Makes the last completion say `ret` instead, or takes it back.
    ///
    /// Without memory for `ret` the thread learns no more than that the transaction was accepted.
    pub(crate) fn amend_completion(&self, local: &mut Local, ret: Option<u32>) {
        let Some(queued) = local.queued.take() else {
            local.completions -= 1;
            if let Some(ret) = ret {
                match new_return(local, ret) {
                    Ok(returns) => self.receive_own(returns),
                    Err(_) => local.completions += 1,
                }
            }
            local.is_ready &= local.completions > 0;
            return;
        };
        let count = queued.count();
        if count == 1 {
            match ret {
                Some(ret) => queued.set_code(ret),
                None => self.withdraw(&mut self.process.queue.lock(), &*queued),
            }
            return;
        }
        let amended = ret.map(|ret| new_return(local, ret));
        match amended {
            Some(Err(_)) => {}
            Some(Ok(returns)) => {
                queued.set_count(count - 1);
                self.receive_own(returns);
            }
            None => queued.set_count(count - 1),
        }
    }

    /// Keeps the memory of returns that were read.
    pub(super) fn recycle_return(local: &mut Local, returns: Arc<Return>) {
        if local.spare_return.is_none() {
            local.spare_return = Arc::into_unique_or_drop(returns).map(Pin::into_inner);
        }
    }
}

/// One return `code`, in the memory of one that was read, if there is some.
fn new_return(local: &mut Local, code: u32) -> Result<Arc<Return>> {
    match local.spare_return.take() {
        Some(spare) => {
            spare.set_code(code);
            spare.set_count(1);
            Ok(Arc::from(spare))
        }
        None => Ok(Arc::new(Return::new(code), GFP_KERNEL_ACCOUNT)?),
    }
}
