// SPDX-License-Identifier: GPL-2.0

//! Which kernel a command boots.

use std::path::PathBuf;

use anyhow::{bail, Result};

use super::Accel;
use crate::{kernel, paths::Paths, Config, Driver};

/// The options that every command with a VM has.
#[derive(Clone, Debug, clap::Args)]
pub struct Choice {
    /// The driver in the kernel.
    #[arg(long, value_enum, default_value = "safe")]
    pub driver: Driver,
    /// How the kernel is configured.
    #[arg(long, value_enum, default_value = "release")]
    pub config: Config,
    /// A kernel image to boot as it is, instead of one that is built for this.
    #[arg(long, hide = true)]
    pub image: Option<PathBuf>,
    /// What executes the VM's instructions.
    #[arg(long, value_enum, default_value = "auto")]
    pub accel: Accel,
}

impl Choice {
    /// The image, built if need be.
    pub fn image(&self, paths: &Paths) -> Result<PathBuf> {
        match &self.image {
            Some(image) if image.is_file() => Ok(image.clone()),
            Some(image) => bail!("there is no kernel image {}", image.display()),
            None => kernel::image::ensure(paths, self.driver, self.config),
        }
    }

    /// The name of the combination, in logs.
    pub fn name(&self) -> String {
        format!("{:?}-{:?}", self.driver, self.config).to_lowercase()
    }
}
