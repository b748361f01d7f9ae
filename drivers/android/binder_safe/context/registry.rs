// SPDX-License-Identifier: GPL-2.0

//! All processes and contexts, for the logs. Nothing else may find those of other mounts.

use super::global::Global;
use crate::{
    diag::commands::Sums,
    process::{
        Process,
        IN_REGISTRY, //
    }, //
};
use kernel::{
    list::CheckedList,
    new_mutex,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNode, //
    },
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
    /// The newest is the first one.
    processes: CheckedList<Process, IN_REGISTRY>,
    nr_processes: usize,
    /// Counts of processes that are gone.
    gone: Sums,
    /// The names of contexts by their ids.
    contexts: RBTree<u32, CString>,
    next_context: u32,
}

impl Registry {
    /// There is nothing.
    pub(crate) fn new() -> impl PinInit<Self> {
        let lists = Lists {
            processes: CheckedList::new(),
            nr_processes: 0,
            gone: Sums::new(),
            contexts: RBTree::new(),
            next_context: 0,
        };
        pin_init!(Self {
            lists <- new_mutex!(lists, "Registry::lists"),
        })
    }

    /// Adds a process that opened a device.
    pub(super) fn add(&self, process: Arc<Process>) {
        let mut lists = self.lists.lock();
        lists.nr_processes += usize::from(lists.processes.push_front(process).is_ok());
    }

    /// Forgets a process that is being released.
    pub(super) fn remove(&self, process: &Process) {
        // No thread uses the file any more, so this is all that will be counted.
        let sums = process.final_sums();
        let mut lists = self.lists.lock();
        let removed = lists.processes.remove(process);
        if removed.is_some() {
            lists.nr_processes -= 1;
            lists.gone.add_sums(&sums);
        }
        drop(lists);
        drop(removed);
    }

    /// The processes of a thread group, or all of them. The one that was opened last comes first.
    pub(crate) fn processes(&self, pid: Option<Pid>) -> Result<KVVec<Arc<Process>>> {
        let (mut found, _) = self.counted()?;
        if let Some(pid) = pid {
            found.retain(|process| process.pid == pid);
        }
        Ok(found)
    }

    /// All processes, and the counts of those that are gone.
    pub(crate) fn counted(&self) -> Result<(KVVec<Arc<Process>>, Sums)> {
        loop {
            // Memory is allocated while others may open and close devices. A few that come
            // meanwhile find room, too.
            let room = self.lists.lock().nr_processes + 32;
            let mut found = KVVec::with_capacity(room, GFP_KERNEL)?;
            let lists = self.lists.lock();
            if lists.nr_processes > room {
                continue;
            }
            for process in lists.processes.iter() {
                let _ = found.push_within_capacity(process.into());
            }
            return Ok((found, lists.gone));
        }
    }

    /// The name of a context, if it is still there.
    pub(crate) fn context_name(&self, id: u32) -> Result<Option<CString>> {
        let lists = self.lists.lock();
        match lists.contexts.get(&id) {
            Some(name) => Ok(Some(CString::try_from(&**name)?)),
            None => Ok(None),
        }
    }
}

/// A context is known by its id as long as this lives.
pub(crate) struct KnownContext {
    global: Arc<Global>,
    pub(crate) id: u32,
}

impl KnownContext {
    /// Makes a context of that name known.
    pub(crate) fn new(global: &Arc<Global>, name: &CStr) -> Result<Self> {
        let name = CString::try_from(name)?;
        let mut lists = global.registry.lists.lock();
        let id = lists.next_context;
        let known = RBTreeNode::new(id, name, GFP_KERNEL)?;
        let before = lists.contexts.insert(known);
        lists.next_context = id.wrapping_add(1);
        drop(lists);
        drop(before);
        Ok(Self {
            global: global.clone(),
            id,
        })
    }
}

impl Drop for KnownContext {
    fn drop(&mut self) {
        let removed = self
            .global
            .registry
            .lists
            .lock()
            .contexts
            .remove_node(&self.id);
        drop(removed);
    }
}
