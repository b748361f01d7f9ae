// SPDX-License-Identifier: GPL-2.0

//! Making devices in a mount.

use super::{
    device::{
        Access,
        Claim,
        Device,
        FIRST_DEVICE_INO, //
    },
    device_limit::Slot,
    fs_type::Binderfs,
    minors::Minor,
    mount::Mount, //
};
use crate::{
    context::Context,
    file::DeviceFile, //
};
use kernel::{
    chrdev::DevT,
    fs::pseudo::{
        ChrNode,
        Dir, //
    },
    prelude::*,
    sync::Arc, //
};

impl Mount {
    /// Makes a device that has no place in the tree yet.
    pub(crate) fn new_device(&self, name: &CStr) -> Result<NewDevice> {
        let slot = self.limit.take()?;
        let minor = self.take_minor()?;
        let context = Context::new(name, &self.instance)?;
        Ok(NewDevice::new(context, minor, slot))
    }
}

/// A device that has no place in a mount yet.
pub(crate) struct NewDevice {
    context: Arc<Context>,
    claim: Claim,
}

impl NewDevice {
    /// Makes a device with this number.
    pub(crate) fn new(context: Arc<Context>, minor: Minor, slot: Slot) -> Self {
        let claim = Claim { minor, _slot: slot };
        Self { context, claim }
    }

    /// The device number.
    pub(crate) fn dev(&self) -> DevT {
        self.claim.minor.dev
    }

    /// Puts the device into the root of its mount.
    pub(crate) fn insert(self, root: &Dir<'_, Binderfs>, name: &CStr, access: Access) -> Result {
        let dev = self.dev();
        let node = ChrNode {
            dev,
            mode: access.mode,
            ino: Some(u64::from(FIRST_DEVICE_INO + dev.minor())),
            owner: access.owner,
        };
        let device = Device {
            context: self.context,
            _claim: Some(self.claim),
        };
        root.create_chr::<DeviceFile>(name, node, device)
    }
}
