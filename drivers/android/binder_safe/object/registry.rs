// SPDX-License-Identifier: GPL-2.0

//! All processes and contexts, for the logs. Nothing else may find those of other mounts.

use super::{
    process::Process,
    shared::Shared, //
};
use crate::diag::{
    commands::Sums,
    objects::{
        Counted,
        Kind, //
    },
};
use kernel::{
    new_mutex,
    prelude::*,
    str::CString,
    sync::{
        Arc,
        Mutex, //
    },
    task::Pid, //
};

/// What there is.
#[pin_data]
pub(crate) struct Registry {
    #[pin]
    lists: Mutex<Lists>,
}

struct Lists {
    /// The newest is the last one.
    processes: KVVec<OpenProcess>,
    /// What the processes that are gone have counted.
    gone: Sums,
    contexts: KVVec<(u32, CString)>,
    next_context: u32,
}

/// A process counts until this is dropped.
pub(crate) struct OpenProcess {
    process: Arc<Process>,
    _counted: Counted,
}

impl Registry {
    /// There is nothing.
    pub(crate) fn new() -> impl PinInit<Self> {
        let lists = Lists {
            processes: KVVec::new(),
            gone: Sums::new(),
            contexts: KVVec::new(),
            next_context: 0,
        };
        pin_init!(Self {
            lists <- new_mutex!(lists, "Registry::lists"),
        })
    }

    /// Adds a process that opened a device.
    pub(crate) fn add(&self, process: Arc<Process>) -> Result {
        let open = OpenProcess {
            process,
            _counted: Counted::new(Kind::Process),
        };
        Ok(self.lists.lock().processes.push(open, GFP_KERNEL)?)
    }

    /// Forgets a process that is being released. It counts as long as the result lives.
    pub(crate) fn remove(&self, process: &Process) -> Option<OpenProcess> {
        let is_it = |open: &OpenProcess| core::ptr::eq(&*open.process, process);
        // No thread uses the file any more, so this is all that will be counted.
        let sums = process.final_sums();
        let mut lists = self.lists.lock();
        let index = lists.processes.iter().position(is_it)?;
        let open = lists.processes.remove(index).ok()?;
        lists.gone.add_sums(&sums);
        Some(open)
    }

    /// The processes of a thread group, or all of them. The one that was opened last comes first.
    pub(crate) fn processes(&self, pid: Option<Pid>) -> Result<KVVec<Arc<Process>>> {
        let mut found = KVVec::new();
        for open in self.lists.lock().processes.iter().rev() {
            if pid.is_none_or(|pid| open.process.task.pid() == pid) {
                found.push(open.process.clone(), GFP_KERNEL)?;
            }
        }
        Ok(found)
    }

    /// All processes, and what those that are gone have counted.
    pub(crate) fn counted(&self) -> Result<(KVVec<Arc<Process>>, Sums)> {
        let mut found = KVVec::new();
        let lists = self.lists.lock();
        for open in lists.processes.iter().rev() {
            found.push(open.process.clone(), GFP_KERNEL)?;
        }
        Ok((found, lists.gone))
    }

    /// The name of a context, if it is still there.
    pub(crate) fn context_name(&self, id: u32) -> Result<Option<CString>> {
        let lists = self.lists.lock();
        let mut contexts = lists.contexts.iter();
        match contexts.find(|(other, _)| *other == id) {
            Some((_, name)) => Ok(Some(CString::try_from(&**name)?)),
            None => Ok(None),
        }
    }
}

/// A context is known by its id as long as this lives.
pub(crate) struct KnownContext {
    shared: Arc<Shared>,
    pub(crate) id: u32,
}

impl KnownContext {
    /// Makes a context of that name known.
    pub(crate) fn new(shared: &Arc<Shared>, name: &CStr) -> Result<Self> {
        let name = CString::try_from(name)?;
        let mut lists = shared.registry.lists.lock();
        let id = lists.next_context;
        lists.contexts.push((id, name), GFP_KERNEL)?;
        lists.next_context = id.wrapping_add(1);
        Ok(Self {
            shared: shared.clone(),
            id,
        })
    }
}

impl Drop for KnownContext {
    fn drop(&mut self) {
        let mut lists = self.shared.registry.lists.lock();
        lists.contexts.retain(|(id, _)| *id != self.id);
    }
}
