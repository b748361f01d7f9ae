// SPDX-License-Identifier: GPL-2.0

//! Runs the rows in VMs.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{bail, Result};

use super::{
    results::{Figures, Memory, Time},
    rows::{self, Way, MEMORY, TIMED},
    size, Args,
};
use crate::{
    paths::Paths,
    run::Progress,
    vm::{self, image::Choice, Accel, Clock, End, Event, Program, Vm},
    Config, Driver,
};

/// Time for one kind of row; emulated processes on a busy host are slow.
const LIMIT: Duration = Duration::from_secs(1800);

/// Time to boot where other programs take most of the host's processors.
const BOOT: Duration = Duration::from_secs(600);

/// How often something is measured.
#[derive(Clone, Copy)]
pub struct Often {
    /// In how many programs: where the memory of each lies is chance.
    pub programs: u32,
    /// How often in each.
    pub repeat: u32,
}

/// How often instructions are counted: now and then the kernel does something of its own meanwhile,
/// so the middle of all counts is taken.
const EXACT: Often = Often {
    programs: 5,
    repeat: 3,
};

/// For what takes long.
const LARGE: Often = Often {
    programs: 1,
    repeat: 3,
};

/// MiB; hundreds of thousands of things take their room.
const LARGE_MEMORY: u32 = 3072;

/// What a VM gave.
#[derive(Default)]
pub struct Told {
    /// By row, one figure for each repetition.
    pub rows: BTreeMap<String, Vec<f64>>,
    memory: BTreeMap<String, Memory>,
    pub missing: BTreeMap<String, String>,
    last: String,
}

impl Told {
    /// Takes `row NAME PARAMETER COUNT FIGURE…` and `memory NAME COUNT SLAB ALL`.
    fn line(&mut self, line: String) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |word: &str| word.parse::<f64>().ok();
        match words[..] {
            ["row", name, parameter, _, ref figures @ ..] => {
                let figures = figures.iter().filter_map(|word| number(word));
                let row = format!("{name}:{parameter}");
                self.rows.entry(row).or_default().extend(figures);
            }
            ["memory", name, _, slab, all] => {
                if let (Some(slab), Some(all)) = (number(slab), number(all)) {
                    self.memory.insert(name.to_string(), Memory { slab, all });
                }
            }
            _ => self.last = line,
        }
    }

    fn add(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.memory.extend(other.memory);
        self.missing.extend(other.missing);
    }

    fn end(&mut self, name: String, end: End) {
        let last = std::mem::take(&mut self.last);
        let why = match end {
            End::Code(0) => return,
            End::Code(_) if !last.is_empty() => last,
            end => end.to_string(),
        };
        self.missing.insert(name, why);
    }
}

/// A VM whose clock counts instructions.
pub fn exact(paths: &Paths, choice: &Choice, what: &str) -> Result<Vm> {
    let mut vm = choice.vm(paths, what)?;
    vm.clock = Clock::Instructions;
    vm.cpus = 1;
    vm.boot_limit = BOOT;
    Ok(vm)
}

/// Runs each of `rows` in programs of its own, so that one that hangs or fails takes no other with
/// it.
pub fn boot(paths: &Paths, vm: &mut Vm, rows: &[&str], often: Often) -> Result<Told> {
    let repeat = often.repeat.to_string();
    vm.programs = (0..often.programs)
        .flat_map(|_| rows)
        .map(|row| {
            let argv = ["/bin/bench", "--repeat", &repeat, "--only", row];
            Program::new(row, &argv, LIMIT)
        })
        .collect();
    let mut told = Told::default();
    let total = Some(vm.programs.len() as u64);
    let mut progress = Progress::start(&format!("Measuring: {}", vm.name), total);
    let outcome = vm::boot(paths, vm, &mut |event| match event {
        Event::Output(line) => told.line(line),
        Event::End(name, end) => {
            progress.tick(&name);
            told.end(name, end);
        }
        Event::Kernel(_) | Event::Start(_) => {}
    })?;
    progress.finish();
    if let Some(problem) = outcome.problems.first() {
        told.missing.insert("kernel".to_string(), problem.clone());
    }
    Ok(told)
}

