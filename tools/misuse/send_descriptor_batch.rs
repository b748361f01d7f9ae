// SPDX-License-Identifier: GPL-2.0

//! Reserved descriptors belong to the process that reserved them.
//!
//! error: E0277

#![allow(missing_docs)]

use kernel::{fs::file::DescriptorBatch, prelude::*, workqueue};

pub fn give(batch: DescriptorBatch) -> Result {
    workqueue::system().try_spawn(GFP_KERNEL, move || batch.install())?;
    Ok(())
}
