// SPDX-License-Identifier: GPL-2.0

//! What the running system says about itself. Nothing is judged here.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;

use crate::mounts::{self, Mount};

/// The devices that Android opens.
pub const ANDROID: [&str; 3] = ["binder", "hwbinder", "vndbinder"];

/// The names under which Waydroid looks for each of them, in its order.
pub const WAYDROID: [[&str; 4]; 3] = [
    ["anbox-binder", "puddlejumper", "bonder", "binder"],
    ["anbox-hwbinder", "hwpuddlejumper", "hwbonder", "hwbinder"],
    [
        "anbox-vndbinder",
        "vndpuddlejumper",
        "vndbonder",
        "vndbinder",
    ],
];

/// What a driver can have a file for in `features/`.
pub const FEATURES: [&str; 4] = [
    "oneway_spam_detection",
    "extended_error",
    "freeze_notification",
    "transaction_report",
];

/// The modules that a Binder driver can be, also if it is built in and has parameters.
const MODULES: [&str; 3] = ["rust_binder", "binder_linux", "binder"];

const NAMESPACES: [&str; 7] = ["mnt", "ipc", "pid", "uts", "net", "cgroup", "user"];

/// A device node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub path: PathBuf,
    pub mode: u32,
    /// Why it cannot be opened, if it cannot: a number from `errno.h`.
    pub open: Result<(), i32>,
}

/// A file in `features/` and its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    pub name: &'static str,
    pub content: Result<String, i32>,
}

/// An instance of binderfs.
#[derive(Clone, Debug)]
pub struct Instance {
    pub mount: Mount,
    pub magic: Option<u64>,
    pub control: bool,
    pub nodes: Vec<Node>,
    pub features: Vec<Feature>,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub release: String,
    /// The types in `/proc/filesystems`.
    pub filesystems: Vec<String>,
    /// Character devices with Binder in their name, from `/proc/devices` and `/proc/misc`.
    pub devices: Vec<String>,
    pub misc: Vec<String>,
    /// Which of [`MODULES`] are in the kernel, and which could be loaded into it.
    pub modules: Vec<String>,
    pub loadable: Vec<String>,
    /// Which of them have a parameter that names devices, and what it says.
    pub parameters: Vec<(String, String)>,
    /// The configuration of the kernel, if the kernel or its package tells.
    pub config: Option<String>,
    /// The security modules that are on, if somebody may know.
    pub lsm: Option<String>,
    pub instances: Vec<Instance>,
    /// Nodes in `/dev` itself.
    pub nodes: Vec<Node>,
    pub missing_namespaces: Vec<&'static str>,
    /// How many user namespaces there can be, and whether something else keeps users from them.
    pub max_user_namespaces: Option<u64>,
    pub restricted_user_namespaces: bool,
    pub pressure: bool,
    pub memory_cgroup: bool,
}

fn errno(err: &io::Error) -> i32 {
    err.raw_os_error().unwrap_or(0)
}

/// Nothing if it is not there or no device. Opening one has no effect on others.
fn node(path: PathBuf) -> Option<Node> {
    let meta = fs::metadata(&path).ok()?;
    if !meta.file_type().is_char_device() {
        return None;
    }
    let open = OpenOptions::new().read(true).write(true).open(&path);
    Some(Node {
        mode: meta.permissions().mode() & 0o7777,
        open: open.map(drop).map_err(|err| errno(&err)),
        path,
    })
}

fn feature(dir: &Path, name: &'static str) -> Feature {
    Feature {
        name,
        content: fs::read_to_string(dir.join(name)).map_err(|err| errno(&err)),
    }
}

/// The names of all devices in a mount; `binder-control` is none.
fn nodes_in(place: &Path) -> Vec<Node> {
    let Ok(entries) = fs::read_dir(place) else {
        return Vec::new();
    };
    let mut nodes: Vec<Node> = entries
        .flatten()
        .filter(|entry| entry.file_name() != "binder-control")
        .filter_map(|entry| node(entry.path()))
        .collect();
    nodes.sort_by(|one, other| one.path.cmp(&other.path));
    nodes
}

fn instance(mount: Mount) -> Instance {
    let place = &mount.place;
    let features = place.join("features");
    Instance {
        magic: rustix::fs::statfs(place)
            .ok()
            .map(|stat| stat.f_type as u64),
        control: place.join("binder-control").exists(),
        nodes: nodes_in(place),
        features: FEATURES.map(|name| feature(&features, name)).to_vec(),
        mount,
    }
}

/// The last word of each line that has Binder in it: names of devices.
fn named_binder(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.split_whitespace().last())
        .filter(|name| name.contains("binder"))
        .map(str::to_string)
        .collect()
}

/// Which of [`MODULES`] are in a list of module files.
fn modules_in(list: &str) -> Vec<String> {
    let files: Vec<&str> = list
        .lines()
        .filter_map(|line| Path::new(line.split(':').next()?).file_name()?.to_str())
        .filter_map(|file| file.split('.').next())
        .collect();
    MODULES
        .iter()
        .filter(|name| files.contains(name))
        .map(|name| name.to_string())
        .collect()
}

/// The configuration that the kernel has in itself, else the one that its package left in `/boot`.
fn config(tree: &Tree<'_>, release: &str) -> Option<String> {
    let mut text = String::new();
    let own = fs::File::open(tree.0.join("proc/config.gz")).ok();
    if let Some(file) = own {
        if GzDecoder::new(file).read_to_string(&mut text).is_ok() {
            return Some(text);
        }
    }
    fs::read_to_string(tree.0.join(format!("boot/config-{release}"))).ok()
}

