// SPDX-License-Identifier: GPL-2.0

//! Instructions per kernel function and operation: `make profile`.
//!
//! QEMU runs with our plugin, which counts the blocks that the guest executes; the guest marks
//! where a run begins and ends. A long run minus a short one, divided by the difference of their
//! lengths, is what one operation costs, and the symbols of the kernel say where.
//!
//! Locks, allocations and copies are counted the same way: by how often the functions are entered
//! that do them. Copies from and to user space are mostly inlined; there it is the instruction that
//! opens user space that is counted.

mod accesses;
mod blocks;
mod classes;
mod plugin;
mod symbols;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use anyhow::{bail, Context, Result};
use tabled::{
    builder::Builder,
    settings::{object::Columns, Alignment, Style},
};

use crate::{
    paths::Paths,
    vm::{self, image::Choice, Clock, End, Event, Program},
};
use accesses::Accesses;
use blocks::Blocks;
use classes::Class;
use symbols::Symbols;

/// Time to boot and time for the run; the plugin makes the emulator slower by half.
const LIMIT: Duration = Duration::from_secs(600);

/// The system call by which the guest marks a phase.
const MARK: &str = "__x64_sys_sched_get_priority_max";

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    choice: Choice,
    /// The kernel with its symbols, for an image given by hand.
    #[arg(long, hide = true)]
    vmlinux: Option<PathBuf>,
    /// The row of the benchmark to look at.
    #[arg(long, default_value = "two-way:128")]
    row: String,
    /// How many functions are listed.
    #[arg(long, default_value_t = 60)]
    top: usize,
}

/// What the guest said about the row: how many operations the runs differ by, and its figure.
fn row(line: &str) -> Option<(u32, f64)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["row", _, _, count, cost] => Some((count.parse().ok()?, cost.parse().ok()?)),
        _ => None,
    }
}

/// Runs one row under the plugin.
fn measure(paths: &Paths, args: &Args, symbols: &Symbols) -> Result<(Blocks, u32, f64)> {
    let out = paths.log("profile-blocks")?;
    let mark = symbols
        .address(MARK)
        .with_context(|| format!("the kernel has no {MARK}"))?;
    let mut vm = args.choice.vm(paths, "profile")?;
    vm.clock = Clock::Instructions;
    vm.cpus = 1;
    vm.boot_limit = LIMIT;
    let library = plugin::build(paths)?;
    vm.plugin = Some(format!(
        "{},mark={mark:x},out={}",
        library.display(),
        out.display()
    ));
    let argv = ["/bin/bench", "--only", &args.row];
    vm.programs = vec![Program::new("bench", &argv, LIMIT)];
    let (mut said, mut ended) = (None, None);
    let mut last = String::new();
    let outcome = vm::boot(paths, &vm, &mut |event| match event {
        Event::Output(line) => {
            said = said.or(row(&line));
            last = line;
        }
        Event::End(_, end) => ended = Some(end),
        Event::Kernel(_) | Event::Start(_) => {}
    })?;
    let log = outcome.log.display();
    if let Some(problem) = outcome.problems.first() {
        bail!("{problem}\n  see {log}");
    }
    match ended {
        Some(End::Code(0)) => {}
        Some(end) => bail!("the benchmark: {end}: {last}; see {log}"),
        None => bail!("the benchmark did not run; see {log}"),
    }
    let (count, cost) = said.context("the benchmark has no such row")?;
    Ok((Blocks::read(&out)?, count, cost))
}

/// What one operation costs in one function.
#[derive(Clone, Copy, Default)]
struct Cost {
    instructions: f64,
    calls: f64,
    /// How often it opens user space for an access.
    accesses: f64,
}