/// The kinds among `all` that `only` asks for; all if it asks for nothing.
fn choose<'a>(all: &[&'a str], only: &'a [String]) -> Vec<&'a str> {
    if only.is_empty() {
        return all.to_vec();
    }
    let kind = |row: &'a str| row.split(':').next().unwrap_or(row);
    let mut chosen = Vec::new();
    for row in only {
        for one in all {
            match () {
                () if one == row || kind(one) == row => chosen.push(*one),
                () if kind(row) == *one => chosen.push(row),
                () => {}
            }
        }
    }
    chosen
}

/// Counts instructions and memory.
fn count(paths: &Paths, vm: &mut Vm, rows: &[&str]) -> Result<Figures> {
    let (large, usual): (Vec<&str>, Vec<&str>) = rows
        .iter()
        .copied()
        .partition(|row| rows::way(row) == Way::Large);
    let mut told = Told::default();
    if !usual.is_empty() {
        told.add(boot(paths, vm, &usual, EXACT)?);
    }
    if !large.is_empty() {
        let mut vm = vm.clone();
        vm.name = vm.name.replace("bench", "bench-large");
        vm.memory = LARGE_MEMORY;
        told.add(boot(paths, &mut vm, &large, LARGE)?);
    }
    let rows = told.rows.into_iter();
    Ok(Figures {
        instructions: rows
            .filter_map(|(row, all)| Some((row, Time::of(all)?.median)))
            .collect(),
        memory: told.memory,
        missing: told.missing,
        ..Figures::default()
    })
}

/// Measures one driver.
pub fn driver(paths: &Paths, driver: Driver, args: &Args) -> Result<Figures> {
    let mut all: Vec<&str> = rows::KINDS.iter().map(|kind| kind.name).collect();
    all.push(MEMORY);
    let (mut rows, timed) = (choose(&all, &args.only), choose(TIMED, &args.only));
    if rows.is_empty() {
        bail!("there is no such row; there are {}", all.join(", "));
    }
    rows.retain(|row| rows::way(row) != Way::Beside);
    let mut choice = Choice::of(driver, Config::Release);
    choice.image.clone_from(&args.image);
    let mut vm = exact(paths, &choice, "bench")?;
    vm.cmdline.clone_from(&args.cmdline);
    let mut figures = match args.no_count {
        true => Figures::default(),
        false => count(paths, &mut vm, &rows)?,
    };
    figures.size = Some(size::driver(&vm.image, driver)?);
    if !args.no_time && !timed.is_empty() {
        vm.name = vm.name.replace("bench", "bench-times");
        vm.clock = Clock::Real;
        vm.accel = Accel::Tcg;
        vm.cpus = 2;
        let often = Often {
            programs: 1,
            repeat: args.repeat,
        };
        let told = boot(paths, &mut vm, &timed, often)?;
        let times = told.rows.into_iter();
        figures.times = times
            .filter_map(|(row, all)| Some((row, Time::of(all)?)))
            .collect();
        figures.missing.extend(told.missing);
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_in_what_the_guest_prints() {
        let mut told = Told::default();
        told.line("row two-way 128 1000 18200.5 18300.0".to_string());
        told.line("memory node 8000 192.0 200.5".to_string());
        told.line("error: no".to_string());
        told.end("flood".to_string(), End::Code(1));
        told.end("pool".to_string(), End::Lost);
        assert_eq!(told.rows["two-way:128"], [18200.5, 18300.0]);
        assert_eq!(told.memory["node"].slab, 192.0);
        assert_eq!(told.missing["flood"], "error: no");
        assert!(told.missing["pool"].contains("went away"));
    }

    #[test]
    fn rows_are_chosen_by_name_or_with_their_parameter() {
        let all = ["two-way", "flood", "two-way:128"];
        assert_eq!(choose(&all, &[]), all);
        assert_eq!(choose(&all, &["two-way:4".to_string()]), ["two-way:4"]);
        assert_eq!(choose(&all, &["flood".to_string()]), ["flood"]);
        assert_eq!(
            choose(&["two-way:128"], &["two-way".to_string()]),
            ["two-way:128"]
        );
    }
}
