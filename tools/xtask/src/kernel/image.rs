// SPDX-License-Identifier: GPL-2.0

//! Prints the path of a kernel image, built if needed.

use std::path::PathBuf;

use anyhow::Result;

use crate::{paths::Paths, Config, Driver};

pub use super::Args;

/// Builds the kernel if needed and gives the path of its image.
pub fn ensure(paths: &Paths, driver: Driver, config: Config) -> Result<PathBuf> {
    super::build(
        paths,
        &Args {
            driver,
            config,
            module: false,
        },
    )
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    super::run(paths, args)
}
