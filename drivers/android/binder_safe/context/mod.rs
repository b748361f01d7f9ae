// SPDX-License-Identifier: GPL-2.0

//! A context: the processes that opened one device, and the manager that they share.

pub(crate) mod global;
pub(crate) mod instance;
pub(crate) mod manager;
pub(crate) mod registry;

use self::{
    instance::Instance,
    registry::KnownContext, //
};
use crate::process::{
    node::{
        Node,
        NodePin, //
    },
    Process, //
};
use kernel::{
    new_spinlock,
    prelude::*,
    str::CString,
    sync::{
        Arc,
        SpinLock, //
    },
    task::Kuid, //
};

/// One device. Handles, managers and transactions never cross from one to another.
#[pin_data]
pub(crate) struct Context {
    pub(crate) name: CString,
    pub(crate) instance: Arc<Instance>,
    known: KnownContext,
    #[pin]
    manager: SpinLock<Manager>,
}

/// Who answers at handle 0.
struct Manager {
    node: Option<Arc<Node>>,
    /// The only user that may become manager, from the first one that did.
    uid: Option<Kuid>,
}

impl Manager {
    /// Whether the caller may be it from now on.
    fn may_be_current(&self) -> Result {
        if self.node.is_some() {
            return Err(EBUSY);
        }
        match self.uid {
            Some(uid) if uid != Kuid::current_euid() => Err(EPERM),
            _ => Ok(()),
        }
    }
}

impl Context {
    /// A context without processes.
    pub(crate) fn new(name: &CStr, instance: &Arc<Instance>) -> Result<Arc<Self>> {
        let known = KnownContext::new(&instance.global, name)?;
        let name = CString::try_from(name)?;
        let init = pin_init!(Self {
            name,
            instance: instance.clone(),
            known,
            manager <- new_spinlock!(
                Manager {
                    node: None,
                    uid: None,
                },
                "Context::manager"
            ),
        });
        Arc::pin_init(init, GFP_KERNEL)
    }

    /// The id by which history names the context.
    pub(crate) fn id(&self) -> u32 {
        self.known.id
    }

    /// The manager's node.
    pub(crate) fn manager(&self) -> Option<Arc<Node>> {
        self.manager.lock().node.clone()
    }

    /// The manager's node, pinned.
    pub(crate) fn pin_manager(&self) -> Option<NodePin> {
        self.manager.lock().node.clone().map(NodePin::new)
    }

    /// Whether the caller may become manager now.
    ///
    /// Fails with `EBUSY` if there is one, and with `EPERM` if another user was it first.
    pub(crate) fn may_become_manager(&self) -> Result {
        self.manager.lock().may_be_current()
    }

    /// Makes `node` the manager's node. Fails like [`Self::may_become_manager`] and
    /// [`Node::make_permanent`].
    pub(crate) fn set_manager(&self, node: Arc<Node>) -> Result {
        let mut manager = self.manager.lock();
        manager.may_be_current()?;
        node.make_permanent(&mut node.owner.queue.lock())?;
        manager.uid.get_or_insert(Kuid::current_euid());
        manager.node = Some(node);
        Ok(())
    }

    /// Ends the role as manager of a process that is being released. Gives whether it was one.
    pub(crate) fn dismiss(&self, process: &Process) -> bool {
        let is_it = |node: &Arc<Node>| Arc::ptr_eq(&node.owner, &process.peer);
        let mut manager = self.manager.lock();
        let is_manager = manager.node.as_ref().is_some_and(is_it);
        let node = if is_manager {
            manager.node.take()
        } else {
            None
        };
        drop(manager);
        drop(node);
        is_manager
    }
}
