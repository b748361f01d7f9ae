// SPDX-License-Identifier: GPL-2.0

//! Runs binder-doctor on a machine with nothing wrong, then with one thing wrong at a time. Prints
//! TAP. Needs root and a Binder driver, whose name is in `BINDER_DRIVER`: safe, c or rust.

use std::{
    env, fs,
    io::{self, ErrorKind},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Command, ExitCode},
    thread,
};

use anyhow::{anyhow, bail, ensure, Context, Result};
use binder::sys;
use rustix::{
    mount::{self, MountFlags, MountPropagationFlags, UnmountFlags},
    thread::UnshareFlags,
};
use serde_json::Value;

const DOCTOR: &str = "/bin/binder-doctor";
const PLACE: &str = "/dev/binderfs";
const NODES: [&str; 3] = ["binder", "hwbinder", "vndbinder"];

/// Somebody without privileges.
const NOBODY: u32 = 65534;

/// What the doctor said.
struct Said {
    code: Option<i32>,
    json: Value,
}

impl Said {
    /// The level of each finding of a check.
    fn levels(&self, check: &str) -> Vec<&str> {
        let findings = self.json["findings"].as_array();
        findings
            .into_iter()
            .flatten()
            .filter(|finding| finding["check"] == check)
            .filter_map(|finding| finding["level"].as_str())
            .collect()
    }

    /// The checks with a fault.
    fn faults(&self) -> Vec<&str> {
        let findings = self.json["findings"].as_array();
        let mut faults: Vec<&str> = findings
            .into_iter()
            .flatten()
            .filter(|finding| finding["level"] == "fault")
            .filter_map(|finding| finding["check"].as_str())
            .collect();
        faults.dedup();
        faults
    }

    /// It found this and nothing else, told the driver, and its exit status says so.
    fn must_be(&self, faults: &[&str]) -> Result<()> {
        let wanted = if faults.is_empty() { 0 } else { 1 };
        let driver = driver()?;
        ensure!(
            self.faults() == faults && self.code == Some(wanted) && self.json["driver"] == driver,
            "wanted faults {faults:?}, exit status {wanted}, driver {driver}; got {:?}, {:?}: {}",
            self.faults(),
            self.code,
            self.json
        );
        Ok(())
    }
}

fn driver() -> Result<String> {
    env::var("BINDER_DRIVER").context("BINDER_DRIVER says safe, c or rust")
}

fn run(cmd: &mut Command) -> Result<Said> {
    let output = cmd
        .arg("--json")
        .output()
        .with_context(|| format!("cannot run {DOCTOR}"))?;
    let json = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("no JSON: {}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(Said {
        code: output.status.code(),
        json,
    })
}

fn doctor() -> Result<Said> {
    run(&mut Command::new(DOCTOR))
}

