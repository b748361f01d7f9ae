// SPDX-License-Identifier: GPL-2.0

//! Nodes in `/dev`, for who asks for them: misc devices, which need no mount.

use super::{
    device::Device,
    driver::Driver,
    param, //
};
use crate::{
    context::Context,
    file::DeviceFile, //
};
use kernel::{
    miscdevice::FileDevice,
    prelude::*, //
};

/// The nodes, as long as the module is there.
pub(crate) struct DevNodes {
    _nodes: KVec<FileDevice<DeviceFile>>,
}

impl DevNodes {
    /// Makes a node for each name that the parameter `devices` gives, or none if it was not given.
    ///
    /// Each is a context of its own. For what processes know of each other, all of them together
    /// are like a mount.
    pub(crate) fn new(driver: &Driver) -> Result<Self> {
        let mut nodes = KVec::new();
        if param::is_given() {
            let instance = driver.new_instance()?;
            for name in driver.first_devices() {
                let device = Device::elsewhere(Context::new(name, &instance)?);
                match FileDevice::new(name, device) {
                    Ok(node) => nodes.push(node, GFP_KERNEL)?,
                    // Mounts can do without.
                    Err(err) => {
                        pr_err!("cannot make /dev/{}: error {}\n", &**name, err.to_errno());
                    }
                }
            }
        }
        Ok(Self { _nodes: nodes })
    }
}
