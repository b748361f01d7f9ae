// SPDX-License-Identifier: GPL-2.0

//! Builds the kselftests as the kernel's own tree would: in a folder with the same shape.

use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use anyhow::{bail, Context, Result};
use rustix::fs::{flock, FlockOperation};

use crate::{paths::Paths, run};

/// What the tests need of the kernel's tree.
const SHARED: [&str; 5] = [
    "tools/testing/selftests/lib.mk",
    "tools/testing/selftests/kselftest.h",
    // The tool for netlink families takes the folder that has this file for the root.
    "MAINTAINERS",
    "tools/net/ynl",
    "Documentation/netlink",
];

/// What tests are made with. It gives each 30 s, which is meant for machines.
const HARNESS: &str = "tools/testing/selftests/kselftest_harness.h";
const HURRY: &str = "#define TEST_TIMEOUT_DEFAULT 30\n";

/// What is enough for an emulated kernel with KASAN on a busy host.
const PATIENCE: &str = "#define TEST_TIMEOUT_DEFAULT 180\n";

/// Our tests, in `tools/testing/selftests`.
const OURS: &str = "binder";

/// The kernel's own tests of binderfs, in the same place.
const OF_THE_BASE: &str = "filesystems/binderfs";

/// Kselftest's own limit, for when there is no `settings` file.
const DEFAULT_LIMIT: Duration = Duration::from_secs(45);

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let path = entry?.path();
        if path.is_file() {
            all.push(path);
        }
    }
    all.sort();
    Ok(all)
}

/// Copies what is new or different, so that make rebuilds no more than it must, and removes what
/// is gone.
fn mirror(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    for old in files(to)? {
        let name = old.file_name().unwrap_or_default();
        if !from.join(name).is_file() {
            fs::remove_file(&old)?;
        }
    }
    for source in files(from)? {
        let copy = to.join(source.file_name().unwrap_or_default());
        write_if_new(&copy, &read(&source)?)?;
    }
    Ok(())
}

fn write_if_new(path: &Path, data: &[u8]) -> Result<()> {
    if fs::read(path).ok().as_deref() != Some(data) {
        // A link would lead to the base.
        let _ = fs::remove_file(path);
        fs::write(path, data).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The base's harness, with more time for each test.
fn harness(paths: &Paths) -> Result<String> {
    let text = String::from_utf8(read(&paths.base().join(HARNESS))?)?;
    Ok(text.replace(HURRY, PATIENCE))
}

/// All tests in a folder with the shape of a kernel tree's `selftests`, which it gives.
fn lay_out(paths: &Paths) -> Result<PathBuf> {
    let tree = paths.build("selftests");
    let selftests = tree.join("tools/testing/selftests");
    let base = paths.base().join("tools/testing/selftests");
    mirror(&paths.root.join("selftests"), &selftests.join(OURS))?;
    mirror(&base.join(OF_THE_BASE), &selftests.join(OF_THE_BASE))?;
    for name in SHARED {
        let target = paths.base().join(name);
        let link = tree.join(name);
        if let Some(dir) = link.parent() {
            fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        }
        if fs::read_link(&link).ok().as_deref() != Some(&target) {
            // A link to another base is in the way, or nothing is.
            let _ = fs::remove_file(&link);
            symlink(&target, &link)
                .with_context(|| format!("cannot make the link {}", link.display()))?;
        }
    }
    write_if_new(&tree.join(HARNESS), harness(paths)?.as_bytes())?;
    Ok(selftests)
}

/// The version lines of the base's Makefile: what the installed headers belong to.
fn base_version(paths: &Paths) -> Result<String> {
    let makefile = paths.base().join("Makefile");
    let text = fs::read_to_string(&makefile)
        .with_context(|| format!("no base tree, run `make setup`: {}", makefile.display()))?;
    Ok(text.lines().take(5).collect::<Vec<_>>().join("\n"))
}

/// The base's headers as user space gets them; the ones in the tree lack what the install step
/// puts right, such as `__packed`.
fn headers(paths: &Paths) -> Result<PathBuf> {
    let out = paths.build("headers");
    let include = out.join("usr/include");
    let stamp = out.join("of-version");
    let version = base_version(paths)?;
    if fs::read_to_string(&stamp).is_ok_and(|old| old == version) {
        return Ok(include);
    }
    fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
    let mut cmd = Command::new("make");
    cmd.arg("-C")
        .arg(paths.base())
        .arg(format!("O={}", out.display()));
    cmd.args(["ARCH=x86", "headers"]);
    run::logged(
        "Installing the kernel's headers",
        None,
        &paths.log("headers")?,
        &mut cmd,
    )?;
    fs::write(&stamp, version)?;
    Ok(include)
}

/// Keeps a second build out of the folder until the result is dropped.
fn lock(out: &Path) -> Result<File> {
    fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    let file = File::create(out.join(".lock"))?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

/// A test program: what it is called, and where it is.
pub type Built = (String, PathBuf);

/// Builds what is out of date and gives the test programs: ours, sorted by name, and then the
/// kernel's own.
pub fn programs(paths: &Paths) -> Result<Vec<Built>> {
    let out = paths.build("selftests").join("out");
    let _lock = lock(&out)?;
    let include = headers(paths)?;
    let selftests = lay_out(paths)?;
    let mut built = Vec::new();
    for (folder, out, prefix) in [
        (OURS, out.clone(), ""),
        (OF_THE_BASE, out.join("filesystems"), "filesystems/"),
    ] {
        let source = selftests.join(folder);
        fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
        make(paths, &source, &out, &include)?;
        for name in tests(&source)? {
            built.push((format!("{prefix}{name}"), out.join(name)));
        }
    }
    Ok(built)
}

/// The policy that the test of SELinux loads; there is none without checkpolicy.
pub fn policy(paths: &Paths) -> Option<PathBuf> {
    let policy = paths.build("selftests").join("out/selinux_test.policy");
    policy.is_file().then_some(policy)
}

/// Calls make in one folder of tests.
fn make(paths: &Paths, source: &Path, out: &Path, include: &Path) -> Result<()> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut cmd = Command::new("make");
    cmd.arg("-C")
        .arg(source)
        .arg(format!("OUTPUT={}", out.display()));
    cmd.arg(format!("KHDR_INCLUDES=-isystem {}", include.display()));
    cmd.args(["CC=gcc", "USERLDFLAGS=-static", "-j", &cores.to_string()]);
    cmd.env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
    let log = paths.log("selftests")?;
    run::logged("Building the selftests", None, &log, &mut cmd)
}

/// The names of the programs that a folder of tests makes.
fn tests(source: &Path) -> Result<Vec<String>> {
    let names: Vec<String> = files(source)?
        .iter()
        .filter_map(|path| path.file_name()?.to_str()?.strip_suffix("_test.c"))
        .map(|name| format!("{name}_test"))
        .collect();
    if names.is_empty() {
        bail!("there is no *_test.c in {}", source.display());
    }
    Ok(names)
}

/// The time a test program may take, from its `settings` file.
pub fn time_limit(paths: &Paths) -> Result<Duration> {
    let settings = paths.root.join("selftests/settings");
    let Ok(text) = fs::read_to_string(&settings) else {
        return Ok(DEFAULT_LIMIT);
    };
    let value = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("timeout="));
    match value.map(|value| value.trim().parse()) {
        Some(Ok(seconds)) => Ok(Duration::from_secs(seconds)),
        Some(Err(_)) => bail!("{}: timeout= is no number", settings.display()),
        None => Ok(DEFAULT_LIMIT),
    }
}
