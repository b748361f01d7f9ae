// SPDX-License-Identifier: GPL-2.0

//! Builds our plugin for the QEMU that is installed.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{paths::Paths, run};

/// From this version on QEMU refuses plugins for the first version of its interface.
const NEW_INTERFACE: u32 = 9;

/// The first number in `QEMU emulator version 7.2.22 (Debian …)`.
fn major(banner: &str) -> Option<u32> {
    let version = banner.split("version ").nth(1)?;
    version.split('.').next()?.parse().ok()
}

/// Builds what is out of date and gives the library.
pub fn build(paths: &Paths) -> Result<PathBuf> {
    let banner = run::output(Command::new("qemu-system-x86_64").arg("--version"))?;
    let version = major(&banner).with_context(|| format!("what version is {banner}?"))?;
    let out = paths.build("guest");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cmd = Command::new(cargo);
    cmd.current_dir(paths.root.join("tools"))
        .args([
            "build",
            "--release",
            "--locked",
            "--package",
            "profile-plugin",
        ])
        .arg("--target-dir")
        .arg(&out)
        .env_remove("QEMU_PLUGIN_VERSION");
    if version >= NEW_INTERFACE {
        cmd.env("QEMU_PLUGIN_VERSION", "2");
    }
    run::logged(
        "Building the plugin for QEMU",
        None,
        &paths.log("plugin")?,
        &mut cmd,
    )?;
    Ok(out.join("release/libprofile_plugin.so"))
}
