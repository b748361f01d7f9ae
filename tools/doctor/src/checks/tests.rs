// SPDX-License-Identifier: GPL-2.0

//! One thing wrong at a time, and what is said about it.

use super::*;
use crate::{
    facts::{Feature, FEATURES},
    mounts::Mount,
};

fn node(dir: &str, name: &str) -> Node {
    Node {
        path: Path::new(dir).join(name),
        mode: 0o666,
        open: Ok(()),
    }
}

/// An Android that has all it needs.
fn healthy() -> Facts {
    let feature = |name| Feature {
        name,
        content: Ok("1\n".to_string()),
    };
    Facts {
        release: "7.3.4".to_string(),
        filesystems: ["binder", "cgroup2", "selinuxfs"]
            .map(str::to_string)
            .to_vec(),
        devices: vec!["binder".to_string()],
        instances: vec![Instance {
            mount: Mount {
                place: USUAL_PLACE.into(),
                options: "rw,max=1048576,stats=global".to_string(),
            },
            magic: Some(0x6c6f_6f70),
            control: true,
            nodes: ANDROID.map(|name| node(USUAL_PLACE, name)).to_vec(),
            features: FEATURES.map(feature).to_vec(),
        }],
        modules: vec!["binder_linux".to_string()],
        parameters: vec![("binder_linux".to_string(), "binder".to_string())],
        config: Some("CONFIG_ANDROID_BINDER_IPC=y\nCONFIG_ANDROID_BINDERFS=m\n".to_string()),
        pressure: true,
        memory_cgroup: true,
        ..Facts::default()
    }
}

fn answered() -> Probe {
    Probe {
        version: Some(PROTOCOL),
        takes_devices: Some(true),
        labels: Some(0),
        ..Probe::default()
    }
}

fn examine(facts: &Facts, user: User) -> Vec<Finding> {
    let told = Told::One(Driver::Safe);
    all(facts, Some(&answered()), told, user, None)
}

/// The findings that are worse than a note: their checks and levels.
fn wrong(facts: &Facts, user: User) -> Vec<(String, Level)> {
    examine(facts, user)
        .into_iter()
        .filter(|finding| finding.level > Level::Note)
        .map(|finding| (finding.check, finding.level))
        .collect()
}

fn fault(check: &str) -> Vec<(String, Level)> {
    vec![(check.to_string(), Level::Fault)]
}

#[test]
fn nothing_is_wrong_with_the_healthy() {
    for user in [User::Android, User::Waydroid, User::Redroid] {
        let mut facts = healthy();
        // Links to the nodes of the mount, as init makes them.
        facts.nodes = ANDROID.map(|name| node("/dev", name)).to_vec();
        let findings = examine(&facts, user);
        assert!(
            findings.iter().all(|one| one.level == Level::Ok),
            "{findings:?}"
        );
    }
}

#[test]
fn no_mount() {
    let mut facts = healthy();
    facts.instances.clear();
    let found = wrong(&facts, User::Android);
    assert_eq!(found, [fault("mount"), fault("nodes")].concat());
    assert_eq!(wrong(&facts, User::Waydroid), []);
    facts.nodes = ANDROID.map(|name| node("/dev", name)).to_vec();
    assert_eq!(wrong(&facts, User::Android), fault("mount"));
}

#[test]
fn a_mount_elsewhere_or_without_devices() {
    let mut facts = healthy();
    facts.instances[0].mount.place = "/mnt/binderfs".into();
    let found = wrong(&facts, User::Android);
    assert_eq!(found, [("mount".to_string(), Level::Warning)]);
    facts = healthy();
    facts.instances[0].mount.options += ",nodev";
    assert_eq!(wrong(&facts, User::Redroid), fault("mount"));
}

#[test]
fn wrong_permission() {
    let mut facts = healthy();
    facts.instances[0].nodes[1].mode = 0o600;
    assert_eq!(wrong(&facts, User::Android), fault("permission"));
    assert_eq!(wrong(&facts, User::Redroid), []);
    let said = examine(&facts, User::Android);
    let said = said.iter().find(|one| one.check == "permission").unwrap();
    assert!(said
        .to_string()
        .contains("chmod 666 /dev/binderfs/hwbinder"));
}

