// SPDX-License-Identifier: GPL-2.0

//! What all mounts share, and what ends when the module goes.

use super::{
    logs::files::DebugLogs,
    names, //
};
use crate::object::shared::Shared;
use kernel::{
    chrdev::{
        DevT,
        Region, //
    },
    id_pool::IdPool,
    new_mutex,
    prelude::*,
    str::CString,
    sync::{
        Arc,
        Mutex, //
    }, //
};

/// The devices that each mount has from the start, with commas between.
const FIRST_DEVICES: &str = env!("CONFIG_ANDROID_BINDER_SAFE_DEVICES");

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

/// The driver, as long as anything of it is in use.
#[pin_data]
pub(crate) struct Driver {
    pub(crate) shared: Arc<Shared>,
    pub(crate) debug_logs: DebugLogs,
    region: Region,
    first_devices: KVec<CString>,
    #[pin]
    minors: Mutex<IdPool>,
}

impl Driver {
    /// Reserves what mounts will need.
    pub(crate) fn new() -> Result<Arc<Self>> {
        let shared = Shared::new()?;
        let first_devices = names::split(FIRST_DEVICES, &[','])?;
        let debug_logs = DebugLogs::new(&shared)?;
        let region = Region::alloc(0, MAX_MINORS, c"binder")?;
        let init = pin_init!(Self {
            shared,
            debug_logs,
            region,
            first_devices,
            minors <- new_mutex!(IdPool::new(), "Driver::minors"),
        });
        Arc::pin_init(init, GFP_KERNEL)
    }

    /// Takes the lowest minor that no device has.
    pub(crate) fn take_minor(self: &Arc<Self>, reserve: Reserve) -> Result<Minor> {
        let end = match reserve {
            Reserve::Use => MAX_MINORS,
            Reserve::Leave => MAX_MINORS - RESERVED_MINORS,
        };
        let mut minors = self.minors.lock();
        loop {
            if let Some(id) = minors.find_unused_id(0) {
                let index = id.as_u32();
                if index >= end {
                    return Err(ENOSPC);
                }
                let dev = self.region.dev(index).ok_or(ENOSPC)?;
                id.acquire();
                return Ok(Minor {
                    driver: self.clone(),
                    dev,
                    index,
                });
            }
            let request = minors.grow_request().ok_or(ENOSPC)?;
            minors.grow(request.realloc(GFP_KERNEL)?);
        }
    }

    /// The devices that each mount has from the start.
    pub(crate) fn first_devices(&self) -> &[CString] {
        &self.first_devices
    }
}

/// A device number; it is given back when this is dropped.
pub(crate) struct Minor {
    driver: Arc<Driver>,
    pub(crate) dev: DevT,
    index: u32,
}

impl Drop for Minor {
    fn drop(&mut self) {
        self.driver.minors.lock().release_id(self.index as usize);
    }
}
