// SPDX-License-Identifier: GPL-2.0

//! Holds the driver to what it cost before: a part of `make test`.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{bail, Context, Result};

use super::{
    measure::{self, Often},
    results::{Time, Tools},
    rows::{self, thousands},
};
use crate::{
    paths::Paths, report::Tally, series::checks::Checks, setup, vm::image::Choice, Config, Driver,
};

const FILE: &str = "bench/guard";

/// What is held.
const ROWS: [&str; 3] = ["two-way:128", "oneway:128", "node:1"];

/// How often each is counted: soon after boot, since some minutes later the scheduler takes one or
/// two hundred instructions more for a call.
const OFTEN: Often = Often {
    programs: 1,
    repeat: 5,
};

/// So much more is too much; the count itself differs by a few parts in a thousand at most.
const MARGIN: f64 = 0.02;

const HEAD: &str = "\
# What one operation may cost, in instructions: `make test` fails when it costs over 2 % more.
# `make bench ARGS=--set-guard` measures and writes this file. Commit it together with the change
# that moves the figures, and say in the message why they moved.
";

/// The figures that are held, and what they were measured with.
#[derive(Debug, PartialEq)]
struct Guard {
    tools: String,
    rows: BTreeMap<String, f64>,
}

impl Guard {
    fn parse(text: &str) -> Option<Self> {
        let (mut tools, mut rows) = (None, BTreeMap::new());
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            match line.split_once(' ')? {
                ("with", with) => tools = Some(with.to_string()),
                (row, figure) => drop(rows.insert(row.to_string(), figure.parse().ok()?)),
            }
        }
        let tools = tools?;
        ROWS.iter()
            .all(|row| rows.contains_key(*row))
            .then_some(Self { tools, rows })
    }

    fn text(&self) -> String {
        let mut text = format!("{HEAD}with {}\n", self.tools);
        for (row, figure) in &self.rows {
            text += &format!("{row} {figure:.0}\n");
        }
        text
    }

    fn read(root: &Path) -> Result<Self> {
        let text = fs::read_to_string(root.join(FILE)).with_context(|| format!("no {FILE}"))?;
        Self::parse(&text).with_context(|| {
            format!("cannot understand {FILE}; `make bench ARGS=--set-guard` writes it anew")
        })
    }
}

fn releases(paths: &Paths) -> Result<String> {
    Ok(Tools::of(&setup::ensure(paths)?)?.releases())
}

/// What the rows cost now.
fn costs(paths: &Paths) -> Result<BTreeMap<String, f64>> {
    let choice = Choice::of(Driver::Safe, Config::Release);
    let mut vm = measure::exact(paths, &choice, "guard")?;
    let told = measure::boot(paths, &mut vm, &ROWS, OFTEN)?;
    if let Some((row, why)) = told.missing.first_key_value() {
        bail!("{row}: {why}");
    }
    let cost = |row: &str| Some(Time::of(told.rows.get(row)?.clone())?.median);
    ROWS.iter()
        .map(|row| {
            let cost = cost(row).with_context(|| format!("there is no figure for {row}"))?;
            Ok((row.to_string(), cost))
        })
        .collect()
}

/// Holds the driver to what it costs now.
pub fn set(paths: &Paths) -> Result<()> {
    let guard = Guard {
        tools: releases(paths)?,
        rows: costs(paths)?,
    };
    fs::write(paths.root.join(FILE), guard.text())
        .with_context(|| format!("cannot write {FILE}"))?;
    print!("{}", guard.text());
    Ok(())
}

/// Judges one figure.
fn judge(row: &str, now: f64, held: f64) -> Result<()> {
    if now > held * (1.0 + MARGIN) {
        bail!(
            "{row} costs {} instructions, {:.1} % more than the {} of {FILE}: see where by \
             `make profile ARGS='--row {row}'`",
            thousands(now as u64),
            100.0 * (now / held - 1.0),
            thousands(held as u64)
        );
    }
    Ok(())
}

/// What `xtask test` calls.
pub fn tally(paths: &Paths) -> Result<Tally> {
    let mut checks = Checks::default();
    let guard = Guard::read(&paths.root)?;
    let tools = releases(paths)?;
    if tools != guard.tools {
        let why = format!("{FILE} was measured with {}, this is {tools}", guard.tools);
        checks.skip("the driver costs what it did", &why);
        return Ok(checks.tally);
    }
    for (row, now) in costs(paths)? {
        let held = guard.rows[&row];
        let what = format!(
            "{}: {} instructions, {:+.1} %",
            rows::what(&row),
            thousands(now as u64),
            100.0 * (now / held - 1.0)
        );
        checks.item(&what, judge(&row, now, held));
    }
    Ok(checks.tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_percent_are_too_much_and_less_is_not() {
        assert!(judge("node:1", 10_190.0, 10_000.0).is_ok());
        assert!(judge("node:1", 9_000.0, 10_000.0).is_ok());
        let error = judge("node:1", 10_210.0, 10_000.0).unwrap_err().to_string();
        assert!(error.contains("10,210 instructions, 2.1 % more"), "{error}");
    }

    #[test]
    fn the_file_is_read_as_written() {
        let rows = ROWS.iter().map(|row| (row.to_string(), 12_345.0));
        let guard = Guard {
            tools: "clang 22.1, rustc 1.96, QEMU 10.0".to_string(),
            rows: rows.collect(),
        };
        assert_eq!(Guard::parse(&guard.text()), Some(guard));
        assert_eq!(Guard::parse("with x\nnode:1 5\n"), None);
    }
}
