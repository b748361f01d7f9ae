// SPDX-License-Identifier: GPL-2.0

//! Devices: what their nodes carry.

use super::{
    device_limit::Slot,
    minors::Minor,
    Binderfs, //
};
use crate::{
    context::Context,
    file::DeviceFile, //
};
use kernel::{
    chrdev::DevT,
    fs::pseudo::{
        ChrNode,
        Dir,
        Owner, //
    },
    prelude::*,
    sync::Arc, //
};

/// Devices have the inode number of their minor and this.
pub(crate) const FIRST_DEVICE_INO: u32 = 3;

/// Who may use a node, until somebody changes it.
#[derive(Clone, Copy)]
pub(crate) struct Access {
    pub(crate) mode: u16,
    pub(crate) owner: Owner,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            mode: 0o600,
            owner: Owner::ROOT,
        }
    }
}

/// What opening a node finds.
pub(crate) struct Device {
    pub(crate) context: Arc<Context>,
    _claim: Option<Claim>,
}

/// What a node in a mount has taken; it is given back when nobody uses the node any more.
struct Claim {
    minor: Minor,
    _slot: Slot,
}

impl Device {
    /// What a node outside of binderfs opens.
    pub(crate) fn elsewhere(context: Arc<Context>) -> Self {
        Self {
            context,
            _claim: None,
        }
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
