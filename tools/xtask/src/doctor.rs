// SPDX-License-Identifier: GPL-2.0

//! The program that checks a machine's Binder: `make doctor`.

use std::{os::unix::process::CommandExt, process::Command, time::Duration};

use anyhow::{Context, Result};

use crate::{
    paths::Paths,
    report::Tally,
    selftest,
    vm::{self, image::Choice, Program},
    Config, Driver,
};

const DOCTOR: &str = "binder-doctor";
const TEST: &str = "doctor_test";

/// For all its cases, each of which runs the doctor a few times.
const LIMIT: Duration = Duration::from_secs(600);

#[derive(clap::Args)]
pub struct Args {
    /// Try it in the VM instead, on a kernel with each kind of fault.
    #[arg(long)]
    test: bool,
    #[command(flatten)]
    choice: Choice,
    /// Show each test that passes, too.
    #[arg(short, long)]
    verbose: bool,
    /// What the doctor is told, after --: say `-- --for waydroid` or `-- --help`.
    #[arg(last = true)]
    told: Vec<String>,
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    if args.test {
        return test(paths, &args.choice, args.verbose)?.verdict();
    }
    let doctor = vm::programs(paths)?.join(DOCTOR);
    // What the doctor prints may be for another program.
    eprintln!("{}", doctor.display());
    let error = Command::new(&doctor).args(&args.told).exec();
    Err(error).with_context(|| format!("cannot run {}", doctor.display()))
}

/// What `xtask test` calls.
pub fn tally(paths: &Paths, driver: Driver) -> Result<Tally> {
    test(paths, &Choice::of(driver, Config::Release), false)
}

fn test(paths: &Paths, choice: &Choice, verbose: bool) -> Result<Tally> {
    let mut tally = Tally::default();
    for labels in [true, false] {
        tally += test_with(paths, choice, labels, verbose)?;
    }
    Ok(tally)
}

/// Tries it on a kernel with SELinux on, which has labels for all, or on one with no security module.
fn test_with(paths: &Paths, choice: &Choice, labels: bool, verbose: bool) -> Result<Tally> {
    let bin = vm::programs(paths)?;
    let mut vm = choice.vm(paths, "doctor")?;
    if labels {
        vm.cmdline = "lsm=selinux".to_string();
    }
    let inside = |name: &str| format!("/bin/{name}");
    for name in [DOCTOR, TEST] {
        vm.files.push((inside(name), bin.join(name)));
    }
    let mut program = Program::new(TEST, &[&inside(TEST)], LIMIT);
    let driver = choice.driver.guest_name().to_string();
    program.env.push(("BINDER_DRIVER".to_string(), driver));
    if !labels {
        let word = "BINDER_NO_LABELS".to_string();
        program.env.push((word, "1".to_string()));
    }
    vm.programs.push(program);
    selftest::in_vm(paths, &vm, "binder-doctor", &choice.name(), verbose)
}
