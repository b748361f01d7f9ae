// SPDX-License-Identifier: GPL-2.0

//! What waits to be read by a thread.

use super::{
    node::Node,
    queue::Queue,
    subscription::Subscription,
    transaction::Transaction, //
};
use kernel::{
    fs::file::File,
    prelude::*,
    sync::{
        aref::ARef,
        poll::{
            PollCondVarBox,
            PollTable, //
        },
        Arc,
        SetOnce,
        SpinLock, //
    },
    task::Task, //
};

/// An item of a queue. It owns its subject, so that nothing must be taken out of a queue early.
#[derive(Clone)]
pub(crate) enum Work {
    /// A call or a oneway message.
    Transaction(Arc<Transaction>),
    /// The outcome of a call is known.
    Outcome(Arc<Transaction>),
    /// The owner of a node has something to learn about it.
    Node(Arc<Node>),
    /// There is news about a node that the process has subscribed to.
    Notice(Arc<Subscription>),
    /// The thread's last transaction was accepted, by the return that says so.
    Accepted(u32),
    /// The thread's last transaction failed, by the return that says so.
    Failed(u32),
}

/// Somebody to wake, once no lock is held.
#[must_use]
pub(crate) struct Wake<'a> {
    pub(crate) task: Option<ARef<Task>>,
    pub(crate) pollers: Option<&'a Pollers>,
}

impl Wake<'_> {
    /// Nobody needs to know.
    pub(crate) const NOBODY: Self = Self {
        task: None,
        pollers: None,
    };

    /// Wakes; `Sync` says that the current task is about to sleep.
    pub(crate) fn wake(self, urgency: Urgency) {
        if let Some(task) = self.task {
            match urgency {
                Urgency::Sync => task.wake_up_sync(),
                Urgency::Plain => task.wake_up(),
            }
        }
        if let Some(pollers) = self.pollers {
            pollers.notify();
        }
    }
}

/// How to wake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// The waker will sleep at once, so its CPU is a good place for the woken thread.
    Sync,
    /// The waker goes on.
    Plain,
}

/// Those who wait for work with `poll`, from the first time somebody does.
///
/// It lives as long as the open file, since `epoll` keeps a pointer to it that long.
pub(crate) struct Pollers(SetOnce<PollCondVarBox>);

impl Pollers {
    /// Nobody has polled yet.
    pub(crate) const fn new() -> Self {
        Self(SetOnce::new())
    }

    /// Adds the caller of `poll`; `queue` is that of the process.
    pub(crate) fn register(
        &self,
        queue: &SpinLock<Queue>,
        file: &File,
        table: &PollTable<'_>,
    ) -> Result {
        if self.0.as_ref().is_none() {
            self.make(queue)?;
        }
        if let Some(condvar) = self.0.as_ref() {
            table.register_wait(file, condvar);
        }
        Ok(())
    }

    /// Makes the wait queue, unless somebody else does.
    #[cold]
    fn make(&self, queue: &SpinLock<Queue>) -> Result {
        let condvar = PollCondVarBox::new(c"Pollers", kernel::static_lock_class!())?;
        let mut condvar = Some(condvar);
        // Under the lock nobody else is halfway through, which would look like no wait queue.
        let guard = queue.lock();
        if self.0.as_ref().is_none() {
            if let Some(condvar) = condvar.take() {
                self.0.populate(condvar);
            }
        }
        drop(guard);
        drop(condvar);
        Ok(())
    }

    /// Tells all who poll that there may be something to read.
    pub(crate) fn notify(&self) {
        if let Some(condvar) = self.0.as_ref() {
            condvar.notify_all();
        }
    }
}
