// SPDX-License-Identifier: GPL-2.0

//! binderfs: each mount is an instance with devices of its own.

use super::{
    control::ControlFile,
    driver::{
        Driver,
        Minor, //
    },
    file::DeviceFile, //
};
use crate::object::context::Context;
use kernel::{
    chrdev::DevT,
    fs::pseudo::{
        ChrNode,
        Dir,
        Entry,
        FileSystem,
        Flags,
        NewSuperBlock, //
    },
    prelude::*,
    sync::Arc,
    uapi, //
};

/// The inode number of `binder-control`; the root has 1.
const CONTROL_INO: u64 = 2;

/// Devices have the inode number of their minor and this.
const FIRST_DEVICE_INO: u64 = 3;

/// The file system.
pub(crate) struct Binderfs;

/// What a mount's super block owns.
pub(crate) struct Mount {
    driver: Arc<Driver>,
}

/// What the inode of a device owns.
pub(crate) struct Device {
    pub(crate) context: Arc<Context>,
    _minor: Minor,
}

#[vtable]
impl FileSystem for Binderfs {
    const NAME: &'static CStr = c"binder";
    const MAGIC: usize = uapi::BINDERFS_SUPER_MAGIC as usize;
    const FLAGS: Flags = Flags::USERNS_MOUNT
        .union(Flags::DEVICES)
        .union(Flags::NOEXEC);
    const RESERVED_INODES: u32 = CONTROL_INO as u32;

    type Context = Arc<Driver>;
    type Data = Mount;
    type Options = ();

    fn fill_super(sb: &NewSuperBlock<'_, Self>, _options: &()) -> Result<Mount> {
        Ok(Mount {
            driver: sb.context().clone(),
        })
    }

    fn populate(root: &Dir<'_, Self>, _options: &()) -> Result {
        let driver = &root.super_block().data().driver;
        let minor = driver.take_minor()?;
        let node = ChrNode {
            dev: minor.dev,
            mode: 0o600,
            ino: Some(CONTROL_INO),
        };
        root.create_chr::<ControlFile>(c"binder-control", node, minor)?;
        for name in driver.first_devices() {
            Self::add_device(root, name)?;
        }
        Ok(())
    }

    fn may_unlink(entry: &Entry<'_, Self>) -> Result {
        match entry.context::<DeviceFile>() {
            Some(_) => Ok(()),
            None => Err(EPERM),
        }
    }
}

impl Binderfs {
    /// Makes a device in the root of a mount.
    pub(crate) fn add_device(root: &Dir<'_, Self>, name: &CStr) -> Result<DevT> {
        let driver = &root.super_block().data().driver;
        let minor = driver.take_minor()?;
        let dev = minor.dev;
        let node = ChrNode {
            dev,
            mode: 0o600,
            ino: Some(FIRST_DEVICE_INO + u64::from(dev.minor())),
        };
        let device = Device {
            context: Context::new(name, &driver.shared)?,
            _minor: minor,
        };
        root.create_chr::<DeviceFile>(name, node, device)?;
        Ok(dev)
    }
}
