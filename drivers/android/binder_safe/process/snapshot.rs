// SPDX-License-Identifier: GPL-2.0

//! What logs show of a process, taken in pieces.
//!
//! Each piece is a few items, copied under a lock into memory that was allocated before; what comes
//! next is found again by its key. So a log holds no lock for long, however much there is, and
//! shows a process that changes meanwhile as it was at several moments.

use super::{
    node::Node,
    peer::Peer,
    queue::Queue,
    subscription::{
        Notice,
        Topic, //
    },
    Process, //
};
use crate::{
    collections::counts::Counts,
    diag::commands::Sums,
    thread::{
        stack::Frame,
        work::Queued,
        Thread, //
    }, //
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
    pub(crate) item: Arc<dyn Queued>,
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
    Process(&'a Peer),
    /// What one thread is to do.
    Thread(&'a Thread),
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

impl Peer {
    /// Threads whose ids are above `tid`.
    pub(crate) fn threads_above(&self, tid: Pid) -> Result<KVec<Arc<Thread>>> {
        let mut found = piece()?;
        let queue = self.queue.lock();
        let mut above = tid;
        while let Some(thread) = queue.thread_above(above).filter(|_| found.len() < PIECE) {
            above = thread.tid;
            let _ = found.push_within_capacity(thread);
        }
        drop(queue);
        Ok(found)
    }

    /// A thread of the process.
    pub(crate) fn view_thread(&self, thread: &Thread) -> ThreadView {
        let mut queue = self.queue.lock();
        ThreadView {
            tid: thread.tid,
            looper: thread.state_ref(&queue).looper,
            must_return: thread.must_return(&mut queue),
        }
    }

    /// Calls on the stack of a thread, below `frame` if there is one.
    pub(crate) fn view_stack(&self, thread: &Thread, frame: Option<Frame>) -> Result<KVec<Frame>> {
        let mut found: KVec<Frame> = piece()?;
        let mut queue = self.queue.lock();
        let mut next = thread.frame_below(&mut queue, frame.as_ref());
        while let Some(frame) = next.filter(|_| found.len() < PIECE) {
            next = thread.frame_below(&mut queue, Some(&frame));
            let _ = found.push_within_capacity(frame);
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

    /// Whether news of a death, or of freezing, was read and not confirmed.
    pub(crate) fn has_delivered(&self, topic: Topic) -> bool {
        let queue = self.queue.lock();
        let found = queue.delivered.iter().any(|each| each.topic == topic);
        drop(queue);
        found
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
            threads: queue.nr_threads(),
            idle: queue.nr_idle(),
            requested: queue.loopers.requested,
            started: queue.loopers.started,
            max: queue.loopers.max,
        }
    }
}

impl Process {
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
    /// Items of the queue, behind `last` if there is one. One that has left the queue meanwhile has
    /// none behind it.
    pub(crate) fn work_behind(self, last: Option<&Arc<dyn Queued>>) -> Result<KVec<WorkView>> {
        let mut found = piece()?;
        let peer = match self {
            Self::Process(peer) => peer,
            Self::Thread(thread) => &thread.process,
            Self::Node(node) => &node.owner,
        };
        let queue = peer.queue.lock();
        let list = match self {
            Self::Process(_) => &queue.todo,
            Self::Thread(thread) => &thread.state_ref(&queue).inbox,
            Self::Node(node) => &node.state_ref(&queue).parked,
        };
        let mut next = match last {
            None => list.first(),
            Some(last) => list.next(&**last),
        };
        while let Some(item) = next.filter(|_| found.len() < PIECE) {
            next = list.next(&*item);
            let _ = found.push_within_capacity(WorkView {
                notice: item.as_notice(&queue),
                item: item.into(),
            });
        }
        drop(queue);
        Ok(found)
    }
}