/// The devices that each module was told to make.
fn parameters(tree: &Tree<'_>) -> Vec<(String, String)> {
    let value = |name: &&str| {
        // The Rust driver of the kernel has another name for it.
        ["devices", "rust_devices"].iter().find_map(|parameter| {
            let path = format!("sys/module/{name}/parameters/{parameter}");
            let text = fs::read_to_string(tree.0.join(path)).ok()?;
            Some((name.to_string(), text.trim().to_string()))
        })
    };
    MODULES.iter().filter_map(value).collect()
}

/// Reads files below a root, so that tests can have one of their own.
struct Tree<'a>(&'a Path);

impl Tree<'_> {
    /// The file, or nothing: what is not there says nothing.
    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).unwrap_or_default()
    }

    fn has(&self, path: &str) -> bool {
        self.0.join(path).exists()
    }

    fn number(&self, path: &str) -> Option<u64> {
        self.text(path).trim().parse().ok()
    }
}

/// Looks around below `root`, which is `/` but for tests.
pub fn gather(root: &Path) -> Facts {
    let tree = Tree(root);
    let release = tree.text("proc/sys/kernel/osrelease").trim().to_string();
    let mountinfo = tree.text("proc/self/mountinfo");
    let mut names = WAYDROID.concat();
    names.sort();
    Facts {
        filesystems: tree
            .text("proc/filesystems")
            .lines()
            .filter_map(|line| line.split_whitespace().last().map(str::to_string))
            .collect(),
        devices: named_binder(&tree.text("proc/devices")),
        misc: named_binder(&tree.text("proc/misc")),
        modules: MODULES
            .iter()
            .filter(|name| tree.has(&format!("sys/module/{name}")))
            .map(|name| name.to_string())
            .collect(),
        parameters: parameters(&tree),
        config: config(&tree, &release),
        lsm: fs::read_to_string(root.join("sys/kernel/security/lsm")).ok(),
        loadable: modules_in(&tree.text(&format!("lib/modules/{release}/modules.dep"))),
        instances: mounts::parse(&mountinfo, "binder")
            .into_iter()
            .map(instance)
            .collect(),
        nodes: names
            .iter()
            .filter_map(|name| node(root.join("dev").join(name)))
            .collect(),
        missing_namespaces: NAMESPACES
            .into_iter()
            .filter(|name| !tree.has(&format!("proc/self/ns/{name}")))
            .collect(),
        max_user_namespaces: tree.number("proc/sys/user/max_user_namespaces"),
        restricted_user_namespaces: tree.number("proc/sys/kernel/unprivileged_userns_clone")
            == Some(0)
            || tree.number("proc/sys/kernel/apparmor_restrict_unprivileged_userns") == Some(1),
        pressure: tree.has("proc/pressure/memory"),
        memory_cgroup: tree
            .text("proc/cgroups")
            .lines()
            .any(|line| line.starts_with("memory\t"))
            || tree
                .text("sys/fs/cgroup/cgroup.controllers")
                .split_whitespace()
                .any(|name| name == "memory"),
        release,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree of files that goes with this value.
    struct Seeded(PathBuf);

    impl Seeded {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let root = std::env::temp_dir().join(format!("doctor-{name}-{}", std::process::id()));
            for (path, text) in files {
                let path = root.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            Self(root)
        }
    }

    impl Drop for Seeded {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_tree_without_anything() {
        let facts = gather(Path::new("/nowhere/at/all"));
        assert!(facts.filesystems.is_empty() && facts.instances.is_empty());
        assert_eq!(facts.missing_namespaces, NAMESPACES);
        assert_eq!(facts.max_user_namespaces, None);
    }

    #[test]
    fn reads_what_the_kernel_tells() {
        let seeded = Seeded::new(
            "facts",
            &[
                ("proc/sys/kernel/osrelease", "7.3.4\n"),
                ("proc/filesystems", "nodev\tproc\nnodev\tbinder\n\text4\n"),
                (
                    "proc/devices",
                    "Character devices:\n  1 mem\n511 rust_binder\n",
                ),
                ("proc/misc", "60 binder\n59 fuse\n"),
                ("sys/module/binder_linux/parameters/devices", "binder\n"),
                (
                    "lib/modules/7.3.4/modules.dep",
                    "kernel/drivers/android/binder_safe/binder_linux.ko.xz: kernel/lib/x.ko\n",
                ),
                ("proc/self/ns/mnt", ""),
                ("proc/sys/user/max_user_namespaces", "0\n"),
                ("sys/fs/cgroup/cgroup.controllers", "cpu memory\n"),
                ("dev/binder", "no device"),
                ("boot/config-7.3.4", "CONFIG_X=y\n"),
            ],
        );
        let facts = gather(&seeded.0);
        assert_eq!(facts.release, "7.3.4");
        assert_eq!(facts.filesystems, ["proc", "binder", "ext4"]);
        assert_eq!(facts.devices, ["rust_binder"]);
        assert_eq!(facts.misc, ["binder"]);
        assert_eq!(facts.modules, ["binder_linux"]);
        assert_eq!(facts.loadable, ["binder_linux"]);
        let parameter = ("binder_linux".to_string(), "binder".to_string());
        assert_eq!(facts.parameters, [parameter]);
        assert_eq!(facts.config.as_deref(), Some("CONFIG_X=y\n"));
        assert_eq!(facts.lsm, None);
        assert!(!facts.missing_namespaces.contains(&"mnt"));
        assert_eq!(facts.max_user_namespaces, Some(0));
        assert!(facts.memory_cgroup && !facts.pressure);
        assert!(facts.nodes.is_empty(), "a plain file is no node");
    }
}
