// SPDX-License-Identifier: GPL-2.0

//! What clippy, the linter that comes with the compiler, thinks of the kernel crate, the driver and
//! the samples, with the kernel's own settings for it.

use anyhow::{bail, Result};

use super::{
    misuse::DRIVER,
    replay::{Build, Saved},
};
use crate::{kernel, paths::Paths, report::Tally, series::checks::Checks, Config, Driver};

/// What is looked at. The debug kernel has the suites and the samples.
const OBJECTS: [&str; 3] = ["rust/kernel.o", DRIVER, "samples/rust/rust_pseudo_fs.o"];

/// Looks at the debug kernel, which is built if need be.
pub fn tally(paths: &Paths) -> Result<Tally> {
    let build = Build::of(paths, &kernel::Args::of(Driver::Safe, Config::Debug))?;
    let mut checks = Checks::default();
    for object in OBJECTS {
        let what = format!("clippy has nothing to say about {object}");
        match build.command(object)?.by("clippy-driver") {
            Some(saved) => checks.item(&what, silent(&build, &saved)),
            None => checks.skip(&what, "there is no clippy-driver beside rustc"),
        }
    }
    Ok(checks.tally)
}

fn silent(build: &Build, saved: &Saved) -> Result<()> {
    let verdict = build.compile(saved, &saved.source)?;
    if !verdict.success || verdict.first("warning").is_some() {
        bail!("{}", verdict.said);
    }
    Ok(())
}
