// SPDX-License-Identifier: GPL-2.0

//! Counts results by group and prints what people want to see of them.

use std::{fmt::Write, time::Instant};

use super::{
    ktap::{Case, Verdict},
    End, Outcome,
};
use crate::report::Tally;

/// Results so far.
pub struct Results {
    verbose: bool,
    all: Tally,
    group: Tally,
    since: Instant,
}

impl Results {
    /// No results yet. If `verbose`, tests that pass are printed too.
    pub fn new(verbose: bool) -> Self {
        Self {
            verbose,
            all: Tally::default(),
            group: Tally::default(),
            since: Instant::now(),
        }
    }

    /// A group starts now, not when the one before it ended.
    pub fn start(&mut self) {
        self.since = Instant::now();
    }

    /// Counts a result, and prints it now if it failed.
    pub fn case(&mut self, case: &Case) {
        match &case.verdict {
            Verdict::Passed => self.group.passed += 1,
            Verdict::Failed => self.group.failed += 1,
            Verdict::Skipped(_) => self.group.skipped += 1,
        }
        match &case.verdict {
            Verdict::Failed => println!("{}", failure(case)),
            Verdict::Passed if self.verbose => println!("    ok      {}", case.name),
            Verdict::Skipped(why) if self.verbose => println!("    skipped {}: {why}", case.name),
            _ => {}
        }
    }

    /// A program is done: prints its line. An end that is not `fine` is a failure of its own,
    /// unless a result has said so already.
    pub fn end(&mut self, name: &str, end: &End, fine: bool) {
        if !fine {
            self.group.failed += 1;
            println!("    FAILED  {name}: {end}");
        }
        self.group(name);
    }

    /// Whether a result of the group is a failure.
    pub fn has_failed(&self) -> bool {
        self.group.failed > 0
    }

    /// Prints the line of a group and starts the next.
    pub fn group(&mut self, name: &str) {
        let seconds = self.since.elapsed().as_secs_f64();
        println!("  {name:<28} {} in {seconds:.1} s", self.group);
        self.all += self.group;
        self.group = Tally::default();
        self.since = Instant::now();
    }

    /// Counts and prints what was wrong with the VM itself.
    pub fn outcome(&mut self, outcome: &Outcome) {
        for problem in &outcome.problems {
            println!("    FAILED  {problem}");
            self.all.failed += 1;
        }
        if !outcome.problems.is_empty() {
            println!("            see {}", outcome.log.display());
        }
    }

    /// Everything counted so far.
    pub fn tally(&self) -> Tally {
        self.all
    }
}

fn failure(case: &Case) -> String {
    let mut text = format!("    FAILED  {}", case.name);
    for note in &case.notes {
        let _ = write!(text, "\n            {note}");
    }
    text
}