/// Costs by function name.
fn by_function(
    blocks: &Blocks,
    symbols: &Symbols,
    accesses: &Accesses,
    count: u32,
) -> BTreeMap<String, Cost> {
    let mut costs: BTreeMap<String, Cost> = BTreeMap::new();
    let each = 1.0 / f64::from(count);
    for (block, more) in blocks.difference(1, 2) {
        let more = more as f64 * each;
        let symbol = symbols.at(block.address);
        let name = symbol.map_or("(user space)", |symbol| &symbol.name);
        let cost = costs.entry(name.to_string()).or_default();
        cost.instructions += more * block.instructions as f64;
        cost.accesses += more * accesses.within(&block) as f64;
        if symbol.is_some_and(|symbol| symbol.address == block.address) {
            cost.calls += more;
        }
    }
    costs
}

fn table(head: [&str; 4], rows: impl Iterator<Item = [String; 4]>) -> String {
    let mut builder = Builder::default();
    builder.push_record(head);
    rows.for_each(|row| builder.push_record(row));
    builder
        .build()
        .with(Style::markdown())
        .modify(Columns::new(..3), Alignment::right())
        .to_string()
}

fn print(costs: &BTreeMap<String, Cost>, top: usize) {
    let total: f64 = costs.values().map(|cost| cost.instructions).sum();
    let share = |part: f64| format!("{:.1} %", 100.0 * part / total);
    let mut order: Vec<_> = costs.iter().collect();
    order.sort_by(|one, other| other.1.instructions.total_cmp(&one.1.instructions));
    let rows = order.iter().take(top).map(|(name, cost)| {
        let instructions = format!("{:.1}", cost.instructions);
        let class = Class::of(name).name();
        [
            instructions,
            share(cost.instructions),
            format!("{:.2}", cost.calls),
            format!("{name}  ({class})"),
        ]
    });
    println!(
        "{}\n",
        table(["instructions", "share", "calls", "function"], rows)
    );
    let mut classes: BTreeMap<&str, Cost> = BTreeMap::new();
    for (name, cost) in costs {
        let sum = classes.entry(Class::of(name).name()).or_default();
        sum.instructions += cost.instructions;
        sum.calls += cost.calls;
    }
    let mut order: Vec<_> = classes.iter().collect();
    order.sort_by(|one, other| other.1.instructions.total_cmp(&one.1.instructions));
    let rows = order.iter().map(|(name, cost)| {
        let instructions = format!("{:.1}", cost.instructions);
        [
            instructions,
            share(cost.instructions),
            format!("{:.1}", cost.calls),
            name.to_string(),
        ]
    });
    println!(
        "{}\n",
        table(["instructions", "share", "calls", "class"], rows)
    );
    for (what, is) in classes::EVENTS {
        let calls = costs
            .iter()
            .filter(|(name, _)| is(name))
            .map(|(name, cost)| (name, cost.calls));
        event(what, calls);
    }
    let accesses = costs.iter().map(|(name, cost)| (name, cost.accesses));
    event("user accesses (stac)", accesses);
}

/// Prints how often something happens, and where.
fn event<'a>(what: &str, counts: impl Iterator<Item = (&'a String, f64)>) {
    let counted: Vec<_> = counts.filter(|(_, count)| *count >= 0.005).collect();
    let sum: f64 = counted.iter().map(|(_, count)| count).sum();
    let parts: Vec<_> = counted
        .iter()
        .map(|(name, count)| format!("{name} {count:.2}"))
        .collect();
    println!("{what}: {sum:.2} ({})", parts.join(", "));
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    let vmlinux = match (&args.vmlinux, &args.choice.image) {
        (Some(vmlinux), _) => vmlinux.clone(),
        (None, Some(_)) => bail!("--image needs --vmlinux too"),
        (None, None) => args.choice.vmlinux(paths)?,
    };
    let symbols = Symbols::read(&vmlinux)?;
    let accesses = Accesses::read(&vmlinux)?;
    let (blocks, count, cost) = measure(paths, &args, &symbols)?;
    let costs = by_function(&blocks, &symbols, &accesses, count);
    print(&costs, args.top);
    let total: f64 = costs.values().map(|cost| cost.instructions).sum();
    println!(
        "{} on {}: {total:.0} instructions counted, {cost:.0} by the clock",
        args.row,
        args.choice.name()
    );
    Ok(())
}