#[test]
fn a_node_that_cannot_be_opened() {
    let mut facts = healthy();
    for (errno, word) in [(ESRCH, "bindgen"), (ENXIO, "link"), (EACCES, "container")] {
        facts.instances[0].nodes[0].open = Err(errno);
        assert_eq!(wrong(&facts, User::Waydroid), fault("permission"));
        let said = examine(&facts, User::Waydroid);
        let said = said.iter().find(|one| one.check == "permission").unwrap();
        assert!(said.to_string().contains(word), "{said}");
    }
}

#[test]
fn no_nodes() {
    let mut facts = healthy();
    facts.instances[0].nodes.remove(2);
    assert_eq!(wrong(&facts, User::Android), fault("nodes"));
    assert_eq!(wrong(&facts, User::Waydroid), []);
}

#[test]
fn waydroid_takes_the_first_name_it_finds() {
    let mut facts = healthy();
    facts.nodes.push(node("/dev", "bonder"));
    let found = find(&facts, &WAYDROID[0]).unwrap();
    assert_eq!(found.path, Path::new("/dev/bonder"));
}

#[test]
fn another_driver_than_expected() {
    let told = Told::One(Driver::C);
    let findings = all(
        &healthy(),
        Some(&answered()),
        told,
        User::Android,
        Some(Driver::Safe),
    );
    assert_eq!(findings[1].check, "expect");
    assert_eq!(findings[1].level, Level::Fault);
    assert!(findings[1]
        .what
        .contains("the C driver, and not binder_safe"));
    let findings = all(
        &healthy(),
        Some(&answered()),
        told,
        User::Android,
        Some(Driver::C),
    );
    assert_eq!(findings[1].level, Level::Ok);
}

#[test]
fn a_broken_feature_file() {
    let mut facts = healthy();
    facts.instances[0].features[1].content = Ok("0\n".to_string());
    assert_eq!(wrong(&facts, User::Redroid), fault("features"));
    facts.instances[0].features[1].content = Err(EACCES);
    assert_eq!(wrong(&facts, User::Android), fault("features"));
    facts.instances[0].features[1].content = Err(2);
    assert_eq!(wrong(&facts, User::Android), []);
}

#[test]
fn no_driver_is_all_there_is_to_say() {
    let mut facts = Facts::default();
    let findings = all(&facts, None, Told::None, User::Android, None);
    assert_eq!(findings.len(), 1);
    assert!(findings[0]
        .to_string()
        .contains("CONFIG_ANDROID_BINDER_SAFE"));
    facts.loadable.push("binder_linux".to_string());
    let findings = all(&facts, None, Told::None, User::Android, None);
    assert!(findings[0].to_string().contains("modprobe binder_linux"));
}

#[test]
fn a_call_that_fails() {
    let told = Told::One(Driver::Rust);
    let mut probe = Probe {
        failure: Some("cannot open: No such process (os error 3)".to_string()),
        ..Probe::default()
    };
    let said = |probe: &Probe| {
        let findings = all(&healthy(), Some(probe), told, User::Android, None);
        let call = findings
            .into_iter()
            .find(|one| one.check == "call")
            .unwrap();
        (call.level, call.to_string())
    };
    let (level, text) = said(&probe);
    assert!(level == Level::Fault && text.contains("bindgen"), "{text}");
    probe = Probe {
        not_tried: Some("no permission".to_string()),
        ..Probe::default()
    };
    assert_eq!(said(&probe).0, Level::Warning);
    probe = Probe {
        version: Some(7),
        ..Probe::default()
    };
    assert_eq!(said(&probe).0, Level::Fault);
}

#[test]
fn what_containers_and_android_need() {
    let mut facts = healthy();
    facts.missing_namespaces = vec!["ipc", "user"];
    assert_eq!(wrong(&facts, User::Redroid), fault("namespaces"));
    facts = healthy();
    facts.filesystems.truncate(1);
    facts.pressure = false;
    assert_eq!(wrong(&facts, User::Android).len(), 3);
    assert_eq!(wrong(&facts, User::Waydroid).len(), 2);
    assert!(wrong(&facts, User::Android)
        .iter()
        .all(|one| one.1 == Level::Warning));
}
