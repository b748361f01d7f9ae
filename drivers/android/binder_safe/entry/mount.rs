// SPDX-License-Identifier: GPL-2.0

//! A mount: what its super block owns, and the devices in it.

use super::{
    binderfs::Binderfs,
    driver::{
        Driver,
        Minor,
        Reserve, //
    },
    file::DeviceFile,
    first::First,
    logs::files::{
        MountPlace,
        ProcessFiles, //
    },
    options::Options,
    slots::{
        Slot,
        Slots, //
    }, //
};
use crate::object::{
    context::Context,
    instance::Instance, //
};
use kernel::{
    chrdev::DevT,
    fs::pseudo::{
        ChrNode,
        Dir, //
    },
    ipc_namespace,
    prelude::*,
    sync::{
        Arc,
        SetOnce, //
    }, //
};

/// Devices have the inode number of their minor and this.
pub(crate) const FIRST_DEVICE_INO: u32 = 3;

/// What a mount's super block owns.
pub(crate) struct Mount {
    pub(crate) driver: Arc<Driver>,
    pub(crate) slots: Arc<Slots>,
    /// It shows the logs of all processes.
    pub(crate) stats: bool,
    /// What it had from the start, if that was not the usual.
    pub(crate) first: First,
    /// Its log files of processes, if it has any logs.
    pub(crate) process_logs: SetOnce<Arc<ProcessFiles<MountPlace>>>,
    instance: Arc<Instance>,
    reserve: Reserve,
}

impl Mount {
    /// A mount without devices, made by the current task.
    pub(crate) fn new(driver: &Arc<Driver>, options: &Options) -> Result<Self> {
        Ok(Self {
            driver: driver.clone(),
            slots: Slots::new(options.max)?,
            stats: options.stats,
            first: options.first.clone(),
            process_logs: SetOnce::new(),
            instance: Instance::new(&driver.shared)?,
            reserve: if ipc_namespace::current_is_initial() {
                Reserve::Use
            } else {
                Reserve::Leave
            },
        })
    }

    /// Takes a minor for this mount.
    pub(crate) fn take_minor(&self) -> Result<Minor> {
        self.driver.take_minor(self.reserve)
    }

    /// Makes a device that has no place in the tree yet.
    pub(crate) fn new_device(&self, name: &CStr) -> Result<Device> {
        Ok(Device {
            _slot: self.slots.take()?,
            minor: self.take_minor()?,
            context: Context::new(name, &self.instance)?,
        })
    }
}

/// What the inode of a device owns.
pub(crate) struct Device {
    pub(crate) context: Arc<Context>,
    minor: Minor,
    _slot: Slot,
}

impl Device {
    /// The device number.
    pub(crate) fn dev(&self) -> DevT {
        self.minor.dev
    }

    /// Puts the device into the root of its mount, with these permission bits.
    pub(crate) fn insert(self, root: &Dir<'_, Binderfs>, name: &CStr, mode: u16) -> Result {
        let node = ChrNode {
            dev: self.dev(),
            mode,
            ino: Some(u64::from(FIRST_DEVICE_INO + self.dev().minor())),
        };
        root.create_chr::<DeviceFile>(name, node, self)
    }
}
