// SPDX-License-Identifier: GPL-2.0

//! Binder programs by others in the VM: the crate `rsbinder` with its service manager, and the
//! tools of Debian's `libgbinder`.

mod gbinder;

use std::{path::PathBuf, time::Duration};

use anyhow::Result;

use crate::{
    paths::Paths,
    report::Tally,
    run, selftest,
    vm::{self, image::Choice, Program},
    Config, Driver,
};

const TEST: &str = "clients_test";
const HUB: &str = "rsb_hub";

/// For all tests, each of which waits at most a minute for something.
const LIMIT: Duration = Duration::from_secs(300);

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    choice: Choice,
    /// Show each test that passes, too.
    #[arg(short, long)]
    verbose: bool,
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    test(paths, &args.choice, args.verbose)?.verdict()
}

/// What `xtask test` calls.
pub fn tally(paths: &Paths, driver: Driver) -> Result<Tally> {
    test(paths, &Choice::of(driver, Config::Release), false)
}

fn test(paths: &Paths, choice: &Choice, verbose: bool) -> Result<Tally> {
    if let Err(error) = cargo(
        paths,
        "Fetching rsbinder",
        "fetch",
        &["--target", vm::TARGET],
    ) {
        let why = format!("{error:#}");
        // That Cargo.lock does not fit is a mistake of ours and no want of packages.
        if why.contains("--locked was passed") {
            return Err(error);
        }
        println!("skipped: programs by others: {why}");
        return Ok(Tally {
            skipped: 1,
            ..Tally::default()
        });
    }
    let bin = build(paths)?;
    let mut vm = choice.vm(paths, "clients")?;
    for name in [TEST, HUB] {
        vm.files.push((format!("/bin/{name}"), bin.join(name)));
    }
    match gbinder::root(paths) {
        Ok(root) => vm.files.extend(gbinder::files(&root)?),
        // The test says that it skips what needs them.
        Err(error) => println!("skipped: {}: {error:#}", gbinder::PACKAGE),
    }
    let mut program = Program::new(TEST, &[&format!("/bin/{TEST}")], LIMIT);
    let driver = choice.driver.guest_name().to_string();
    program.env.push(("BINDER_DRIVER".to_string(), driver));
    vm.programs.push(program);
    selftest::in_vm(paths, &vm, "programs by others", &choice.name(), verbose)
}

/// Builds the test and the service manager, static as all that runs in the VM, and gives the folder
/// with them in it.
fn build(paths: &Paths) -> Result<PathBuf> {
    let out = paths.build("clients");
    let dir = out.display().to_string();
    let what = [
        "--release",
        "--target",
        vm::TARGET,
        "--target-dir",
        &dir,
        "--package",
        "clients",
        "--package",
        "rsbinder-tools",
        "--bin",
        TEST,
        "--bin",
        HUB,
    ];
    cargo(
        paths,
        "Building rsbinder and its service manager",
        "build",
        &what,
    )?;
    Ok(out.join(vm::TARGET).join("release"))
}

/// Runs cargo for the workspace of the test.
fn cargo(paths: &Paths, title: &str, command: &str, args: &[&str]) -> Result<()> {
    let mut cargo = vm::static_cargo();
    cargo
        .current_dir(paths.root.join("tools/clients"))
        .args([command, "--locked"])
        .args(args);
    let log = paths.log(&format!("clients-{command}"))?;
    run::logged(title, None, &log, &mut cargo)
}
