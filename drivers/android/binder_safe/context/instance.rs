// SPDX-License-Identifier: GPL-2.0

//! One mount of binderfs: the processes that opened any of its devices.
//!
//! Processes of different mounts know nothing of each other, and cannot freeze each other.

use super::global::Global;
use crate::{
    diag::objects::Counted,
    process::{
        peer::Peer,
        Process,
        IN_INSTANCE, //
    }, //
};
use kernel::{
    list::CheckedList,
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
    task::Pid, //
};

/// An observer of the thread groups that have any device open, whatever mount it is of.
pub(crate) trait OpenObserver: Send + Sync {
    /// A thread group opens a device, which it cannot if this fails.
    fn opens(&self, pid: Pid) -> Result;

    /// A thread group has closed a device.
    fn closed(&self, pid: Pid);
}

/// A mount.
#[pin_data]
pub(crate) struct Instance {
    pub(crate) global: Arc<Global>,
    observer: Arc<dyn OpenObserver>,
    #[pin]
    processes: Mutex<CheckedList<Process, IN_INSTANCE>>,
}

impl Instance {
    /// A mount without processes.
    pub(crate) fn new(global: &Arc<Global>, observer: Arc<dyn OpenObserver>) -> Result<Arc<Self>> {
        let init = pin_init!(Self {
            global: global.clone(),
            observer,
            processes <- new_mutex!(CheckedList::new(), "Instance::processes"),
        });
        Arc::pin_init(init, GFP_KERNEL)
    }

    /// Adds a process that opened a device.
    pub(crate) fn add(&self, process: &Arc<Process>) -> Result {
        self.observer.opens(process.pid)?;
        // A new process is in no list.
        let _ = self.processes.lock().push_front(process.clone());
        self.global.registry.add(process.clone());
        Ok(())
    }

    /// Forgets a process that is being released. It counts as long as the result lives.
    pub(crate) fn remove(&self, process: &Process) -> Option<Counted> {
        self.observer.closed(process.pid);
        let removed = self.processes.lock().remove(process);
        drop(removed);
        self.global.registry.remove(process);
        process.take_counted()
    }

    /// The processes of the thread group that the current task knows as `pid`, the newest first.
    ///
    /// Fails with `EINVAL` if there are none. Thread groups that the current task cannot see have
    /// no pid for it.
    pub(crate) fn find(&self, pid: u32) -> Result<KVVec<Arc<Peer>>> {
        let pid = Pid::try_from(pid)?;
        let mut found = KVVec::new();
        if pid == 0 {
            return Err(EINVAL);
        }
        for process in self.processes.lock().iter() {
            if process.task_pid.nr_in_current_ns() == pid {
                found.push(process.peer.clone(), GFP_KERNEL)?;
            }
        }
        if found.is_empty() {
            return Err(EINVAL);
        }
        Ok(found)
    }
}
