// SPDX-License-Identifier: GPL-2.0

//! Brings a hand-edited patch back to the overlay.

use anyhow::{bail, Result};

use crate::paths::Paths;

#[derive(clap::Args)]
pub struct Args {}

pub fn run(_paths: &Paths, _args: Args) -> Result<()> {
    bail!("not there yet")
}
