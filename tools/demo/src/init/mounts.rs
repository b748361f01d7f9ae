// SPDX-License-Identifier: GPL-2.0

//! The file systems that tests expect.

use std::{fs, io, os::unix::fs::symlink};

use rustix::mount::{self, MountFlags};

/// Source, type, place, and whether its absence is worth a line.
const MOUNTS: [(&str, &str, bool); 11] = [
    ("proc", "/proc", true),
    ("sysfs", "/sys", true),
    ("devtmpfs", "/dev", true),
    ("devpts", "/dev/pts", true),
    ("tmpfs", "/dev/shm", true),
    ("tmpfs", "/tmp", true),
    ("tmpfs", "/run", true),
    ("debugfs", "/sys/kernel/debug", true),
    ("tracefs", "/sys/kernel/tracing", false),
    ("cgroup2", "/sys/fs/cgroup", false),
    ("binder", "/dev/binderfs", false),
];

fn mount(kind: &str, place: &str) -> io::Result<()> {
    if !place.starts_with("/sys/") {
        fs::create_dir_all(place)?;
    }
    Ok(mount::mount(kind, place, kind, MountFlags::empty(), None)?)
}

/// Mounts everything; gives one line for each that a test would miss.
pub fn mount_all() -> Vec<String> {
    let mut problems = Vec::new();
    for (kind, place, needed) in MOUNTS {
        match mount(kind, place) {
            Err(err) if needed => problems.push(format!("cannot mount {kind} on {place}: {err}")),
            _ => {}
        }
    }
    for (target, link) in [
        ("/proc/self/fd", "/dev/fd"),
        ("/proc/self/fd/0", "/dev/stdin"),
        ("/proc/self/fd/1", "/dev/stdout"),
        ("/proc/self/fd/2", "/dev/stderr"),
    ] {
        // A kernel that makes these itself is fine too.
        let _ = symlink(target, link);
    }
    problems
}
