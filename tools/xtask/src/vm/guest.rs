// SPDX-License-Identifier: GPL-2.0

//! Builds the programs that run inside the VM: static, so that the initramfs needs no libraries.

use std::{env, path::PathBuf, process::Command};

use anyhow::Result;

use crate::{paths::Paths, run};

/// What the programs are built for. To name it keeps the flags of [`cargo`] away from build scripts
/// and macros, which cannot be static.
pub const TARGET: &str = "x86_64-unknown-linux-gnu";

/// A cargo that makes static programs for [`TARGET`].
pub fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env(
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
            "-Ctarget-feature=+crt-static",
        );
    cargo
}

/// Builds what is out of date and gives the folder with them in it.
pub fn build(paths: &Paths) -> Result<PathBuf> {
    let out = paths.build("guest");
    let mut cmd = cargo();
    cmd.current_dir(paths.root.join("tools"))
        .args([
            "build",
            "--release",
            "--locked",
            "--package",
            "demo",
            "--package",
            "bench",
            "--package",
            "binder-doctor",
            "--target",
            TARGET,
        ])
        .arg("--target-dir")
        .arg(&out);
    run::logged(
        "Building the programs for the VM",
        None,
        &paths.log("guest")?,
        &mut cmd,
    )?;
    Ok(out.join(TARGET).join("release"))
}
