// SPDX-License-Identifier: GPL-2.0

//! Which driver it is. They differ in what they call themselves, and in what they can do.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::{facts::Facts, probe::Probe};

/// The super block's magic number of the Rust driver of the kernel; the others' ends in 70.
const RUST_MAGIC: u64 = 0x6c6f_6f71;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// binder_safe, in safe Rust.
    Safe,
    /// The kernel's C driver, or a module made from it.
    C,
    /// The kernel's Rust driver.
    Rust,
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safe => "binder_safe, the driver in safe Rust",
            Self::C => "the C driver",
            Self::Rust => "the kernel's own Rust driver",
        })
    }
}

/// What can be told about the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// There is none.
    None,
    One(Driver),
    /// The C driver or binder_safe. One has to mount to tell them apart, and may not.
    Unclear,
}

/// `probe` is what came of a mount, if one was tried.
pub fn tell(facts: &Facts, probe: Option<&Probe>) -> Told {
    let module = |name: &str| facts.modules.iter().any(|module| module == name);
    let device = |name: &str| facts.devices.iter().any(|device| device == name);
    let magic = |magic| facts.instances.iter().any(|one| one.magic == Some(magic));
    if device("rust_binder") || magic(RUST_MAGIC) {
        return Told::One(Driver::Rust);
    }
    let there = device("binder")
        || !facts.misc.is_empty()
        || facts.filesystems.iter().any(|name| name == "binder");
    // binder_safe is the only one whose mounts take the names of their devices.
    match probe.and_then(|probe| probe.takes_devices) {
        _ if !there => Told::None,
        Some(true) => Told::One(Driver::Safe),
        Some(false) => Told::One(Driver::C),
        // Built in, it has its parameters in both places, and no other driver has.
        None if module("binder_linux") && module("binder") => Told::One(Driver::Safe),
        None => Told::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(devices: &[&str], modules: &[&str]) -> Facts {
        Facts {
            filesystems: vec!["proc".into(), "binder".into()],
            devices: devices.iter().map(|name| name.to_string()).collect(),
            modules: modules.iter().map(|name| name.to_string()).collect(),
            ..Facts::default()
        }
    }

    fn takes_devices(takes: bool) -> Probe {
        Probe {
            takes_devices: Some(takes),
            ..Probe::default()
        }
    }

    #[test]
    fn tells_the_three_apart() {
        let one = |devices, modules, takes| {
            let probe = Probe {
                takes_devices: takes,
                ..Probe::default()
            };
            tell(&facts(devices, modules), Some(&probe))
        };
        assert_eq!(
            one(&["rust_binder"], &[], Some(false)),
            Told::One(Driver::Rust)
        );
        assert_eq!(
            one(&["binder"], &["binder_linux", "binder"], None),
            Told::One(Driver::Safe)
        );
        assert_eq!(
            one(&["binder"], &["binder"], Some(true)),
            Told::One(Driver::Safe)
        );
        assert_eq!(
            one(&["binder"], &["binder"], Some(false)),
            Told::One(Driver::C)
        );
        assert_eq!(one(&["binder"], &["binder"], None), Told::Unclear);
        assert_eq!(one(&["binder"], &["binder_linux"], None), Told::Unclear);
    }

    #[test]
    fn no_driver_and_one_without_binderfs() {
        assert_eq!(
            tell(&Facts::default(), Some(&takes_devices(false))),
            Told::None
        );
        let misc = Facts {
            misc: vec!["binder".into()],
            ..Facts::default()
        };
        assert_eq!(tell(&misc, None), Told::Unclear);
    }
}
