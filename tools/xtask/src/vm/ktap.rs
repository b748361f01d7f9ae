// SPDX-License-Identifier: GPL-2.0

//! Reads test results as they are printed: TAP 13 of the kselftests, KTAP of KUnit.
//!
//! A level is one list of results; levels nest by indentation. The line that ends a nested level
//! sums it up and counts only if it fails while none of the level's own results did.

use std::mem;

mod words;

use words::{parse, Word};

/// Lines kept before a result, to be shown if it fails.
const NOTES: usize = 40;

/// What came of one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
    /// With the reason.
    Skipped(String),
}

/// One result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The names from the outermost level in, joined by slashes.
    pub name: String,
    pub verdict: Verdict,
    /// What was printed between the previous result and this one.
    pub notes: Vec<String>,
}

#[derive(Default)]
struct Level {
    indent: usize,
    name: Option<String>,
    plan: Option<u64>,
    seen: u64,
    failed: u64,
}

/// A stream of results.
#[derive(Default)]
pub struct Parser {
    levels: Vec<Level>,
    notes: Vec<String>,
    found: Vec<Case>,
}

impl Parser {
    /// Takes a line; gives the results that it brings.
    pub fn line(&mut self, line: &str) -> Vec<Case> {
        let text = line.trim_start_matches(' ');
        let indent = line.len() - text.len();
        match parse(text) {
            Word::Version => self.open(indent),
            Word::Subtest(name) => self.named(indent, name),
            Word::Plan(count, skip) => self.plan(indent, count, skip),
            Word::Result { ok, name, skip } if self.knows(indent) => {
                self.result(indent, ok, name, skip);
            }
            _ => self.note(line),
        }
        mem::take(&mut self.found)
    }

    /// The stream is over: gives a failure for each test that was promised and did not come.
    pub fn finish(mut self) -> Vec<Case> {
        if self.levels.first().is_none_or(|top| top.plan.is_none()) {
            self.fail(
                "the plan",
                "no plan was printed: it ended before its first test",
            );
        }
        self.close_from(0);
        self.found
    }

    fn knows(&self, indent: usize) -> bool {
        self.levels.iter().any(|level| level.indent == indent)
    }

    fn note(&mut self, line: &str) {
        if self.notes.len() == NOTES {
            self.notes.remove(0);
        }
        self.notes.push(line.trim_end().to_string());
    }

    fn open(&mut self, indent: usize) {
        self.close_from(indent);
        self.levels.push(Level {
            indent,
            ..Level::default()
        });
    }

    /// The level at `indent`, opened if a header announced none.
    fn at(&mut self, indent: usize) -> &mut Level {
        self.close_from(indent + 1);
        if !self.knows(indent) {
            self.levels.push(Level {
                indent,
                ..Level::default()
            });
        }
        self.levels
            .last_mut()
            .expect("a level was just made sure of")
    }

    fn named(&mut self, indent: usize, name: &str) {
        let begun = |level: &Level| level.indent == indent && level.seen > 0;
        if self.levels.last().is_some_and(begun) {
            self.open(indent);
        }
        self.at(indent).name = Some(name.to_string());
    }

    fn plan(&mut self, indent: usize, count: u64, skip: Option<&str>) {
        self.at(indent).plan = Some(count);
        if count == 0 && skip.is_none() && self.levels.len() == 1 {
            self.fail("the plan", "it says that there is no test to run");
        }
        if let Some(reason) = skip {
            let name = self.path("all");
            let verdict = Verdict::Skipped(reason.to_string());
            self.found.push(Case {
                name,
                verdict,
                notes: Vec::new(),
            });
        }
    }

    fn result(&mut self, indent: usize, ok: bool, name: &str, skip: Option<&str>) {
        let (inner_seen, inner_failed) = self.close_from(indent + 1);
        let path = self.path(name);
        let notes = mem::take(&mut self.notes);
        let level = self.at(indent);
        level.seen += 1;
        level.failed += u64::from(!ok);
        let told_already = if ok { inner_seen > 0 } else { inner_failed > 0 };
        if told_already {
            return;
        }
        let verdict = match skip {
            Some(reason) => Verdict::Skipped(reason.to_string()),
            None if ok => Verdict::Passed,
            None => Verdict::Failed,
        };
        self.found.push(Case {
            name: path,
            verdict,
            notes,
        });
    }

    /// Ends every level that is indented by `indent` or more; gives how many results they had and
    /// how many of them failed.
    fn close_from(&mut self, indent: usize) -> (u64, u64) {
        let (mut seen, mut failed) = (0, 0);
        while self
            .levels
            .last()
            .is_some_and(|level| level.indent >= indent)
        {
            failed += self.missing();
            let level = self.levels.pop().expect("it was just looked at");
            seen += level.seen;
            failed += level.failed;
        }
        (seen, failed)
    }

    /// Reports what the innermost level promised and did not keep.
    fn missing(&mut self) -> u64 {
        let Some(level) = self.levels.last() else {
            return 0;
        };
        let Some(plan) = level.plan else { return 0 };
        let seen = level.seen;
        for number in seen + 1..=plan {
            self.fail(
                &format!("test {number} of {plan}"),
                "it was planned and gave no result",
            );
        }
        if seen > plan {
            self.fail(
                "the plan",
                &format!("it says {plan} tests, {seen} reported"),
            );
        }
        plan.abs_diff(seen)
    }

    fn fail(&mut self, name: &str, why: &str) {
        let mut notes = mem::take(&mut self.notes);
        notes.push(why.to_string());
        self.found.push(Case {
            name: self.path(name),
            verdict: Verdict::Failed,
            notes,
        });
    }

    fn path(&self, name: &str) -> String {
        let outer = self.levels.iter().filter_map(|level| level.name.as_deref());
        outer.chain([name]).collect::<Vec<_>>().join("/")
    }
}

#[cfg(test)]
mod tests;
