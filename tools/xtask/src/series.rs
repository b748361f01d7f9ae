// SPDX-License-Identifier: GPL-2.0

//! The patch series: from the overlay to patches and back.

use anyhow::{bail, Result};

use crate::paths::Paths;

pub mod am;
pub mod check;
pub mod fold;
pub mod patches;

/// The commit in the base repository that is the base with the whole series applied.
#[allow(dead_code)]
pub fn tip(_paths: &Paths) -> Result<String> {
    bail!("not there yet")
}
