// SPDX-License-Identifier: GPL-2.0

//! Runs the kselftests in the VM.

mod build;
mod comparison;
mod selinux;

use std::time::Duration;

use anyhow::{bail, Result};

use self::build::Built;
use crate::{
    paths::Paths,
    report::Tally,
    vm::{
        self,
        image::Choice,
        ktap::{self, Case, Verdict},
        results::Results,
        End, Event, Program, Vm,
    },
    Config, Driver,
};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    choice: Choice,
    /// Only these programs, or PROGRAM:TEST for one test of a program.
    #[arg(long, num_args = 1.., value_name = "NAME")]
    only: Vec<String>,
    /// Show each test that passes, too.
    #[arg(short, long)]
    verbose: bool,
    /// How long the random workload runs: 5 seconds, or 25 on a debug kernel.
    #[arg(long)]
    seconds: Option<u64>,
    /// What the random workload decides by; otherwise the time.
    #[arg(long)]
    seed: Option<u64>,
    /// Write the tests that fail into the comparison in the README.
    #[arg(long, conflicts_with = "only")]
    compare: bool,
}

impl Args {
    /// What `make selftest` does.
    fn all_of(choice: Choice) -> Self {
        Self {
            choice,
            only: Vec::new(),
            verbose: false,
            seconds: None,
            seed: None,
            compare: false,
        }
    }

    /// How long the random workload runs.
    fn workload(&self) -> Duration {
        let usual = match self.choice.config {
            Config::Release | Config::Hardened | Config::RustUsers => 5,
            Config::Debug => 25,
        };
        Duration::from_secs(self.seconds.unwrap_or(usual))
    }
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    let tally = test(paths, &args)?;
    tally.verdict()
}

/// What `xtask test` calls.
pub fn tally(paths: &Paths, driver: Driver, config: Config) -> Result<Tally> {
    test(paths, &Args::all_of(Choice::of(driver, config)))
}

/// One program, or one test of it, on a kernel of the caller's choice.
pub fn one(paths: &Paths, choice: Choice, test: &str) -> Result<Tally> {
    let args = Args {
        only: vec![test.to_string()],
        ..Args::all_of(choice)
    };
    self::test(paths, &args)
}

/// A program that is asked for, and the one test of it that is, if not all are.
type Wish = (Built, Option<String>);

/// The programs that `only` asks for, with the test of each that it asks for.
fn pick(built: &[Built], only: &[String]) -> Result<Vec<Wish>> {
    if only.is_empty() {
        return Ok(built.iter().map(|one| (one.clone(), None)).collect());
    }
    let mut picked = Vec::new();
    for wish in only {
        let (program, test) = match wish.split_once(':') {
            Some((program, test)) => (program, Some(test.to_string())),
            None => (wish.as_str(), None),
        };
        let is_it = |name: &str| name == program || name.strip_suffix("_test") == Some(program);
        match built.iter().find(|(name, _)| is_it(name)) {
            Some(one) => picked.push((one.clone(), test)),
            None => {
                let all: Vec<&str> = built.iter().map(|(name, _)| name.as_str()).collect();
                bail!(
                    "there is no test program {program}; there are: {}",
                    all.join(", ")
                );
            }
        }
    }
    Ok(picked)
}

/// The usual devices of binderfs. To name them asks for nodes in `/dev`, too.
const DEVICES: &str = "binder.devices=binder,hwbinder,vndbinder";

/// The VM for these programs; `what` names its log.
fn machine(paths: &Paths, args: &Args, what: &str, wishes: &[Wish]) -> Result<Vm> {
    let limit = build::time_limit(paths)?;
    let driver = args.choice.driver.guest_name();
    let mut vm = args.choice.vm(paths, what)?;
    vm.cmdline = DEVICES.to_string();
    for ((name, path), test) in wishes {
        let inside = format!("/tests/{name}");
        let mut program = Program::new(name, &[&inside], limit + args.workload());
        let seconds = args.workload().as_secs().to_string();
        program.env.push(("BINDER_SECONDS".to_string(), seconds));
        if let Some(seed) = args.seed {
            let seed = seed.to_string();
            program.env.push(("BINDER_SEED".to_string(), seed));
        }
        if let Some(test) = test {
            program.argv.extend(["-t".to_string(), test.clone()]);
        }
        program
            .env
            .push(("BINDER_DRIVER".to_string(), driver.to_string()));
        vm.programs.push(program);
        vm.files.push((inside, path.clone()));
    }
    Ok(vm)
}

