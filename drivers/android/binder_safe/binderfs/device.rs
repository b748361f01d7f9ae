// SPDX-License-Identifier: GPL-2.0

//! Devices: what their nodes carry.

use super::{
    device_limit::Slot,
    minors::Minor, //
};
use crate::context::Context;
use kernel::{
    fs::pseudo::Owner,
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
    pub(super) _claim: Option<Claim>,
}

/// What a node in a mount has taken; it is given back when nobody uses the node any more.
pub(super) struct Claim {
    pub(super) minor: Minor,
    pub(super) _slot: Slot,
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
