// SPDX-License-Identifier: GPL-2.0

//! What to make of the facts. Each check gives at least one finding.

use std::path::Path;

use crate::{
    driver::{Driver, Told},
    facts::{Facts, Instance, Node, ANDROID, WAYDROID},
    finding::{Finding, Level},
    probe::Probe,
    scripts, User,
};

/// Where Android's init mounts it, and most others do.
const USUAL_PLACE: &str = "/dev/binderfs";

const MOUNT_IT: &str = "mkdir -p /dev/binderfs && mount -t binder binder /dev/binderfs";

/// What Binder is all about: one has to be able to read and write.
const FOR_ALL: u32 = 0o666;

/// The version of the protocol on 64-bit kernels.
const PROTOCOL: i32 = 8;

/// From `errno.h`.
const ESRCH: i32 = 3;
const ENXIO: i32 = 6;
const EACCES: i32 = 13;
const ENODEV: i32 = 19;

pub fn all(
    facts: &Facts,
    probe: Option<&Probe>,
    told: Told,
    user: User,
    expect: Option<Driver>,
) -> Vec<Finding> {
    let mut findings = vec![driver(facts, told)];
    findings.extend(expect.map(|expected| expectation(told, expected)));
    if told == Told::None {
        return findings;
    }
    findings.extend(scripts::all(facts));
    findings.push(private(facts, probe));
    findings.extend(probe.and_then(|probe| scripts::labels(facts, probe)));
    findings.extend(mount(facts, user));
    findings.push(nodes(facts, user));
    findings.extend(permissions(facts, user));
    findings.extend(facts.instances.iter().map(features));
    findings.push(logs(facts));
    findings.extend(namespaces(facts, user));
    findings.extend(kernel(facts, user));
    findings
}

/// How bad something is that Android cannot do without, and that Waydroid and redroid do themselves.
fn by_user(user: User) -> Level {
    match user {
        User::Android => Level::Fault,
        User::Waydroid | User::Redroid => Level::Note,
    }
}

fn driver(facts: &Facts, told: Told) -> Finding {
    let module = facts.loadable.first();
    match told {
        Told::One(driver) => Finding::ok("driver", format!("{driver}, on {}", facts.release)),
        Told::Unclear => Finding::bad(
            "driver",
            Level::Warning,
            "there is one, the C driver or binder_safe",
            "run this as root to learn which",
        ),
        Told::None => Finding::bad(
            "driver",
            Level::Fault,
            format!("the running kernel {} has none", facts.release),
            match module {
                Some(module) => format!("there is a module for it: modprobe {module}"),
                None => "it takes a kernel with CONFIG_ANDROID_BINDER_IPC and \
                         CONFIG_ANDROID_BINDERFS, and with CONFIG_ANDROID_BINDER_SAFE for the \
                         driver in safe Rust"
                    .to_string(),
            },
        ),
    }
}

fn expectation(told: Told, expected: Driver) -> Finding {
    match told {
        Told::One(driver) if driver == expected => {
            Finding::ok("expect", "it is the driver that was asked for")
        }
        Told::One(driver) => Finding::bad(
            "expect",
            Level::Fault,
            format!("it is {driver}, and not {expected}"),
            "boot the other kernel, or switch off this driver in its configuration: \
             /proc/config.gz says what was built",
        ),
        Told::None | Told::Unclear => Finding::bad(
            "expect",
            Level::Fault,
            format!("it cannot be said that it is {expected}"),
            "see above",
        ),
    }
}

fn private(facts: &Facts, probe: Option<&Probe>) -> Finding {
    let Some(probe) = probe else {
        return Finding::bad(
            "call",
            Level::Warning,
            "the driver has no binderfs, so no call was tried",
            "a kernel with binderfs (CONFIG_ANDROID_BINDERFS for the C driver) serves containers",
        );
    };
    match probe {
        Probe {
            failure: Some(failure),
            ..
        } => Finding::bad(
            "call",
            Level::Fault,
            format!("in an instance of our own: {failure}"),
            match failure.contains("os error 3)") {
                true => open_advice(ESRCH).to_string(),
                false => "see what the kernel says: dmesg | grep -i binder".to_string(),
            },
        ),
        Probe {
            not_tried: Some(why),
            ..
        } => Finding::bad(
            "call",
            match facts.max_user_namespaces {
                Some(0) => Level::Note,
                _ => Level::Warning,
            },
            format!("not tried: {why}"),
            "run this as root",
        ),
        Probe {
            version: Some(PROTOCOL),
            ..
        } => Finding::ok(
            "call",
            "an instance of our own mounts, opens, maps, has a manager, and answers",
        ),
        Probe { version, .. } => Finding::bad(
            "call",
            Level::Fault,
            format!(
                "it speaks version {} of the protocol",
                version.unwrap_or_default()
            ),
            format!("programs of today need version {PROTOCOL}: use a 64-bit kernel"),
        ),
    }
}