fn test(paths: &Paths, args: &Args) -> Result<Tally> {
    let (without, with) = selinux::split(pick(&build::programs(paths)?, &args.only)?);
    let mut vms = Vec::new();
    if !without.is_empty() {
        vms.push(("selftests", machine(paths, args, "selftest", &without)?));
    }
    if !with.is_empty() {
        let vm = selinux::machine(paths, args, &with)?;
        vms.push(("selftests with SELinux", vm));
    }
    let mut tally = Tally::default();
    let mut failed = Vec::new();
    for (what, vm) in vms {
        let results = results_in_vm(paths, &vm, what, &args.choice.name(), args.verbose)?;
        tally += results.0;
        failed.extend(results.1);
    }
    if args.compare {
        comparison::write(&paths.root, args.choice.driver, tally, &failed)?;
    }
    Ok(tally)
}

/// Runs the programs of `vm`, which print TAP, and counts. `what` and `kernel` name the tests.
pub fn in_vm(paths: &Paths, vm: &Vm, what: &str, kernel: &str, verbose: bool) -> Result<Tally> {
    Ok(results_in_vm(paths, vm, what, kernel, verbose)?.0)
}

/// The same, with the names of what failed.
fn results_in_vm(
    paths: &Paths,
    vm: &Vm,
    what: &str,
    kernel: &str,
    verbose: bool,
) -> Result<(Tally, Vec<String>)> {
    println!("Running {what} on {kernel}");
    let mut results = Results::new(verbose);
    let mut parser = ktap::Parser::default();
    let mut failed = Vec::new();
    let mut note = |results: &mut Results, case: &Case| {
        if case.verdict == Verdict::Failed {
            failed.push(case.name.clone());
        }
        results.case(case);
    };
    let outcome = vm::boot(paths, vm, &mut |event| match event {
        Event::Kernel(_) => {}
        Event::Start(_) => {
            parser = ktap::Parser::default();
            results.start();
        }
        Event::Output(line) => {
            for case in parser.line(&line) {
                note(&mut results, &case);
            }
        }
        Event::End(name, end) => {
            for case in std::mem::take(&mut parser).finish() {
                note(&mut results, &case);
            }
            let fine = match end {
                End::Code(KSFT_PASS | KSFT_SKIP) => true,
                // Without a result that failed the program has found something in the end.
                End::Code(KSFT_FAIL) => results.has_failed(),
                _ => false,
            };
            results.end(&name, &end, fine);
        }
    })?;
    results.outcome(&outcome);
    println!(
        "{what} on {kernel}: {} (log: {})",
        results.tally(),
        outcome.log.display()
    );
    Ok((results.tally(), failed))
}

/// Exit codes of a kselftest that ended as it should; its results say how it went.
const KSFT_PASS: i32 = 0;
const KSFT_FAIL: i32 = 1;
const KSFT_SKIP: i32 = 4;

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn only_what_is_asked_for() {
        let built = ["ioctl_test", "mmap_test", "filesystems/mmap_test"]
            .map(|name| (name.to_string(), PathBuf::from("/x").join(name)));
        assert_eq!(pick(&built, &[]).unwrap().len(), 3);
        let picked = pick(&built, &["mmap".into(), "ioctl_test:version".into()]).unwrap();
        assert_eq!(picked[0], (built[1].clone(), None));
        assert_eq!(picked[1], (built[0].clone(), Some("version".into())));
        let error = pick(&built, &["node".into()]).unwrap_err().to_string();
        assert!(error.contains("ioctl_test, mmap_test"));
    }
}
