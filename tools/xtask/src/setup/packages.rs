// SPDX-License-Identifier: GPL-2.0

//! Debian packages that building and booting kernels needs.

use std::{
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{bail, Context, Result};

use super::{base::DEBIAN, debian::KEYRING};
use crate::{paths::Paths, run};

const QEMU: &str = "qemu-system-x86";

/// How long another package manager may take: on a fresh machine, the automatic upgrade.
const PATIENCE: Duration = Duration::from_secs(1800);

/// How long to wait before asking again whether it has ended.
const INTERVAL: Duration = Duration::from_secs(5);

/// Compilers, the kernel's build tools, QEMU. Debian 12 and 13 both have all of them.
const NEEDED: &[&str] = &[
    "clang-22",
    "lld-22",
    "llvm-22",
    "libclang-22-dev",
    "rustc-web",
    "rust-web-src",
    "rustfmt-web",
    "rust-web-clippy",
    QEMU,
    "busybox-static",
    "flex",
    "bison",
    "bc",
    "libelf-dev",
    "libssl-dev",
    "rsync",
    "xz-utils",
    "gcc",
    "libc6-dev",
    "curl",
    "ca-certificates",
    "git",
    "make",
    "perl",
    "python3",
    "python3-jsonschema",
    "python3-yaml",
    "checkpolicy",
];

/// The programs by which a machine without dpkg shows that it has what is needed.
const PROGRAMS: &[&str] = &[
    "clang",
    "ld.lld",
    "rustc",
    "qemu-system-x86_64",
    "flex",
    "bison",
    "bc",
    "git",
    "gcc",
];

/// Installs what is missing; asks no server when nothing is.
pub fn ensure(paths: &Paths) -> Result<()> {
    if !Path::new("/usr/bin/dpkg-query").exists() {
        return need_programs(PROGRAMS);
    }
    let missing = missing(&installed(NEEDED)?, NEEDED);
    install(paths, &missing)
}

/// Installs what is missing of `packages`, which not every command needs. Where there is no dpkg,
/// they are taken to be there.
pub fn ensure_more(paths: &Paths, packages: &[&str]) -> Result<()> {
    if !Path::new("/usr/bin/dpkg-query").exists() {
        return Ok(());
    }
    install(paths, &missing(&installed(packages)?, packages))
}

/// Installs `packages` by apt.
pub fn install(paths: &Paths, packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    if !rustix::process::geteuid().is_root() {
        bail!(
            "packages are missing: run `apt-get install {}` as root",
            packages.join(" ")
        );
    }
    let log = paths.log("apt-update")?;
    run_apt("Reading package lists", &log, apt().arg("update"))?;
    let all = run_install(paths, apt(), packages);
    let (qemu, others): (Vec<&str>, Vec<&str>) = packages.iter().partition(|name| **name == QEMU);
    if all.is_ok() || qemu.is_empty() || !wants_removal(paths)? {
        return all;
    }
    // A part of QEMU is there from backports, which apt is not told of any more.
    run_install(paths, apt(), &others)?;
    run_install(paths, apt_with_backports(paths)?, &qemu)
}

fn run_install(paths: &Paths, mut apt: Command, packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    apt.args(["install", "-y", "--no-remove", "--no-install-recommends"])
        .args(packages);
    run_apt(
        &format!("Installing {} packages", packages.len()),
        &paths.log("apt-install")?,
        &mut apt,
    )
}

/// Runs apt, once no other package manager has what it needs.
fn run_apt(title: &str, log: &Path, apt: &mut Command) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut told = false;
    loop {
        let result = run::logged(title, None, log, apt);
        let waits = result.is_err() && is_locked(log) && Instant::now() < deadline;
        if !waits {
            return result;
        }
        if !told {
            eprintln!("  waiting for another package manager to end");
        }
        told = true;
        thread::sleep(INTERVAL);
    }
}

/// Whether apt failed because another package manager is at work. It waits for the lock of dpkg by
/// itself, and not for those of its lists and archives.
fn is_locked(log: &Path) -> bool {
    let text = fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&text).contains("Could not get lock")
}

/// Whether the last installation failed because it would have removed something.
fn wants_removal(paths: &Paths) -> Result<bool> {
    Ok(fs::read_to_string(paths.log("apt-install")?)
        .is_ok_and(|log| log.contains("Packages need to be removed")))
}

