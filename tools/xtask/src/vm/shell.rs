// SPDX-License-Identifier: GPL-2.0

//! An interactive shell in the VM.

use anyhow::{bail, Result};

use crate::paths::Paths;

#[derive(clap::Args)]
pub struct Args {}

pub fn run(_paths: &Paths, _args: Args) -> Result<()> {
    bail!("not there yet")
}
