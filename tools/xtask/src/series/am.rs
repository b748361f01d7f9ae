// SPDX-License-Identifier: GPL-2.0

//! Applies the series to a user's tree on a new branch.

use anyhow::{bail, Result};

use crate::paths::Paths;

#[derive(clap::Args)]
pub struct Args {}

pub fn run(_paths: &Paths, _args: Args) -> Result<()> {
    bail!("not there yet")
}
