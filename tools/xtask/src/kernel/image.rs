// SPDX-License-Identifier: GPL-2.0

//! Prints the path of a kernel image, built if needed.

use std::path::PathBuf;

use anyhow::Result;

use crate::paths::Paths;

pub use super::Args;

/// Builds the kernel if needed and gives the path of its image.
pub fn ensure(paths: &Paths, args: &Args) -> Result<PathBuf> {
    super::build(paths, args)
}

/// Builds the kernel if needed and gives the path of the file with its symbols.
pub fn vmlinux(paths: &Paths, args: &Args) -> Result<PathBuf> {
    ensure(paths, args)?;
    Ok(args.dir(paths).join("vmlinux"))
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    super::run(paths, args)
}
