// SPDX-License-Identifier: GPL-2.0

//! Checks that report as they go: one line each, and a count at the end.

use anyhow::Result;

use crate::report::Tally;

/// The checks so far.
#[derive(Default)]
pub struct Checks {
    pub tally: Tally,
}

impl Checks {
    /// Reports one check; `what` is what holds if it passes.
    pub fn item(&mut self, what: &str, result: Result<()>) {
        match &result {
            Ok(()) => println!("  ok      {what}"),
            Err(err) => println!(
                "  FAILED  {what}\n          {}",
                indent(&format!("{err:#}"))
            ),
        }
        self.tally += Tally::one(result.is_ok());
    }

    /// Reports a check that cannot be made here, and why.
    pub fn skip(&mut self, what: &str, why: &str) {
        println!("  skipped {what}: {why}");
        self.tally.skipped += 1;
    }

    /// The last line of a command whose exit code is its verdict.
    pub fn verdict(self) -> Result<()> {
        self.tally.verdict()?;
        println!("{}", self.tally);
        Ok(())
    }
}

fn indent(text: &str) -> String {
    text.trim_end().replace('\n', "\n          ")
}
