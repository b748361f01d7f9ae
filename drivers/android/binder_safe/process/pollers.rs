// SPDX-License-Identifier: GPL-2.0

//! Those who wait for the work of a process with poll or epoll.

use kernel::{
    fs::file::File,
    prelude::*,
    sync::{
        poll::{
            PollCondVarBox,
            PollTable, //
        },
        SetOnce,
        SpinLock, //
    }, //
};

/// Those who wait for work with `poll`, from the first time somebody does.
///
/// It lives as long as the open file, since `epoll` keeps a pointer to it that long.
pub(crate) struct Pollers(SetOnce<PollCondVarBox>);

impl Pollers {
    /// Nobody has polled yet.
    pub(crate) const fn new() -> Self {
        Self(SetOnce::new())
    }

    /// Adds the caller of `poll`; `lock` is that of the process.
    pub(crate) fn register<T>(
        &self,
        lock: &SpinLock<T>,
        file: &File,
        table: &PollTable<'_>,
    ) -> Result {
        if self.0.as_ref().is_none() {
            self.make(lock)?;
        }
        if let Some(condvar) = self.0.as_ref() {
            table.register_wait(file, condvar);
        }
        Ok(())
    }

    /// Makes the wait queue, unless somebody else does.
    #[cold]
    fn make<T>(&self, lock: &SpinLock<T>) -> Result {
        let condvar = PollCondVarBox::new(c"Pollers", kernel::static_lock_class!())?;
        let mut condvar = Some(condvar);
        // Under the lock nobody else is halfway through, which would look like no wait queue.
        let guard = lock.lock();
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
