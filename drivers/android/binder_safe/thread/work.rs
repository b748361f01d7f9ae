// SPDX-License-Identifier: GPL-2.0

//! The items that wait to be read by a thread.
//!
//! Each is linked into one queue at a time by links of its own, so that queueing needs no memory,
//! has no limit, and can be undone in constant time. A queue owns its items.

use super::Thread;
use crate::{
    process::{
        node::Node,
        queue::Queue,
        subscription::{
            Notice,
            Subscription, //
        }, //
    },
    transaction::Transaction, //
};
use kernel::{
    list::{
        impl_has_checked_links,
        CheckedLinks,
        CheckedList,
        HasCheckedLinks, //
    },
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};

/// The place of an item in a queue.
pub(crate) type WorkLinks = CheckedLinks<0, 2>;

/// A queue of items, the first of which is read next.
pub(crate) type WorkList = CheckedList<dyn Queued, 0, 2>;

/// An object that can be queued.
pub(crate) trait Queued: HasCheckedLinks<0, 2> + Send + Sync {
    /// What the item, which was taken out of its queue, means to its reader.
    fn into_work(self: Arc<Self>) -> Work;

    /// The transaction, if the item is one.
    fn as_transaction(&self) -> Option<&Transaction> {
        None
    }

    /// The notice that the item is to its reader, if it is a subscription.
    fn as_notice(&self, _queue: &Queue) -> Option<Notice> {
        None
    }

    /// The returns, if the item is some.
    fn as_return(&self) -> Option<&Return> {
        None
    }
}

/// An item, as its reader sees it.
pub(crate) enum Work {
    /// A call or a oneway message.
    Transaction(Arc<Transaction>),
    /// The outcome of a call is known.
    Outcome(Arc<Transaction>),
    /// The owner of a node has something to learn about it.
    Node(Arc<Node>),
    /// There is news about a node that the process has subscribed to.
    Notice(Arc<Subscription>),
    /// One or more transactions of the thread were accepted.
    Returns(Arc<Return>),
    /// The thread's last transaction failed.
    Failed(Arc<Thread>),
}

impl Work {
    /// The item to be queued.
    pub(crate) fn into_item(self) -> Arc<dyn Queued> {
        match self {
            Self::Transaction(transaction) | Self::Outcome(transaction) => transaction,
            Self::Node(node) => node,
            Self::Notice(subscription) => subscription,
            Self::Returns(returns) => returns,
            Self::Failed(thread) => thread,
        }
    }
}

/// Queues an item as the last one. Gives whether it was in no queue.
pub(crate) fn enqueue(queue: &mut WorkList, item: Arc<dyn Queued>) -> bool {
    // An item that is handed back is in another queue, which has a reference.
    queue.push_back(item).is_ok()
}

/// Returns that tell a thread of its own transactions, behind something else that it has to read
/// before them.
pub(crate) struct Return {
    /// The return. Changed under the lock of the process, while the item is queued.
    code: Atomic<u32>,
    /// How many times it is due. Changed like `code`.
    count: Atomic<u32>,
    links: WorkLinks,
}

impl_has_checked_links! {
    impl HasCheckedLinks<0, 2> for Return { self.links }
}

impl Queued for Return {
    fn into_work(self: Arc<Self>) -> Work {
        Work::Returns(self)
    }

    fn as_return(&self) -> Option<&Return> {
        Some(self)
    }
}

impl Return {
    /// One return `code`.
    pub(crate) fn new(code: u32) -> Self {
        Self {
            code: Atomic::new(code),
            count: Atomic::new(1),
            links: WorkLinks::new(),
        }
    }

    /// The return.
    pub(crate) fn code(&self) -> u32 {
        self.code.load(Relaxed)
    }

    /// How many times it is due.
    pub(crate) fn count(&self) -> u32 {
        self.count.load(Relaxed)
    }

    /// Makes it say something else.
    pub(super) fn set_code(&self, code: u32) {
        self.code.store(code, Relaxed);
    }

    /// Makes it due that many times.
    pub(super) fn set_count(&self, count: u32) {
        self.count.store(count, Relaxed);
    }
}