fn mount(facts: &Facts, user: User) -> Vec<Finding> {
    let mut findings = Vec::new();
    for instance in &facts.instances {
        let place = instance.mount.place.display();
        if instance.mount.has("nodev") {
            findings.push(Finding::bad(
                "mount",
                Level::Fault,
                format!("{place} is mounted with nodev: no node there can be opened"),
                format!("mount -o remount,bind,dev {place}"),
            ));
        } else if !instance.control {
            findings.push(Finding::bad(
                "mount",
                Level::Warning,
                format!("{place} has no binder-control, so nobody can make nodes there"),
                "mount the whole instance, not a part of it",
            ));
        } else {
            findings.push(Finding::ok("mount", format!("binderfs is on {place}")));
        }
    }
    let usual = |one: &Instance| one.mount.place == Path::new(USUAL_PLACE);
    if facts.instances.is_empty() {
        let what = "no binderfs is mounted";
        findings.push(match by_user(user) {
            Level::Note => {
                Finding::note("mount", format!("{what}; it is when the container starts"))
            }
            level => Finding::bad("mount", level, what, MOUNT_IT),
        });
    } else if user == User::Android && !facts.instances.iter().any(usual) {
        findings.push(Finding::bad(
            "mount",
            Level::Warning,
            format!("none is on {USUAL_PLACE}, where programs look for features/ and logs"),
            MOUNT_IT,
        ));
    }
    findings
}

/// The node that a program would take that looks for these names, in the order in which it does.
fn find<'a>(facts: &'a Facts, names: &[&str]) -> Option<&'a Node> {
    let mounted = facts.instances.iter().flat_map(|one| &one.nodes);
    let all: Vec<&Node> = facts.nodes.iter().chain(mounted).collect();
    names
        .iter()
        .find_map(|name| all.iter().find(|node| node.path.ends_with(name)).copied())
}

/// The names to look for, for each of the three devices.
fn wanted(user: User) -> [Vec<&'static str>; 3] {
    match user {
        User::Waydroid => WAYDROID.map(|names| names.to_vec()),
        User::Android | User::Redroid => ANDROID.map(|name| vec![name]),
    }
}

fn nodes(facts: &Facts, user: User) -> Finding {
    let missing: Vec<&str> = wanted(user)
        .iter()
        .filter(|names| find(facts, names).is_none())
        .map(|names| names[0])
        .collect();
    if missing.is_empty() {
        return Finding::ok("nodes", "all three are there");
    }
    let what = format!("missing: {}", missing.join(", "));
    match by_user(user) {
        Level::Note => Finding::note("nodes", format!("{what}; made when the container starts")),
        level => Finding::bad(
            "nodes",
            level,
            what,
            match facts.instances.first() {
                Some(_) => {
                    "make them with BINDER_CTL_ADD on binder-control, or mount again with nodes in \
                     the driver's list of devices (-o devices=binder:hwbinder:vndbinder with \
                     binder_safe)"
                }
                None => MOUNT_IT,
            },
        ),
    }
}

/// What an error of open(2) means here.
fn open_advice(errno: i32) -> &'static str {
    match errno {
        EACCES => "nodev, a container's device rules or a security module forbid it: see dmesg",
        ENXIO | ENODEV => "it is no node of this driver: remove it, and link to the one in binderfs",
        ESRCH => {
            "the kernel's Rust code was built with a faulty bindgen (0.73.0, 0.73.1): use another build"
        }
        _ => "see what the kernel says: dmesg | grep -i binder",
    }
}

