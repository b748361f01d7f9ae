// SPDX-License-Identifier: GPL-2.0

//! What logs show of a process, taken in pieces.
//!
//! Each piece is a few items, copied under a lock into memory that was allocated before; what comes
//! next is found again by its key. So a log holds no lock for long, however much there is, and
//! shows a process that changes meanwhile as it was at several moments.

use super::{
    node::Node,
    process::Process,
    queue::Queue,
    subscription::{
        Notice,
        Topic, //
    },
    thread::Thread,
    transaction::Transaction,
    work::Work, //
};
use crate::{
    diag::commands::Sums,
    pure::counts::Counts, //
};
use kernel::{
    prelude::*,
    sync::Arc,
    task::Pid, //
};

/// How many items a piece has at most.
pub(crate) const PIECE: usize = 32;

/// A thread.
#[derive(Clone, Copy)]
pub(crate) struct ThreadView {
    pub(crate) tid: Pid,
    pub(crate) looper: u32,
    pub(crate) must_return: bool,
}

/// An item of a queue.
pub(crate) struct WorkView {
    pub(crate) work: Work,
    /// What a [`Work::Notice`] would be to its reader.
    pub(crate) notice: Option<Notice>,
}

/// A node.
pub(crate) struct NodeView {
    pub(crate) node: Arc<Node>,
    pub(crate) counts: Counts,
    pub(crate) is_busy: bool,
}

/// A reference.
pub(crate) struct RefView {
    pub(crate) debug_id: u32,
    pub(crate) handle: u32,
    pub(crate) node: Arc<Node>,
    pub(crate) strong: u64,
    pub(crate) weak: u64,
    /// Where the subscription to the death of the node is, or 0.
    pub(crate) death: usize,
}

/// Whose queue to look at.
#[derive(Clone, Copy)]
pub(crate) enum Owner<'a> {
    /// What any thread may do.
    Process(&'a Process),
    /// What one thread is to do.
    Thread(&'a Process, &'a Thread),
    /// The oneway messages that wait for an earlier one to the node.
    Node(&'a Node),
}

/// How many of everything a process has.
#[derive(Default)]
pub(crate) struct Numbers {
    pub(crate) threads: usize,
    pub(crate) idle: usize,
    pub(crate) requested: u32,
    pub(crate) started: u32,
    pub(crate) max: u32,
}

fn piece<T>() -> Result<KVec<T>> {
    Ok(KVec::with_capacity(PIECE, GFP_KERNEL)?)
}

impl Process {
    /// Threads whose ids are above `tid`.
    pub(crate) fn threads_above(&self, tid: Pid) -> Result<KVec<Arc<Thread>>> {
        let mut found = piece()?;
        let queue = self.queue.lock();
        let first = queue.threads().partition_point(|thread| thread.tid <= tid);
        for thread in queue.threads().iter().skip(first).take(PIECE) {
            let _ = found.push_within_capacity(thread.clone());
        }
        drop(queue);
        Ok(found)
    }

    /// A thread of the process.
    pub(crate) fn view_thread(&self, thread: &Thread) -> ThreadView {
        let queue = self.queue.lock();
        let state = thread.state_ref(&queue);
        ThreadView {
            tid: thread.tid,
            looper: state.looper,
            must_return: state.must_return,
        }
    }

    /// Calls on the stack of a thread, without the first `skip` of them from the top.
    pub(crate) fn view_stack(
        &self,
        thread: &Thread,
        skip: usize,
    ) -> Result<KVec<Arc<Transaction>>> {
        let mut found = piece()?;
        let queue = self.queue.lock();
        let stack = thread.state_ref(&queue).stack.iter().rev();
        for call in stack.skip(skip).take(PIECE) {
            let _ = found.push_within_capacity(call.clone());
        }
        drop(queue);
        Ok(found)
    }

    /// Nodes whose pointers are not below `ptr`.
    pub(crate) fn nodes_from(&self, ptr: u64) -> Result<KVec<NodeView>> {
        let mut found = piece()?;
        let queue = self.queue.lock();
        let mut next = queue.node_from(ptr);
        while let Some(node) = next {
            if found.len() == PIECE {
                break;
            }
            next = queue.node_after(node.ptr);
            let _ = found.push_within_capacity(NodeView::new(&node, &queue));
        }
        drop(queue);
        Ok(found)
    }

    /// References whose handles are not below `handle`.
    pub(crate) fn refs_from(&self, handle: u32) -> Result<KVec<RefView>> {
        let mut found = piece()?;
        let refs = self.refs.lock();
        for (handle, entry) in refs.table.iter_from(handle).take(PIECE) {
            let death = entry.death.as_ref();
            let _ = found.push_within_capacity(RefView {
                debug_id: entry.debug_id,
                handle,
                node: entry.node.clone(),
                strong: entry.strong,
                weak: entry.weak,
                death: death.map_or(0, |death| Arc::as_ptr(death).addr()),
            });
        }
        drop(refs);
        Ok(found)
    }

    /// Whether news of a death, or of freezing, was read and not confirmed.
    pub(crate) fn has_delivered(&self, topic: Topic) -> bool {
        let queue = self.queue.lock();
        let mut delivered = (0..).map_while(|nth| queue.delivered.get(nth));
        delivered.any(|each| each.topic == topic)
    }

    /// What the threads of the process have counted, and those that it had. One that goes right now
    /// may be left out.
    pub(crate) fn sums(&self) -> Result<Sums> {
        let mut sums = self.queue.lock().gone;
        let mut above = Pid::MIN;
        loop {
            let threads = self.threads_above(above)?;
            let Some(last) = threads.last() else {
                return Ok(sums);
            };
            above = last.tid;
            for thread in &threads {
                sums.add(&thread.counters);
            }
        }
    }

    /// How many of everything there are.
    pub(crate) fn numbers(&self) -> Numbers {
        let queue = self.queue.lock();
        Numbers {
            threads: queue.threads().len(),
            idle: queue.nr_idle(),
            requested: queue.loopers.requested,
            started: queue.loopers.started,
            max: queue.loopers.max,
        }
    }
}

impl NodeView {
    /// A node, under the lock of its owner.
    fn new(node: &Arc<Node>, queue: &Queue) -> Self {
        let state = node.state_ref(queue);
        Self {
            node: node.clone(),
            counts: state.counts,
            is_busy: state.is_busy,
        }
    }

    /// A node whose owner may be gone.
    pub(crate) fn of(node: &Arc<Node>) -> Self {
        Self::new(node, &node.owner.queue.lock())
    }
}

impl Owner<'_> {
    /// Items of the queue, without the first `skip` of them.
    pub(crate) fn work_from(self, skip: usize) -> Result<KVec<WorkView>> {
        let mut found = piece()?;
        let process = match self {
            Self::Process(process) | Self::Thread(process, _) => process,
            Self::Node(node) => &node.owner,
        };
        let queue = process.queue.lock();
        for nth in skip..skip + PIECE {
            let work = match self {
                Self::Process(_) => queue.todo.get(nth).cloned(),
                Self::Thread(_, thread) => thread.state_ref(&queue).inbox.get(nth).cloned(),
                Self::Node(node) => {
                    let parked = node.state_ref(&queue).parked.get(nth);
                    parked.cloned().map(Work::Transaction)
                }
            };
            let Some(work) = work else {
                break;
            };
            let notice = match &work {
                Work::Notice(subscription) => subscription.preview(&queue),
                _ => None,
            };
            let _ = found.push_within_capacity(WorkView { work, notice });
        }
        drop(queue);
        Ok(found)
    }
}
