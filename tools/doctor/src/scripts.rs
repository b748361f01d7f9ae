// SPDX-License-Identifier: GPL-2.0

//! What the scripts and programs of others conclude that look for Binder. They go by names.

use crate::{
    facts::{Facts, ANDROID},
    finding::{Finding, Level},
    probe::Probe,
};

/// What calls fail with if no security module has labels; from `errno.h`.
const EOPNOTSUPP: i32 = 95;

/// The options that scripts look for in the configuration of the kernel.
const OPTIONS: [&str; 2] = ["CONFIG_ANDROID_BINDER_IPC", "CONFIG_ANDROID_BINDERFS"];

/// What each way to look for Binder finds.
pub fn all(facts: &Facts) -> Vec<Finding> {
    vec![
        listed(facts),
        module(facts),
        parameter(facts),
        config(facts),
        links(facts),
    ]
}

/// `grep binder /proc/filesystems /proc/devices`, as a word.
fn listed(facts: &Facts) -> Finding {
    let wrong: Vec<&str> = [
        ("/proc/filesystems", &facts.filesystems),
        ("/proc/devices", &facts.devices),
    ]
    .iter()
    .filter(|(_, names)| !names.iter().any(|name| name == "binder"))
    .map(|(file, _)| *file)
    .collect();
    if wrong.is_empty() {
        return Finding::ok(
            "names",
            "`binder` is in /proc/filesystems and /proc/devices",
        );
    }
    Finding::note(
        "names",
        format!(
            "`binder` is not in {}; what looks there thinks that there is no driver",
            wrong.join(" nor in ")
        ),
    )
}

/// `lsmod | grep binder_linux`, `test -d /sys/module/binder_linux`.
fn module(facts: &Facts) -> Finding {
    if facts.modules.iter().any(|name| name == "binder_linux") {
        return Finding::ok("module", "/sys/module/binder_linux is there");
    }
    let instead = match facts.modules.first() {
        Some(name) => format!("there is /sys/module/{name}"),
        None => "nor any other".to_string(),
    };
    Finding::note(
        "module",
        format!(
            "there is no /sys/module/binder_linux ({instead}); a script that looks for the module \
             or does `modprobe binder_linux` thinks that there is no driver"
        ),
    )
}

/// `cat /sys/module/binder_linux/parameters/devices`.
fn parameter(facts: &Facts) -> Finding {
    match facts.parameters.first() {
        Some((module, devices)) => Finding::ok(
            "parameter",
            format!("{module}.devices is `{devices}`, which is what new mounts have"),
        ),
        None => Finding::note(
            "parameter",
            "no module has the parameter devices=, so nothing says which devices new mounts have",
        ),
    }
}

/// `zgrep CONFIG_ANDROID_BINDER /proc/config.gz`.
fn config(facts: &Facts) -> Finding {
    let Some(config) = &facts.config else {
        return Finding::note(
            "config",
            "neither /proc/config.gz nor /boot has the kernel's configuration; what looks there \
             finds nothing",
        );
    };
    let is_on = |option: &&&str| {
        config
            .lines()
            .filter_map(|line| line.strip_prefix(**option))
            .any(|rest| matches!(rest, "=y" | "=m"))
    };
    let missing: Vec<&str> = OPTIONS
        .iter()
        .filter(|option| !is_on(option))
        .copied()
        .collect();
    if missing.is_empty() {
        return Finding::ok("config", format!("it has {}", OPTIONS.join(" and ")));
    }
    Finding::note(
        "config",
        format!(
            "the kernel's configuration lacks {}; what looks there thinks that there is no driver",
            missing.join(" and ")
        ),
    )
}

/// `test -e /dev/binder`: Android's init and Waydroid link to the nodes of a mount.
fn links(facts: &Facts) -> Finding {
    let missing: Vec<&str> = ANDROID
        .into_iter()
        .filter(|name| {
            !facts
                .nodes
                .iter()
                .any(|node| node.path.ends_with(format!("dev/{name}")))
        })
        .collect();
    if missing.is_empty() {
        return Finding::ok("dev", "/dev has all three names");
    }
    Finding::note(
        "dev",
        format!(
            "/dev has no {}: Android's init, Waydroid and redroid make links; others need them \
             (ln -s /dev/binderfs/{} /dev/)",
            missing.join(", "),
            missing[0]
        ),
    )
}