/// Each node that somebody looks for, and whether all can open it.
fn permissions(facts: &Facts, user: User) -> Vec<Finding> {
    let level = match user {
        User::Android => Level::Fault,
        User::Waydroid | User::Redroid => Level::Note,
    };
    let mut findings = Vec::new();
    for node in wanted(user).iter().filter_map(|names| find(facts, names)) {
        let path = node.path.display();
        if node.mode & FOR_ALL != FOR_ALL {
            findings.push(Finding::bad(
                "permission",
                level,
                format!("{path} has mode {:04o}, not open to all", node.mode),
                format!("chmod 666 {path} (-o mode=666 for mounts of binder_safe)"),
            ));
        } else if let Err(errno) = node.open {
            findings.push(Finding::bad(
                "permission",
                Level::Fault,
                format!(
                    "{path} cannot be opened: {}",
                    std::io::Error::from_raw_os_error(errno)
                ),
                open_advice(errno),
            ));
        }
    }
    if findings.is_empty()
        && wanted(user)
            .iter()
            .any(|names| find(facts, names).is_some())
    {
        findings.push(Finding::ok("permission", "the nodes are open to all"));
    }
    findings
}

fn features(instance: &Instance) -> Finding {
    let place = instance.mount.place.join("features");
    let place = place.display();
    let broken = instance
        .features
        .iter()
        .find_map(|feature| match &feature.content {
            Ok(text) if text == "1\n" => None,
            Ok(text) => Some(format!("{} says {text:?}, not \"1\\n\"", feature.name)),
            Err(2) => None,
            Err(errno) => Some(format!(
                "{} cannot be read: {}",
                feature.name,
                std::io::Error::from_raw_os_error(*errno)
            )),
        });
    if let Some(broken) = broken {
        return Finding::bad(
            "features",
            Level::Fault,
            format!("{place}: {broken}"),
            "something is mounted over it, or the driver is broken: look at /proc/self/mountinfo",
        );
    }
    let missing: Vec<&str> = instance
        .features
        .iter()
        .filter(|feature| feature.content.is_err())
        .map(|feature| feature.name)
        .collect();
    match missing.is_empty() {
        true => Finding::ok("features", format!("{place} has all four")),
        false => Finding::note(
            "features",
            format!(
                "{place} lacks {}: libbinder does without",
                missing.join(", ")
            ),
        ),
    }
}

fn logs(facts: &Facts) -> Finding {
    let shown = facts
        .instances
        .iter()
        .find(|one| one.mount.has("stats=global"));
    match shown {
        Some(one) => Finding::ok("logs", format!("{}/binder_logs", one.mount.place.display())),
        None => Finding::note(
            "logs",
            "no mount has binder_logs; the option stats=global makes one with it, for root",
        ),
    }
}

fn namespaces(facts: &Facts, user: User) -> Vec<Finding> {
    let mut findings = Vec::new();
    let needed: Vec<&str> = facts
        .missing_namespaces
        .iter()
        .copied()
        .filter(|name| *name != "user")
        .collect();
    if !needed.is_empty() {
        findings.push(Finding::bad(
            "namespaces",
            match user {
                User::Android => Level::Warning,
                User::Waydroid | User::Redroid => Level::Fault,
            },
            format!("the kernel lacks these: {}", needed.join(", ")),
            "containers need them all: CONFIG_NAMESPACES and what is under it",
        ));
    }
    let off = facts.missing_namespaces.contains(&"user") || facts.max_user_namespaces == Some(0);
    if off || facts.restricted_user_namespaces {
        findings.push(Finding::note(
            "namespaces",
            "users cannot make user namespaces: containers with Android have to be started by root",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok("namespaces", "all that containers need"));
    }
    findings
}

/// What Android wants of the kernel besides Binder.
fn kernel(facts: &Facts, user: User) -> Vec<Finding> {
    let has = |name: &str| facts.filesystems.iter().any(|other| other == name);
    let lacks = [
        (
            has("cgroup2"),
            "cgroup2, so Android does not freeze processes (CONFIG_CGROUPS)",
        ),
        (
            facts.memory_cgroup,
            "the memory controller of cgroups (CONFIG_MEMCG)",
        ),
        (
            facts.pressure,
            "pressure figures, which lmkd reads (CONFIG_PSI, psi=1)",
        ),
        (
            user != User::Android || has("selinuxfs"),
            "SELinux, so Android's init does not get far (CONFIG_SECURITY_SELINUX)",
        ),
    ];
    let findings: Vec<Finding> = lacks
        .iter()
        .filter(|(there, _)| !there)
        .map(|(_, what)| {
            Finding::bad(
                "kernel",
                Level::Warning,
                format!("there is no {what}"),
                "matters for the whole of Android, not for Binder",
            )
        })
        .collect();
    match findings.is_empty() {
        true => vec![Finding::ok(
            "kernel",
            "what Android needs besides Binder is there",
        )],
        false => findings,
    }
}

#[cfg(test)]
mod tests;
