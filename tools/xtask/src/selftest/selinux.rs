// SPDX-License-Identifier: GPL-2.0

//! Selftests that need SELinux: a second boot of the same kernel, with it on.

use anyhow::Result;

use super::{build, Args, Wish};
use crate::{paths::Paths, vm::Vm};

/// Loads the policy, so that it comes first and runs nowhere else.
const LOADER: &str = "selinux_test";

/// What asks for the labels of senders; these tests say less without them.
const LABELS: [&str; 2] = ["android_test", "identity_test"];

/// What runs on a kernel without a security module, and what on one with SELinux.
pub fn split(wishes: Vec<Wish>) -> (Vec<Wish>, Vec<Wish>) {
    let named = |wish: &Wish, name: &str| wish.0 .0 == name;
    let (loader, without): (Vec<Wish>, Vec<Wish>) =
        wishes.into_iter().partition(|wish| named(wish, LOADER));
    let labels = |wish: &&Wish| LABELS.iter().any(|name| named(wish, name));
    let with = loader
        .into_iter()
        .chain(without.iter().filter(labels).cloned())
        .collect();
    (without, with)
}

/// The VM for these programs with SELinux on, which has no policy yet.
pub fn machine(paths: &Paths, args: &Args, wishes: &[Wish]) -> Result<Vm> {
    let mut vm = super::machine(paths, args, "selftest-selinux", wishes)?;
    vm.cmdline += " lsm=selinux";
    if let Some(policy) = build::policy(paths) {
        vm.files
            .push(("/tests/selinux_test.policy".to_string(), policy));
    }
    Ok(vm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_loaded_first_and_only_there() {
        let wish = |name: &str| ((name.to_string(), name.into()), None);
        let all = ["android_test", "call_test", "identity_test", "selinux_test"];
        let (without, with) = split(all.map(wish).to_vec());
        assert_eq!(
            without,
            all[..3].iter().map(|name| wish(name)).collect::<Vec<_>>()
        );
        assert_eq!(
            with,
            ["selinux_test", "android_test", "identity_test"].map(wish)
        );
        assert!(split(vec![wish("call_test")]).1.is_empty());
    }
}