fn chmod(name: &str, mode: u32) -> io::Result<()> {
    let path = Path::new(PLACE).join(name);
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Mounts of our own, and an instance that is as Android's init leaves it.
fn prepare() -> Result<()> {
    sys::leave_namespaces(UnshareFlags::NEWNS)?;
    let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    mount::mount_change("/", private)?;
    match mount::unmount(PLACE, UnmountFlags::DETACH).map_err(io::Error::from) {
        Err(err) if err.kind() != ErrorKind::InvalidInput => return Err(err.into()),
        _ => {}
    }
    let mode = fs::Permissions::from_mode(0o755);
    fs::create_dir_all(PLACE)?;
    mount::mount("binder", PLACE, "binder", MountFlags::empty(), None)?;
    fs::set_permissions(PLACE, mode)?;
    for name in NODES {
        chmod(name, 0o666)?;
    }
    Ok(())
}

/// What is as it should be with each driver, and with ours alone.
const FINE: [&str; 7] = [
    "driver",
    "call",
    "labels",
    "mount",
    "nodes",
    "permission",
    "features",
];
const FOUND: [&str; 4] = ["names", "module", "parameter", "config"];

fn healthy() -> Result<()> {
    let said = doctor()?;
    said.must_be(&[])?;
    let ours = driver()? == "safe";
    for check in FINE.iter().chain(FOUND.iter().filter(|_| ours)) {
        let levels = said.levels(check);
        ensure!(levels == ["ok"], "{check} is {levels:?}: {}", said.json);
    }
    Ok(())
}

/// Without a security module Android's service manager cannot be called.
fn no_labels() -> Result<()> {
    doctor()?.must_be(&["labels"])
}

/// Without privileges the call is made in a user namespace.
fn healthy_for_anyone() -> Result<()> {
    let said = run(Command::new(DOCTOR).uid(NOBODY).gid(NOBODY))?;
    said.must_be(&[])?;
    ensure!(said.levels("call") == ["ok"], "{}", said.json);
    Ok(())
}

fn no_mount() -> Result<()> {
    mount::unmount(PLACE, UnmountFlags::DETACH)?;
    doctor()?.must_be(&["mount", "nodes"])?;
    run(Command::new(DOCTOR).args(["--for", "waydroid"]))?.must_be(&[])
}

fn wrong_permission() -> Result<()> {
    chmod("hwbinder", 0o600)?;
    doctor()?.must_be(&["permission"])
}

/// Right by its mode, and yet nobody can open it.
fn no_devices_on_the_mount() -> Result<()> {
    mount::mount_remount(PLACE, MountFlags::BIND | MountFlags::NODEV, "")?;
    doctor()?.must_be(&["mount", "permission"])
}

fn no_nodes() -> Result<()> {
    for name in NODES {
        fs::remove_file(Path::new(PLACE).join(name))?;
    }
    doctor()?.must_be(&["nodes"])
}

fn other_driver() -> Result<()> {
    let driver = driver()?;
    for other in ["safe", "c", "rust"] {
        let said = run(Command::new(DOCTOR).args(["--expect", other]))?;
        let faults: &[&str] = if driver == other { &[] } else { &["expect"] };
        said.must_be(faults)?;
    }
    Ok(())
}

fn broken_feature_file() -> Result<()> {
    let wrong = env::temp_dir().join(format!("doctor-{}", std::process::id()));
    fs::write(&wrong, "0\n")?;
    let feature = Path::new(PLACE).join("features/extended_error");
    let bound = mount::mount_bind(&wrong, feature);
    let said = bound.map_err(|err| anyhow!(err)).and_then(|()| doctor());
    fs::remove_file(&wrong)?;
    said?.must_be(&["features"])
}

/// A second look finds what the first one found: it leaves nothing behind.
fn twice() -> Result<()> {
    let (one, two) = (doctor()?, doctor()?);
    if one.json != two.json {
        bail!("first {}, then {}", one.json, two.json);
    }
    Ok(())
}

type Case = (&'static str, fn() -> Result<()>);

/// What is right on a kernel that has a security module on, and on one that has none.
const CASES: [Case; 9] = [
    ("healthy", healthy),
    ("healthy_for_anyone", healthy_for_anyone),
    ("no_mount", no_mount),
    ("wrong_permission", wrong_permission),
    ("no_devices_on_the_mount", no_devices_on_the_mount),
    ("no_nodes", no_nodes),
    ("other_driver", other_driver),
    ("broken_feature_file", broken_feature_file),
    ("twice", twice),
];

const CASES_WITHOUT_LABELS: [Case; 1] = [("no_labels", no_labels)];

fn main() -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    let cases: &[Case] = match env::var_os("BINDER_NO_LABELS") {
        Some(_) => &CASES_WITHOUT_LABELS,
        None => &CASES,
    };
    println!("TAP version 13\n1..{}", cases.len());
    for (number, (name, case)) in (1..).zip(cases.iter().copied()) {
        // In a thread, because what it mounts is to be seen by nobody else.
        let ended =
            thread::spawn(move || prepare().context("cannot prepare").and_then(|()| case()));
        let result = ended.join().unwrap_or_else(|_| Err(anyhow!("panicked")));
        if let Err(err) = result {
            println!("# {err:#}\nnot ok {number} {name}");
            code = ExitCode::FAILURE;
        } else {
            println!("ok {number} {name}");
        }
    }
    code
}
