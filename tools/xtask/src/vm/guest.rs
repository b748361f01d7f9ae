// SPDX-License-Identifier: GPL-2.0

//! Builds the programs that run inside the VM: static, so that the initramfs needs no libraries.

use std::{env, path::PathBuf, process::Command};

use anyhow::Result;

use crate::{paths::Paths, run};

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Builds what is out of date and gives the folder with them in it.
///
/// Naming the target keeps the flags away from build scripts and macros, which cannot be static.
pub fn build(paths: &Paths) -> Result<PathBuf> {
    let out = paths.build("guest");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cmd = Command::new(cargo);
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
        .arg(&out)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env(
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
            "-Ctarget-feature=+crt-static",
        );
    run::logged(
        "Building the programs for the VM",
        None,
        &paths.log("guest")?,
        &mut cmd,
    )?;
    Ok(out.join(TARGET).join("release"))
}
