// SPDX-License-Identifier: GPL-2.0

//! Hardware virtualisation, if it works: `/dev/kvm` of a nested host may be there and still hang
//! a guest, so it is tried once per host kernel, with a time limit.

use std::{fs, path::Path, time::Duration};

use anyhow::Result;

use super::{session, Vm};
use crate::paths::Paths;

/// A kernel that has not started our init by then is not going to.
const PROBE_LIMIT: Duration = Duration::from_secs(10);

/// What executes the guest's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Accel {
    /// Hardware if a short trial works, else emulation.
    Auto,
    /// Hardware.
    Kvm,
    /// Emulation.
    Tcg,
}

/// What `vm` will run on.
pub fn resolve(paths: &Paths, vm: &Vm) -> Result<Accel> {
    if vm.clock == super::Clock::Instructions {
        return Ok(Accel::Tcg);
    }
    if vm.accel != Accel::Auto {
        return Ok(vm.accel);
    }
    if fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/kvm")
        .is_err()
    {
        return Ok(Accel::Tcg);
    }
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let verdict = paths.cache.join("kvm").join(release.trim());
    if let Ok(word) = fs::read_to_string(&verdict) {
        return Ok(if word.trim() == "works" {
            Accel::Kvm
        } else {
            Accel::Tcg
        });
    }
    let (word, accel) = match probe(paths, &vm.image)? {
        Probe::Works => ("works", Accel::Kvm),
        Probe::Hangs => ("hangs", Accel::Tcg),
        // It ended by itself, which is the kernel's or QEMU's doing: the next one is tried again.
        Probe::Unclear => return Ok(Accel::Tcg),
    };
    fs::create_dir_all(verdict.with_file_name(""))?;
    fs::write(&verdict, format!("{word}\n"))?;
    eprintln!(
        "  KVM: a guest {word} on this host; remembered in {}",
        verdict.display()
    );
    Ok(accel)
}

enum Probe {
    Works,
    Hangs,
    Unclear,
}

fn probe(paths: &Paths, image: &Path) -> Result<Probe> {
    let mut vm = Vm::new("kvm-probe", image.to_path_buf());
    vm.accel = Accel::Kvm;
    vm.boot_limit = PROBE_LIMIT;
    let outcome = session::boot(paths, &vm, &mut |_| {})?;
    Ok(match (outcome.problems.is_empty(), outcome.hung) {
        (true, _) => Probe::Works,
        (false, true) => Probe::Hangs,
        (false, false) => Probe::Unclear,
    })
}
