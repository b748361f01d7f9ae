// SPDX-License-Identifier: GPL-2.0

//! The demonstration: `make run`.

use std::time::Duration;

use anyhow::{bail, Result};

use crate::{
    paths::Paths,
    vm::{self, image::Choice, Accel, Clock, End, Event, Program, Vm},
};

/// Time for any one program: generous, because on a busy host an emulated wake-up takes
/// milliseconds.
const LIMIT: Duration = Duration::from_secs(1800);

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    choice: Choice,
    /// How many calls are made and timed.
    #[arg(long, default_value_t = 10_000)]
    calls: u32,
    /// Instead of the demonstration: this many calls, then a look for leaks.
    #[arg(long, value_name = "CALLS")]
    stress: Option<u32>,
}

/// What the program in the VM printed.
#[derive(Default)]
struct Told {
    lines: Vec<String>,
    end: Option<End>,
}

impl Told {
    /// The rest of the first line that starts like this.
    fn after(&self, start: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| line.strip_prefix(start))
    }

    /// The number before ` ns` in the line that says how long `what` took.
    fn nanoseconds(&self, what: &str) -> Option<u64> {
        let line = self.lines.iter().find(|line| line.contains(what))?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let unit = words.iter().position(|word| *word == "ns")?;
        words.get(unit.checked_sub(1)?)?.parse().ok()
    }
}

/// Runs one program of the demonstration in a VM; prints what it prints if `show`.
fn run_in(paths: &Paths, vm: &mut Vm, argv: &[&str], show: bool) -> Result<Told> {
    vm.programs = vec![Program::new("demo", argv, LIMIT)];
    let mut told = Told::default();
    let outcome = vm::boot(paths, vm, &mut |event| match event {
        Event::Output(line) => {
            if show {
                println!("  {line}");
            }
            told.lines.push(line);
        }
        Event::End(_, end) => told.end = Some(end),
        Event::Kernel(_) | Event::Start(_) => {}
    })?;
    let log = outcome.log.display();
    if let Some(problem) = outcome.problems.first() {
        bail!("{problem}\n  see {log}");
    }
    match &told.end {
        Some(End::Code(0)) => Ok(told),
        Some(end) => bail!("demo {}: {end}; see {log}", argv[1]),
        None => bail!("demo {} did not run; see {log}", argv[1]),
    }
}

/// Instructions of one 128-byte round trip: exact, because the VM's clock counts them.
fn instructions(paths: &Paths, mut vm: Vm) -> Result<u64> {
    vm.clock = Clock::Instructions;
    vm.cpus = 1;
    println!("In a VM whose clock counts instructions, both processes on its one CPU:");
    let told = run_in(paths, &mut vm, &["/bin/demo", "timing"], true)?;
    match told.nanoseconds("round trip: 128 bytes") {
        Some(count) => Ok(count),
        None => bail!("the timing run printed no figure for 128 bytes"),
    }
}

fn stress(paths: &Paths, choice: &Choice, calls: u32) -> Result<()> {
    let mut vm = choice.vm(paths, "stress")?;
    println!("{calls} calls on {}, then a look for leaks:", choice.name());
    let calls = calls.to_string();
    let told = run_in(
        paths,
        &mut vm,
        &["/bin/demo", "stress", "--calls", &calls],
        true,
    )?;
    let verdict = told.after("stress: ").unwrap_or("no verdict");
    println!("stress on {}: {verdict}, clean kernel log", choice.name());
    Ok(())
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    let choice = &args.choice;
    if let Some(calls) = args.stress {
        return stress(paths, choice, calls);
    }
    // All that another build may have to end for, before anything is shown.
    vm::programs(paths)?;
    let mut vm = choice.vm(paths, "run")?;
    let timing = choice.vm(paths, "timing")?;
    let hardware = vm::accel(paths, &vm)? == Accel::Kvm;
    println!("Binder calls on {}, in a VM:", choice.name());
    let calls = args.calls.to_string();
    let told = run_in(
        paths,
        &mut vm,
        &["/bin/demo", "show", "--calls", &calls],
        true,
    )?;
    let Some(steps) = told.after("steps: ") else {
        bail!("the demonstration did not finish")
    };
    let Some(time) = told.nanoseconds("many calls") else {
        bail!("no call was timed")
    };
    let time = time as f64 / 1000.0;
    let kind = if hardware { "" } else { " of emulated time" };
    let count = instructions(paths, timing)?;
    println!(
        "{}: {steps}; a 128-byte round trip: {time:.1} µs{kind}, {count} instructions",
        choice.name()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_in_what_was_told() {
        let lines = [
            "  works  many calls: 10 of 128 bytes in 0.1 s: 61000 ns a round trip",
            "round trip: 4 bytes 17400 ns",
            "round trip: 128 bytes 18200 ns",
            "steps: 9 work",
        ];
        let told = Told {
            lines: lines.map(str::to_string).to_vec(),
            end: None,
        };
        assert_eq!(told.nanoseconds("many calls"), Some(61000));
        assert_eq!(told.nanoseconds("round trip: 128 bytes"), Some(18200));
        assert_eq!(told.nanoseconds("round trip: 64 bytes"), None);
        assert_eq!(told.after("steps: "), Some("9 work"));
    }
}
