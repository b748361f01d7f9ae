// SPDX-License-Identifier: GPL-2.0

//! Runs every test and counts: `make test`, and what continuous integration calls.

use std::{env, fs, process::Command, time::Instant};

use anyhow::{bail, Result};

use crate::{
    bench, clients, docs, doctor, kernel, kunit, lint, paths::Paths, report::Tally, run, selftest,
    series, setup, Config, Driver,
};

#[derive(clap::Args)]
pub struct Args {
    /// Also what takes hours: kernels and configurations that others have.
    #[arg(long)]
    all: bool,
}

/// One part of the whole: its name, and what runs it.
type Phase = (&'static str, fn(&Paths) -> Result<Tally>);

/// The quick ones first, so that a slip shows before kernels are built.
const PHASES: &[Phase] = &[
    ("lint", lint::tally),
    ("host unit tests", host),
    ("series check", series::check::tally),
    ("configuration for Android", kernel::android),
    ("documentation", docs::tally),
    ("selftests, safe driver", |paths| {
        selftest::tally(paths, Driver::Safe, Config::Release)
    }),
    ("binder-doctor, safe driver", |paths| {
        doctor::tally(paths, Driver::Safe)
    }),
    ("misuses of the abstractions", lint::misuse::tally),
    ("programs by others, safe driver", |paths| {
        clients::tally(paths, Driver::Safe)
    }),
    ("costs, safe driver", bench::guard::tally),
    ("selftests, C driver", |paths| {
        selftest::tally(paths, Driver::C, Config::Release)
    }),
    ("binder-doctor, C driver", |paths| {
        doctor::tally(paths, Driver::C)
    }),
    ("programs by others, C driver", |paths| {
        clients::tally(paths, Driver::C)
    }),
    ("kernel crate and drivers, arm64", kernel::arm64),
    ("KUnit", |paths| kunit::tally(paths, Config::Debug)),
    ("clippy", lint::clippy::tally),
    ("selftests, safe driver, debug kernel", |paths| {
        selftest::tally(paths, Driver::Safe, Config::Debug)
    }),
];

/// What follows with `--all`.
const MORE: &[Phase] = &[
    ("configurations of others", kernel::matrix::tally),
    ("selftests, safe driver, hardened kernel", |paths| {
        selftest::tally(paths, Driver::Safe, Config::Hardened)
    }),
    ("KUnit, hardened kernel", |paths| {
        kunit::tally(paths, Config::Hardened)
    }),
    ("selftests, C driver, hardened kernel", |paths| {
        selftest::tally(paths, Driver::C, Config::Hardened)
    }),
];

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    let start = Instant::now();
    setup::ensure(paths)?;
    eprintln!("set-up: {:.1} s", start.elapsed().as_secs_f64());
    let mut all = sum(paths, PHASES);
    if args.all {
        all += sum(paths, MORE);
    }
    eprintln!("all: {:.1} s", start.elapsed().as_secs_f64());
    println!("{all}");
    if all.failed > 0 || all.passed == 0 {
        // The count is the last line, so there is no error line after it.
        std::process::exit(1);
    }
    Ok(())
}

/// Runs all phases; one that breaks counts as a failure and does not stop the others.
fn sum(paths: &Paths, phases: &[Phase]) -> Tally {
    let mut all = Tally::default();
    for (name, phase) in phases {
        let start = Instant::now();
        eprintln!("== {name}");
        let tally = phase(paths).unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            Tally::one(false)
        });
        eprintln!(
            "== {name}: {tally} in {:.1} s",
            start.elapsed().as_secs_f64()
        );
        all += tally;
    }
    all
}

/// The tests of the tools, and of whatever else in the workspace runs on the host.
fn host(paths: &Paths) -> Result<Tally> {
    let log = paths.log("cargo-test")?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["test", "--workspace", "--no-fail-fast"])
        .current_dir(paths.root.join("tools"));
    let verdict = run::logged("Testing the tools", None, &log, &mut cargo);
    let tally = count(&String::from_utf8_lossy(&fs::read(&log)?));
    match verdict {
        Err(error) if tally.failed == 0 => Err(error),
        Err(error) => {
            eprintln!("error: {error:#}");
            Ok(tally)
        }
        Ok(()) if tally.passed == 0 => bail!("cargo test ran no test; log: {}", log.display()),
        Ok(()) => Ok(tally),
    }
}

/// Adds up cargo's lines `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
fn count(log: &str) -> Tally {
    let mut all = Tally::default();
    for line in log.lines().filter(|line| line.starts_with("test result:")) {
        let number = |what: &str| {
            let words: Vec<_> = line
                .split([' ', ';'])
                .filter(|word| !word.is_empty())
                .collect();
            let at = words.iter().position(|word| *word == what);
            at.and_then(|at| words.get(at - 1)?.parse::<u64>().ok())
                .unwrap_or(0)
        };
        all += Tally {
            passed: number("passed"),
            failed: number("failed"),
            skipped: number("ignored"),
        };
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_what_cargo_prints() {
        let log = "running 3 tests\n\
                   test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
                   test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured\n";
        assert_eq!(
            count(log),
            Tally {
                passed: 7,
                failed: 2,
                skipped: 1
            }
        );
        assert_eq!(count("error: could not compile"), Tally::default());
    }

    #[test]
    fn a_phase_that_breaks_is_a_failure_and_stops_nothing() {
        let paths = Paths {
            root: "/".into(),
            cache: "/".into(),
            kdir: None,
        };
        let phases: &[Phase] = &[
            ("broken", |_| bail!("no")),
            ("fine", |_| {
                Ok(Tally {
                    passed: 2,
                    failed: 0,
                    skipped: 0,
                })
            }),
        ];
        assert_eq!(
            sum(&paths, phases),
            Tally {
                passed: 2,
                failed: 1,
                skipped: 0
            }
        );
    }
}
