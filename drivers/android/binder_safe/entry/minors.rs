// SPDX-License-Identifier: GPL-2.0

//! The device numbers of all mounts, and which device each stands for.

use super::device::Device;
use crate::object::context::Context;
use kernel::{
    cdev::Numbers,
    chrdev::{
        DevT,
        Region, //
    },
    id_pool::IdPool,
    new_mutex,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNode, //
    },
    sync::{
        Arc,
        Mutex, //
    }, //
};

/// How many devices there can be over all mounts.
pub(crate) const MAX_MINORS: u32 = 1 << 20;

/// How many of them only mounts of the initial IPC namespace can have, so that containers cannot
/// take all.
const RESERVED_MINORS: u32 = 4;

/// Whether a mount may use the reserved minors.
#[derive(Clone, Copy)]
pub(crate) enum Reserve {
    Use,
    Leave,
}

/// All numbers.
#[pin_data]
pub(crate) struct Minors {
    region: Region,
    #[pin]
    taken: Mutex<Taken>,
}

struct Taken {
    pool: IdPool,
    /// What nodes with these numbers outside of binderfs open.
    contexts: RBTree<u32, Arc<Context>>,
}

impl Minors {
    /// Reserves the numbers, all of which are free.
    pub(crate) fn new() -> Result<Arc<Self>> {
        let region = Region::alloc(0, MAX_MINORS, c"binder")?;
        let taken = Taken {
            pool: IdPool::new(),
            contexts: RBTree::new(),
        };
        let init = pin_init!(Self {
            region,
            taken <- new_mutex!(taken, "Minors::taken"),
        });
        Arc::pin_init(init, GFP_KERNEL)
    }

    /// Takes the lowest minor that no device has.
    pub(crate) fn take(self: &Arc<Self>, reserve: Reserve) -> Result<Minor> {
        let end = match reserve {
            Reserve::Use => MAX_MINORS,
            Reserve::Leave => MAX_MINORS - RESERVED_MINORS,
        };
        let mut taken = self.taken.lock();
        loop {
            if let Some(id) = taken.pool.find_unused_id(0) {
                let index = id.as_u32();
                if index >= end {
                    return Err(ENOSPC);
                }
                let dev = self.region.dev(index).ok_or(ENOSPC)?;
                id.acquire();
                return Ok(Minor {
                    minors: self.clone(),
                    dev,
                    index,
                });
            }
            let request = taken.pool.grow_request().ok_or(ENOSPC)?;
            taken.pool.grow(request.realloc(GFP_KERNEL)?);
        }
    }
}

/// A device number; it is given back when this is dropped.
pub(crate) struct Minor {
    minors: Arc<Minors>,
    pub(crate) dev: DevT,
    index: u32,
}

impl Minor {
    /// Lets nodes with the number, wherever they are, open `context`.
    pub(crate) fn stand_for(&self, context: &Arc<Context>) -> Result {
        let node = RBTreeNode::new(self.index, context.clone(), GFP_KERNEL)?;
        let before = self.minors.taken.lock().contexts.insert(node);
        drop(before);
        Ok(())
    }
}

impl Drop for Minor {
    fn drop(&mut self) {
        let mut taken = self.minors.taken.lock();
        let context = taken.contexts.remove_node(&self.index);
        taken.pool.release_id(self.index as usize);
        drop(taken);
        drop(context);
    }
}

/// The numbers as whoever serves them sees them.
pub(crate) struct Served(pub(crate) Arc<Minors>);

impl Numbers for Served {
    type Device = Device;

    fn region(&self) -> &Region {
        &self.0.region
    }

    fn find(&self, dev: DevT) -> Option<Device> {
        let taken = self.0.taken.lock();
        let context = taken.contexts.get(&dev.minor())?;
        Some(Device::elsewhere(context.clone()))
    }
}
