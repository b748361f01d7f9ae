// SPDX-License-Identifier: GPL-2.0

//! One mount of binderfs: the processes that opened any of its devices.
//!
//! Processes of different mounts know nothing of each other, and cannot freeze each other.

use super::{
    process::Process,
    registry::OpenProcess,
    shared::Shared, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
    task::Pid, //
};

/// Who wants to know which thread groups have any device open, whatever mount it is of.
pub(crate) trait Watcher: Send + Sync {
    /// A thread group opens a device, which it cannot if this fails.
    fn opens(&self, pid: Pid) -> Result;

    /// A thread group has closed a device.
    fn closed(&self, pid: Pid);
}

/// A mount.
#[pin_data]
pub(crate) struct Instance {
    pub(crate) shared: Arc<Shared>,
    watcher: Arc<dyn Watcher>,
    #[pin]
    processes: Mutex<KVVec<Arc<Process>>>,
}

impl Instance {
    /// A mount without processes.
    pub(crate) fn new(shared: &Arc<Shared>, watcher: Arc<dyn Watcher>) -> Result<Arc<Self>> {
        let init = pin_init!(Self {
            shared: shared.clone(),
            watcher,
            processes <- new_mutex!(KVVec::new(), "Instance::processes"),
        });
        Arc::pin_init(init, GFP_KERNEL)
    }

    /// Adds a process that opened a device.
    pub(crate) fn add(&self, process: Arc<Process>) -> Result {
        let pid = process.task.pid();
        self.watcher.opens(pid)?;
        let added = self.enter(process);
        if added.is_err() {
            self.watcher.closed(pid);
        }
        added
    }

    fn enter(&self, process: Arc<Process>) -> Result {
        self.processes.lock().push(process.clone(), GFP_KERNEL)?;
        let added = self.shared.registry.add(process.clone());
        if added.is_err() {
            self.forget(&process);
        }
        added
    }

    /// Forgets a process that is being released. It counts as long as the result lives.
    pub(crate) fn remove(&self, process: &Process) -> Option<OpenProcess> {
        self.watcher.closed(process.task.pid());
        self.forget(process);
        self.shared.registry.remove(process)
    }

    fn forget(&self, process: &Process) {
        let is_it = |other: &Arc<Process>| core::ptr::eq(&**other, process);
        let mut processes = self.processes.lock();
        let index = processes.iter().position(is_it);
        let removed = index.map(|index| processes.remove(index));
        drop(processes);
        drop(removed);
    }

    /// The processes of the thread group that the current task knows as `pid`.
    ///
    /// Fails with `EINVAL` if there are none.
    pub(crate) fn find(&self, pid: u32) -> Result<KVVec<Arc<Process>>> {
        let pid = Pid::try_from(pid)?;
        let mut found = KVVec::new();
        for process in self.processes.lock().iter().rev() {
            if process.task.tgid_nr_ns(None) == pid {
                found.push(process.clone(), GFP_KERNEL)?;
            }
        }
        if found.is_empty() {
            return Err(EINVAL);
        }
        Ok(found)
    }
}
