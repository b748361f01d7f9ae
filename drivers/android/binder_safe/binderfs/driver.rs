// SPDX-License-Identifier: GPL-2.0

//! What all mounts share, and what ends when the module goes.

use super::{
    minors::{
        Minors,
        MAX_MINORS, //
    },
    param, //
};
use crate::{
    context::{
        global::Global,
        instance::Instance, //
    },
    logs::debug::DebugLogs, //
};
use kernel::{
    prelude::*,
    str::CString,
    sync::Arc, //
};

/// The driver, as long as anything of it is in use.
pub(crate) struct Driver {
    pub(crate) global: Arc<Global>,
    pub(crate) minors: Arc<Minors>,
    debug_logs: DebugLogs,
    first_devices: KVec<CString>,
}

impl Driver {
    /// Reserves what mounts will need.
    pub(crate) fn new() -> Result<Arc<Self>> {
        let global = Global::new()?;
        let driver = Self {
            first_devices: param::devices()?,
            minors: Minors::new(MAX_MINORS)?,
            debug_logs: DebugLogs::new(&global)?,
            global,
        };
        Ok(Arc::new(driver, GFP_KERNEL)?)
    }

    /// A mount, or what is like one, in which there is no process.
    pub(crate) fn new_instance(&self) -> Result<Arc<Instance>> {
        Instance::new(&self.global, self.debug_logs.watcher())
    }

    /// The devices that each mount has from the start.
    pub(crate) fn first_devices(&self) -> &[CString] {
        &self.first_devices
    }
}