/// An apt that knows the backports of this release besides the system's sources, and prefers them.
fn apt_with_backports(paths: &Paths) -> Result<Command> {
    let release = fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    let suite = backports(&release).context("/etc/os-release names no VERSION_CODENAME")?;
    let mut sources = fs::read_to_string("/etc/apt/sources.list").unwrap_or_default();
    sources += &format!("\ndeb [signed-by={KEYRING}] {DEBIAN} {suite} main\n");
    let list = paths.cache.join("backports.list");
    fs::write(&list, sources).with_context(|| format!("cannot write {}", list.display()))?;
    let with_list = || {
        let mut apt = apt();
        apt.arg("-o")
            .arg(format!("Dir::Etc::sourcelist={}", list.display()));
        apt
    };
    let title = format!("Reading package lists of {suite}");
    let log = paths.log("apt-update")?;
    run_apt(&title, &log, with_list().arg("update"))?;
    let mut apt = with_list();
    apt.args(["-t", &suite]);
    Ok(apt)
}

/// The suite of backports to the release that `/etc/os-release` describes.
fn backports(release: &str) -> Option<String> {
    let name = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))?;
    Some(format!("{}-backports", name.trim_matches('"')))
}

fn apt() -> Command {
    let mut apt = Command::new("apt-get");
    // Without this a mirror that cannot be reached is only a warning.
    apt.args([
        "-o",
        "APT::Update::Error-Mode=any",
        "-o",
        "Acquire::Retries=3",
        "-o",
        "APT::Keep-Downloaded-Packages=false",
        "-o",
        &format!("DPkg::Lock::Timeout={}", PATIENCE.as_secs()),
    ]);
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    apt
}

/// What dpkg says about the packages; it fails when it does not know one, which is no error here.
fn installed(packages: &[&str]) -> Result<String> {
    let out = Command::new("dpkg-query")
        .args(["-W", "-f", "${db:Status-Abbrev} ${Package}\n"])
        .args(packages)
        .output()
        .context("cannot run dpkg-query")?;
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Those of `needed` that `status` does not list as installed.
fn missing<'a>(status: &str, needed: &[&'a str]) -> Vec<&'a str> {
    let is_there = |name: &str| {
        status.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some("ii") && words.next() == Some(name)
        })
    };
    needed
        .iter()
        .copied()
        .filter(|name| !is_there(name))
        .collect()
}

/// Fails with the names of the programs that are not on PATH.
fn need_programs(programs: &[&str]) -> Result<()> {
    let missing: Vec<_> = programs
        .iter()
        .filter(|name| !on_path(name))
        .copied()
        .collect();
    if !missing.is_empty() {
        bail!(
            "missing: {}; install them with your distribution's tools",
            missing.join(", ")
        );
    }
    Ok(())
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_missing() {
        let status = "ii  bc\nrc  flex\nun  bison\nii  clang-22\n";
        assert_eq!(
            missing(status, &["bc", "flex", "bison", "cpio", "clang-22"]),
            ["flex", "bison", "cpio"]
        );
    }

    #[test]
    fn waits_for_who_has_the_lock() {
        let log = std::env::temp_dir().join(format!("xtask-apt-{}.log", std::process::id()));
        let script = "[ -e \"$0\" ] && exit; touch \"$0\"; \
                      echo 'E: Could not get lock /var/lib/apt/lists/lock.'; exit 100";
        let taken = log.with_extension("taken");
        let mut apt = Command::new("sh");
        apt.args(["-c", script]).arg(&taken);
        run_apt("Trying", &log, &mut apt).unwrap();
        fs::remove_file(&taken).unwrap();
        let mut apt = Command::new("sh");
        apt.args(["-c", "echo 'E: Unable to locate package x'; exit 100"]);
        let error = run_apt("Trying", &log, &mut apt).unwrap_err().to_string();
        fs::remove_file(&log).unwrap();
        assert!(error.contains("Unable to locate"), "{error}");
    }

    #[test]
    fn names_the_backports_of_a_release() {
        let release = "ID=debian\nVERSION_CODENAME=bookworm\n";
        assert_eq!(backports(release).as_deref(), Some("bookworm-backports"));
        assert_eq!(backports("ID=other\n"), None);
    }

    #[test]
    fn names_programs_that_are_not_there() {
        let error = need_programs(&["sh", "no-such-program"])
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("missing: no-such-program;"), "{error}");
    }
}
