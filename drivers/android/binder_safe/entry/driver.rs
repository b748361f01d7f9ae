// SPDX-License-Identifier: GPL-2.0

//! What all mounts share, and what ends when the module goes.

use super::{
    logs::files::DebugLogs,
    minors::Minors,
    param, //
};
use crate::object::shared::Shared;
use kernel::{
    prelude::*,
    str::CString,
    sync::Arc, //
};

/// The driver, as long as anything of it is in use.
pub(crate) struct Driver {
    pub(crate) shared: Arc<Shared>,
    pub(crate) minors: Arc<Minors>,
    pub(crate) debug_logs: DebugLogs,
    first_devices: KVec<CString>,
}

impl Driver {
    /// Reserves what mounts will need.
    pub(crate) fn new() -> Result<Arc<Self>> {
        let shared = Shared::new()?;
        let driver = Self {
            first_devices: param::devices()?,
            minors: Minors::new()?,
            debug_logs: DebugLogs::new(&shared)?,
            shared,
        };
        Ok(Arc::new(driver, GFP_KERNEL)?)
    }

    /// The devices that each mount has from the start.
    pub(crate) fn first_devices(&self) -> &[CString] {
        &self.first_devices
    }
}
