// SPDX-License-Identifier: GPL-2.0

//! A mount: what its super block owns.

use super::{
    device_limit::DeviceLimit,
    driver::Driver,
    initial_devices::First,
    minors::{
        Minor,
        Reserve, //
    },
    options::Options, //
};
use crate::{
    context::instance::Instance,
    logs::{
        files::ProcessFiles,
        mount_place::MountPlace, //
    }, //
};
use kernel::{
    ipc_namespace,
    prelude::*,
    sync::{
        Arc,
        SetOnce, //
    }, //
};

/// What a mount's super block owns.
pub(crate) struct Mount {
    pub(crate) driver: Arc<Driver>,
    pub(crate) limit: Arc<DeviceLimit>,
    /// It shows the logs of all processes.
    pub(crate) stats: bool,
    /// What it had from the start, if that was not the usual.
    pub(crate) first: First,
    /// Its log files of processes, if it has any logs.
    pub(crate) process_logs: SetOnce<Arc<ProcessFiles<MountPlace>>>,
    pub(super) instance: Arc<Instance>,
    reserve: Reserve,
}

impl Mount {
    /// A mount without devices, made by the current task.
    pub(crate) fn new(driver: &Arc<Driver>, options: &Options) -> Result<Self> {
        Ok(Self {
            driver: driver.clone(),
            limit: DeviceLimit::new(options.max)?,
            stats: options.stats,
            first: options.first.clone(),
            process_logs: SetOnce::new(),
            instance: driver.new_instance()?,
            reserve: if ipc_namespace::current_is_initial() {
                Reserve::Use
            } else {
                Reserve::Leave
            },
        })
    }

    /// Takes a minor for this mount.
    pub(crate) fn take_minor(&self) -> Result<Minor> {
        self.driver.minors.take(self.reserve)
    }
}
