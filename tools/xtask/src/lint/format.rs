// SPDX-License-Identifier: GPL-2.0

//! All Rust files are as rustfmt writes them.

use std::process::{Command, Stdio};

use anyhow::{bail, Result};

use crate::{
    paths::Paths,
    series::{checkpatch::parallel, checks::Checks, git, overlay},
};

/// The edition of the kernel and of the tools.
const EDITION: &str = "2021";

/// Checks every Rust file of the repository; without rustfmt there is nothing to check with.
pub fn check(paths: &Paths, checks: &mut Checks) -> Result<()> {
    let what = "every Rust file is as rustfmt writes it";
    let found = Command::new("rustfmt")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !found.is_ok_and(|status| status.success()) {
        checks.skip(
            what,
            "there is no rustfmt; install it with rustup or from your distribution",
        );
        return Ok(());
    }
    let mut files = overlay::tracked(&paths.root, &["*.rs"])?;
    files.retain(|file| paths.root.join(file).exists());
    let results = parallel(&files, |file| one(paths, file));
    let off: Vec<&str> = files
        .iter()
        .zip(&results)
        .filter_map(|(file, result)| result.is_err().then_some(file.as_str()))
        .collect();
    let result = match off[..] {
        [] => Ok(()),
        _ => Err(anyhow::anyhow!("run rustfmt on: {}", off.join(" "))),
    };
    checks.item(&format!("{what} ({} files)", files.len()), result);
    Ok(())
}

fn one(paths: &Paths, file: &str) -> Result<()> {
    let text = std::fs::read(paths.root.join(file))?;
    let mut cmd = Command::new("rustfmt");
    cmd.args(["--edition", EDITION, "--emit", "stdout", "--config-path"]);
    // From standard input, since rustfmt would follow each `mod` line into files that are not here.
    let formatted = git::feed(cmd.arg(paths.root.join(".rustfmt.toml")), text.clone())?;
    if formatted != text {
        bail!("not as rustfmt writes it");
    }
    Ok(())
}
