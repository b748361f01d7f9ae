// SPDX-License-Identifier: GPL-2.0

//! The references of a process: which node each of its handles names.
//!
//! A reference counts what its process holds. Its node only learns of the first and the last of
//! each kind. The lock of the references is held while that of the node's owner is taken, so that
//! the node's counts are always the sum of the references.

use super::{
    node::{
        Node,
        NodePin, //
    },
    queue::ListedNode,
    subscription::Subscription,
    Process, //
};
use crate::{
    collections::handles::{
        Handles,
        Keyed,
        Room, //
    },
    context::Context,
    diag::{
        ids::Ids,
        objects::{
            Counted,
            Kind, //
        }, //
    },
    thread::{
        wake::{
            Urgency,
            Wake, //
        },
        Thread, //
    },
    wire::object::Count, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// A reference.
pub(crate) struct Ref {
    pub(crate) debug_id: u32,
    pub(crate) node: Arc<Node>,
    // Wide enough that nobody can count beyond them.
    pub(crate) strong: u64,
    pub(crate) weak: u64,
    pub(crate) death: Option<Arc<Subscription>>,
    pub(crate) freeze: Option<Arc<Subscription>>,
    _counted: Counted,
}

impl Ref {
    fn count(&mut self, count: Count) -> &mut u64 {
        match count {
            Count::Strong => &mut self.strong,
            Count::Weak => &mut self.weak,
        }
    }
}

impl Keyed for Ref {
    fn key(&self) -> usize {
        key(&self.node)
    }
}

/// Nodes are told apart by where they are.
fn key(node: &Arc<Node>) -> usize {
    Arc::as_ptr(node).addr()
}

/// The references of one process.
pub(crate) struct Refs {
    pub(crate) table: Handles<Ref>,
    /// The process was released; no reference may be added.
    pub(crate) is_dead: bool,
}

impl Refs {
    /// No references.
    pub(crate) const fn new() -> Self {
        Self {
            table: Handles::new(),
            is_dead: false,
        }
    }

    /// The reference with that handle, if it may be used for `count`: what only holds weak
    /// references cannot do what takes a strong one.
    fn get(&mut self, handle: u32, count: Count) -> Option<&mut Ref> {
        let entry = self.table.get_mut(handle)?;
        (count == Count::Weak || entry.strong > 0).then_some(entry)
    }
}

impl Process {
    /// Counts one more reference to `node`, and gives its handle.
    ///
    /// `notifier` is as in [`Node::add_ref`]; a new reference gets one of `ids`. Fails with
    /// `EINVAL` where that one does, with `ESRCH` if the process was released, and with `ENOMEM`.
    /// May sleep.
    pub(crate) fn add_ref(
        &self,
        node: &Arc<Node>,
        count: Count,
        notifier: Option<&Thread>,
        ids: &mut Ids,
    ) -> Result<u32> {
        let lowest = self.context.lowest_handle(node);
        loop {
            let capacity = {
                let mut refs = self.refs.lock();
                if refs.is_dead {
                    return Err(ESRCH);
                }
                if let Some(result) = refs.try_add(node, count, lowest, notifier, ids) {
                    return result;
                }
                refs.table.capacity()
            };
            let room = Room::new(capacity)?;
            let _rest = self.refs.lock().table.grow(room);
        }
    }

    /// The id of the reference that `handle` names, or 0.
    pub(crate) fn ref_id(&self, handle: u32) -> u32 {
        let refs = self.refs.lock();
        refs.table.get(handle).map_or(0, |entry| entry.debug_id)
    }

    /// Counts one more reference of a kind that the process may add by itself.
    ///
    /// Returns whether there is such a handle.
    pub(crate) fn add_count(&self, handle: u32, count: Count) -> bool {
        let mut refs = self.refs.lock();
        let Some(entry) = refs.get(handle, count) else {
            return false;
        };
        // A handle with a strong count has its node's already, and one without gets none here.
        *entry.count(count) += 1;
        true
    }

    /// Counts one reference less. Returns whether there was one.
    pub(crate) fn remove_count(&self, handle: u32, count: Count) -> bool {
        let mut refs = self.refs.lock();
        let Some(entry) = refs.get(handle, count) else {
            return false;
        };
        let Some(left) = entry.count(count).checked_sub(1) else {
            return false;
        };
        *entry.count(count) = left;
        let was_strong = count == Count::Strong && left == 0;
        let is_last = entry.strong == 0 && entry.weak == 0;
        if !was_strong && !is_last {
            return true;
        }
        let node = entry.node.clone();
        let entry = is_last.then(|| refs.table.remove(handle)).flatten();
        let (wake, listed) = drop_counts(&node, is_last, was_strong);
        drop(refs);
        wake.wake(Urgency::Plain);
        drop((listed, node));
        if let Some(entry) = entry {
            self.end_ref(entry);
        }
        true
    }

    /// Ends what depends on a reference that was taken out of the table.
    fn end_ref(&self, entry: Ref) {
        for subscription in [entry.death, entry.freeze].into_iter().flatten() {
            self.end_subscription(&subscription);
        }
    }

    /// Removes a reference, whatever it counts; for the release of the process.
    pub(crate) fn drop_ref(&self, handle: u32) {
        let mut refs = self.refs.lock();
        let Some(entry) = refs.table.remove(handle) else {
            return;
        };
        let (wake, listed) = drop_counts(&entry.node, true, entry.strong > 0);
        drop(refs);
        wake.wake(Urgency::Plain);
        drop(listed);
        self.end_ref(entry);
    }

    /// The node that `handle` names, pinned. Fails with `EINVAL` without a strong reference.
    pub(crate) fn pin_target(&self, handle: u32) -> Result<NodePin> {
        let mut refs = self.refs.lock();
        let entry = refs.get(handle, Count::Strong).ok_or(EINVAL)?;
        Ok(NodePin::new(entry.node.clone()))
    }

    /// Counts a message that hands `node`, which `handle` names, back to its owner.
    ///
    /// Fails with `EINVAL` if the process has lost the reference meanwhile.
    pub(crate) fn return_node(&self, handle: u32, count: Count, node: &Arc<Node>) -> Result {
        let mut refs = self.refs.lock();
        let entry = refs.get(handle, count).ok_or(EINVAL)?;
        if !Arc::ptr_eq(&entry.node, node) {
            return Err(EINVAL);
        }
        node.add_local(&mut node.owner.queue.lock(), count);
        Ok(())
    }

    /// The node that `handle` names, if the process may pass on references of this kind.
    pub(crate) fn node_to_pass(&self, handle: u32, count: Count) -> Result<Arc<Node>> {
        let mut refs = self.refs.lock();
        let entry = refs.get(handle, count).ok_or(EINVAL)?;
        Ok(entry.node.clone())
    }
}

/// Tells `node` that it lost a reference. The lock of the references is held.
fn drop_counts(node: &Arc<Node>, is_last: bool, is_strong: bool) -> (Wake<'_>, Option<ListedNode>) {
    let mut queue = node.owner.queue.lock();
    node.remove_ref(&mut queue, is_last, is_strong);
    node.update_owner(&mut queue)
}

impl Refs {
    /// Counts one more reference to `node`, or gives `None` if the table is full.
    fn try_add(
        &mut self,
        node: &Arc<Node>,
        count: Count,
        lowest: u32,
        notifier: Option<&Thread>,
        ids: &mut Ids,
    ) -> Option<Result<u32>> {
        let found = self.table.find(key(node));
        if found.is_none() && !self.table.has_room() {
            return None;
        }
        let is_strong =
            count == Count::Strong && found.is_none_or(|handle| self.strong_count(handle) == 0);
        if found.is_none() || is_strong {
            let mut queue = node.owner.queue.lock();
            let added = node.add_ref(&mut queue, found.is_none(), is_strong, notifier);
            if let Err(err) = added {
                return Some(Err(err));
            }
        }
        let handle = match found {
            Some(handle) => handle,
            None => {
                let entry = Ref {
                    debug_id: ids.next(),
                    node: node.clone(),
                    strong: 0,
                    weak: 0,
                    death: None,
                    freeze: None,
                    _counted: Counted::new(Kind::Ref),
                };
                self.table.insert(lowest, entry).ok()?
            }
        };
        *self.table.get_mut(handle)?.count(count) += 1;
        Some(Ok(handle))
    }

    fn strong_count(&self, handle: u32) -> u64 {
        self.table.get(handle).map_or(0, |entry| entry.strong)
    }
}

impl Context {
    /// The lowest handle that a reference to `node` may get: only the manager's can have 0.
    fn lowest_handle(&self, node: &Arc<Node>) -> u32 {
        match self.manager() {
            Some(manager) if Arc::ptr_eq(&manager, node) => 0,
            _ => 1,
        }
    }
}