/// A manager that asks for security contexts, which that of Android does since version 10.
pub fn labels(facts: &Facts, probe: &Probe) -> Option<Finding> {
    let active = facts.lsm.as_deref().unwrap_or("unknown").trim();
    Some(match probe.labels? {
        0 => Finding::ok(
            "labels",
            format!(
                "a manager that asks for security contexts is called (security modules: {active})"
            ),
        ),
        EOPNOTSUPP => Finding::bad(
            "labels",
            Level::Fault,
            "Android's service manager asks for the security context of each caller, and no \
             security module has any: every call to it fails with -95 (EOPNOTSUPP), so that all \
             services seem to fail",
            "boot with SELinux, AppArmor or Smack on: lsm= on the command line of the kernel, and \
             CONFIG_SECURITY_SELINUX or the like in its configuration",
        ),
        errno => Finding::bad(
            "labels",
            Level::Fault,
            format!(
                "a call to a manager that asks for security contexts fails: {}",
                std::io::Error::from_raw_os_error(errno)
            ),
            "see what the security module says: dmesg, or the audit log",
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Node;

    fn found() -> Facts {
        let node = |name| Node {
            path: format!("/dev/{name}").into(),
            mode: 0o666,
            open: Ok(()),
        };
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        Facts {
            filesystems: names(&["proc", "binder"]),
            devices: names(&["binder"]),
            modules: names(&["binder_linux"]),
            parameters: vec![("binder_linux".to_string(), "binder".to_string())],
            config: Some("CONFIG_ANDROID_BINDER_IPC=y\nCONFIG_ANDROID_BINDERFS=y\n".to_string()),
            nodes: ANDROID.map(node).to_vec(),
            ..Facts::default()
        }
    }

    /// The checks that are not as scripts want them, all of which are notes.
    fn notes(facts: &Facts) -> Vec<String> {
        let notes = all(facts).into_iter().filter(|one| one.level != Level::Ok);
        let notes = notes.inspect(|one| assert_eq!(one.level, Level::Note));
        notes.map(|one| one.check).collect()
    }

    #[test]
    fn each_name_is_looked_for() {
        assert_eq!(notes(&found()), [""; 0]);
        let all_missing = notes(&Facts::default());
        assert_eq!(
            all_missing,
            ["names", "module", "parameter", "config", "dev"]
        );
    }

    #[test]
    fn the_other_rust_driver_has_other_names() {
        let facts = Facts {
            devices: vec!["rust_binder".to_string()],
            modules: vec!["rust_binder".to_string()],
            config: Some("CONFIG_ANDROID_BINDER_IPC_RUST=y\n".to_string()),
            ..found()
        };
        assert_eq!(notes(&facts), ["names", "module", "config"]);
    }

    #[test]
    fn part_of_a_configuration_is_not_enough() {
        let facts = Facts {
            config: Some(
                "CONFIG_ANDROID_BINDER_IPC=m\n# CONFIG_ANDROID_BINDERFS is not set\n".into(),
            ),
            ..found()
        };
        assert_eq!(notes(&facts), ["config"]);
        let said = &all(&facts)[3].what;
        assert!(said.contains("lacks CONFIG_ANDROID_BINDERFS;"), "{said}");
    }

    #[test]
    fn calls_without_labels_fail_in_words() {
        let probe = |labels| Probe {
            labels,
            ..Probe::default()
        };
        assert_eq!(labels(&found(), &probe(None)), None);
        let fine = labels(&found(), &probe(Some(0))).unwrap();
        assert_eq!(fine.level, Level::Ok);
        let fault = labels(&found(), &probe(Some(EOPNOTSUPP))).unwrap();
        assert_eq!(fault.level, Level::Fault);
        assert!(fault.to_string().contains("-95"), "{fault}");
        let other = labels(&found(), &probe(Some(13))).unwrap();
        assert!(other.to_string().contains("Permission denied"), "{other}");
    }
}
