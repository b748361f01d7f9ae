// SPDX-License-Identifier: GPL-2.0

//! The nodes of a process.

use super::{
    node::Node,
    peer::Peer,
    queue::ListedNode, //
};
use crate::{
    diag::ids::Ids,
    wire::{
        object::Count,
        structs::FlatObject, //
    }, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

impl Peer {
    /// The node of the process that `object` describes, made if it is new, with one of `ids`. May
    /// sleep.
    ///
    /// Fails with `EINVAL` if there is one with another cookie.
    pub(crate) fn node_for(
        self: &Arc<Self>,
        object: &FlatObject,
        ids: &mut Ids,
    ) -> Result<Arc<Node>> {
        let same_cookie = |node: &Arc<Node>| (node.cookie == object.cookie).then(|| node.clone());
        if let Some(node) = self.queue.lock().node(object.binder) {
            return same_cookie(node).ok_or(EINVAL);
        }
        let node = Node::new(self.clone(), object, ids.next());
        let node = Arc::new(node, GFP_KERNEL_ACCOUNT)?;
        let listed = ListedNode::new(node.ptr, node.clone(), GFP_KERNEL_ACCOUNT)?;
        let mut queue = self.queue.lock();
        if let Some(other) = queue.node(object.binder) {
            // Another thread was faster.
            let found = same_cookie(other).ok_or(EINVAL);
            drop(queue);
            return found;
        }
        queue.add_node(&node, listed);
        Ok(node)
    }

    /// Confirms that the process was told of references to its node.
    ///
    /// Returns whether there is such a node, and something to confirm.
    pub(crate) fn confirm(&self, ptr: u64, cookie: u64, count: Count) -> bool {
        let mut queue = self.queue.lock();
        let Some(node) = queue.node(ptr).cloned() else {
            return false;
        };
        if node.cookie != cookie || !node.state(&mut queue).counts.confirm(count) {
            // The table may be without the node in a moment.
            drop(queue);
            return false;
        }
        node.update_and_wake(queue);
        true
    }
}
