// SPDX-License-Identifier: GPL-2.0

//! Runs the KUnit suites in the VM.

use anyhow::{bail, Result};

use crate::paths::Paths;

#[derive(clap::Args)]
pub struct Args {}

pub fn run(_paths: &Paths, _args: Args) -> Result<()> {
    bail!("not there yet")
}

/// What `xtask test` calls.
pub fn tally(_paths: &Paths) -> Result<crate::report::Tally> {
    bail!("not there yet")
}
