// SPDX-License-Identifier: GPL-2.0

//! Runs every test and counts.

use anyhow::Result;

use crate::{kunit, lint, paths::Paths, report::Tally, selftest, series, Config, Driver};

#[derive(clap::Args)]
pub struct Args {}

pub fn run(paths: &Paths, _args: Args) -> Result<()> {
    let mut all = Tally::default();
    all += lint::tally(paths)?;
    all += series::check::tally(paths)?;
    all += kunit::tally(paths)?;
    all += selftest::tally(paths, Driver::Safe, Config::Release)?;
    all += selftest::tally(paths, Driver::Safe, Config::Debug)?;
    all += selftest::tally(paths, Driver::C, Config::Release)?;
    println!("{all}");
    all.verdict()
}
