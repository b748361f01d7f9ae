// SPDX-License-Identifier: GPL-2.0

//! Runs the KUnit suites in the VM: they run while the kernel boots and print to its log.

use std::{path::PathBuf, time::Duration};

use anyhow::Result;

use crate::{
    paths::Paths,
    report::Tally,
    vm::{
        self,
        image::Choice,
        ktap::{Case, Parser},
        results::Results,
        Accel, Event,
    },
    Config, Driver,
};

/// The suites run before init does, so their time counts as boot time.
const LIMIT: Duration = Duration::from_secs(1200);

#[derive(clap::Args)]
pub struct Args {
    /// The driver in the kernel.
    #[arg(long, value_enum, default_value = "safe")]
    driver: Driver,
    /// How the kernel is configured; the suites of the series are in the debug kernel.
    #[arg(long, value_enum, default_value = "debug")]
    config: Config,
    /// A kernel image to boot as it is, instead of one that is built for this.
    #[arg(long, hide = true)]
    image: Option<PathBuf>,
    /// What executes the VM's instructions.
    #[arg(long, value_enum, default_value = "auto")]
    accel: Accel,
    /// Only these suites; the kernel's glob, say `rust_kernel_*`.
    #[arg(long, value_name = "GLOB")]
    only: Option<String>,
    /// Show each test that passes, too.
    #[arg(short, long)]
    verbose: bool,
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    let Args {
        driver,
        config,
        image,
        accel,
        ..
    } = args;
    let choice = Choice {
        driver,
        config,
        module: false,
        image,
        accel,
    };
    test(paths, &choice, args.only.as_deref(), args.verbose)?.verdict()
}

/// What `xtask test` calls.
pub fn tally(paths: &Paths, config: Config) -> Result<Tally> {
    test(paths, &Choice::of(Driver::Safe, config), None, false)
}

/// Results in groups of one suite each.
struct Suites {
    results: Results,
    suite: Option<String>,
}

impl Suites {
    fn case(&mut self, case: &Case) {
        let suite = case.name.split('/').next().unwrap_or_default();
        if self.suite.as_deref() != Some(suite) {
            self.close();
            self.suite = Some(suite.to_string());
        }
        self.results.case(case);
    }

    fn close(&mut self) {
        if let Some(suite) = self.suite.take() {
            self.results.group(&suite);
        }
    }
}

fn test(paths: &Paths, choice: &Choice, only: Option<&str>, verbose: bool) -> Result<Tally> {
    let mut vm = choice.vm(paths, "kunit")?;
    vm.boot_limit = LIMIT;
    // The base tree's own examples of timers put them on the stack without saying so, which object
    // debugging takes for a mistake; the kselftests run with it.
    vm.cmdline = "kunit.enable=1 kunit.autorun=1 no_debug_objects".to_string();
    if let Some(glob) = only {
        vm.cmdline.push_str(&format!(" kunit.filter_glob={glob}"));
    }
    println!("KUnit on {}", choice.name());
    let mut parser = Parser::default();
    let mut suites = Suites {
        results: Results::new(verbose),
        suite: None,
    };
    let outcome = vm::boot(paths, &vm, &mut |event| {
        if let Event::Kernel(line) = event {
            parser.line(&line).iter().for_each(|case| suites.case(case));
        }
    })?;
    parser.finish().iter().for_each(|case| suites.case(case));
    suites.close();
    suites.results.outcome(&outcome);
    let tally = suites.results.tally();
    println!(
        "KUnit on {}: {tally} (log: {})",
        choice.name(),
        outcome.log.display()
    );
    Ok(tally)
}
