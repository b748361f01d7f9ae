// SPDX-License-Identifier: GPL-2.0

//! Git commands whose result depends on their arguments alone.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{bail, Context, Result};

/// Who the commits of the series are by; whoever submits it puts their own name there.
pub const NAME: &str = "The binder_safe developers";
pub const EMAIL: &str = "binder-safe@localhost";
/// When they were made: a fixed time, so that the same input gives the same bytes.
pub const DATE: &str = "1795219200 +0000";

/// What would let the caller's shell, or a hook that runs us, decide which repository is meant.
const INHERITED: [&str; 9] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_DIFF_OPTS",
    "GIT_EXTERNAL_DIFF",
];

/// Takes what points git elsewhere out of the environment of `cmd`.
pub fn plain(cmd: &mut Command) -> &mut Command {
    for name in INHERITED {
        cmd.env_remove(name);
    }
    cmd
}

/// A git command in `dir` that no configuration or environment of the user changes.
pub fn git(dir: &Path) -> Command {
    let mut cmd = Command::new("git");
    cmd.current_dir(dir);
    plain(&mut cmd);
    cmd.env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_ATTR_NOSYSTEM", "1")
        .env("LC_ALL", "C")
        .args(["-c", "core.attributesFile=/dev/null"])
        // Else a command may leave a clean-up behind that runs on in a folder that is being removed.
        .args(["-c", "gc.auto=0", "-c", "maintenance.auto=false"]);
    for role in ["AUTHOR", "COMMITTER"] {
        cmd.env(format!("GIT_{role}_NAME"), NAME);
        cmd.env(format!("GIT_{role}_EMAIL"), EMAIL);
    }
    cmd.env("GIT_COMMITTER_DATE", DATE);
    cmd
}

/// Runs `cmd` with `input` on its standard input and gives the bytes of its standard output.
pub fn feed(cmd: &mut Command, input: Vec<u8>) -> Result<Vec<u8>> {
    let name = cmd.get_program().to_string_lossy().into_owned();
    let mut child = cmd
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {name}"))?;
    let mut stdin = child.stdin.take().context("the child has no stdin")?;
    // A thread of its own: the child may fill its output before it has read all its input.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let out = child.wait_with_output()?;
    let written = writer.join();
    if !out.status.success() {
        let stderr = String::from_utf8_lossy(&out.stderr);
        bail!("{name} failed ({}): {}", out.status, stderr.trim());
    }
    written
        .ok()
        .with_context(|| format!("cannot write to {name}"))??;
    Ok(out.stdout)
}

/// Runs `cmd` and gives the exact bytes of its standard output.
pub fn bytes(cmd: &mut Command) -> Result<Vec<u8>> {
    feed(cmd, Vec::new())
}

/// The patch at which `git am` stopped, and why, from what it said.
pub fn why_not_applied(said: &str) -> String {
    let patch = said
        .lines()
        .rfind(|line| line.starts_with("Applying:"))
        .unwrap_or("git am");
    let why = said
        .lines()
        .find(|line| line.starts_with("error:") || line.starts_with("fatal:"));
    format!("{patch}: {}", why.unwrap_or("no reason given"))
}
