// SPDX-License-Identifier: GPL-2.0

//! A bindgen that is new enough and not one of the broken releases.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::version::{self, Version};
use crate::{paths::Paths, run};

/// What is built from crates.io where the distribution has nothing good.
const VERSION: &str = "0.72.1";

/// The bindgen to use: the user's choice, the cache's, or the first good one on PATH.
pub fn find(paths: &Paths) -> Result<PathBuf> {
    if let Some(chosen) = env::var_os("BINDGEN").filter(|value| !value.is_empty()) {
        return Ok(chosen.into());
    }
    let own = installed(paths);
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).map(|dir| dir.join("bindgen"));
    std::iter::once(own)
        .chain(on_path)
        .find(|program| is_good(program))
        .context("no usable bindgen (0.71.1 or later, but not 0.73.0 or 0.73.1): run `make setup`")
}

/// Installs a bindgen if there is no good one: Debian's if that is new enough, else by cargo.
pub fn ensure(paths: &Paths) -> Result<()> {
    if find(paths).is_ok() {
        return Ok(());
    }
    let policy = run::output(Command::new("apt-cache").args(["policy", "bindgen"]));
    if policy.is_ok_and(|text| packaged_is_good(&text)) {
        super::packages::install(paths, &["bindgen"])?;
    } else {
        cargo_install(paths)?;
    }
    find(paths).map(|_| ())
}

fn cargo_install(paths: &Paths) -> Result<()> {
    let root = paths.cache.join("bindgen");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args([
            "install",
            "bindgen-cli",
            "--version",
            VERSION,
            "--locked",
            "--root",
        ])
        .arg(&root);
    // The build would otherwise leave its objects in this workspace's target folder.
    cargo.env_remove("CARGO_TARGET_DIR").current_dir("/");
    run::logged("Building bindgen", None, &paths.log("bindgen")?, &mut cargo)
}

fn installed(paths: &Paths) -> PathBuf {
    paths.cache.join("bindgen/bin/bindgen")
}

fn is_good(program: &Path) -> bool {
    program.is_file() && check(program).is_ok()
}

fn check(program: &Path) -> Result<Version> {
    version::check_bindgen(&version::banner(program)?)
}

/// Whether `apt-cache policy bindgen` offers a version that passes.
fn packaged_is_good(policy: &str) -> bool {
    let candidate = policy
        .lines()
        .find_map(|line| line.trim().strip_prefix("Candidate:"));
    candidate.is_some_and(|version| version::check_bindgen(version).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_a_good_package() {
        let policy = |v: &str| format!("bindgen:\n  Installed: (none)\n  Candidate: {v}\n");
        assert!(!packaged_is_good(&policy("0.60.1-2+b2")));
        assert!(packaged_is_good(&policy("0.71.1-6")));
        assert!(!packaged_is_good(&policy("0.73.1-1")));
        assert!(!packaged_is_good(&policy("(none)")));
        assert!(!packaged_is_good(""));
    }
}
