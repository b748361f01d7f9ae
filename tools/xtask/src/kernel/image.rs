// SPDX-License-Identifier: GPL-2.0

//! Prints the path of a kernel image, built if needed.

use anyhow::{bail, Result};

use crate::{paths::Paths, Config, Driver};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub kernel: super::Args,
}

/// Builds the kernel if needed and gives the path of its image.
pub fn ensure(_paths: &Paths, _driver: Driver, _config: Config) -> Result<std::path::PathBuf> {
    bail!("not there yet")
}

pub fn run(_paths: &Paths, _args: Args) -> Result<()> {
    bail!("not there yet")
}
