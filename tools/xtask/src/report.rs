// SPDX-License-Identifier: GPL-2.0

//! Counting test results.

use std::{fmt, ops::AddAssign};

/// How many tests passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// What did what it should.
    pub passed: u64,
    /// What did not.
    pub failed: u64,
    /// What could not be tried here.
    pub skipped: u64,
}

impl Tally {
    /// The tally of one test.
    pub fn one(ok: bool) -> Self {
        Self {
            passed: ok.into(),
            failed: (!ok).into(),
            skipped: 0,
        }
    }

    /// An error if anything failed: for commands whose exit code is their verdict.
    pub fn verdict(self) -> anyhow::Result<()> {
        if self.failed > 0 {
            anyhow::bail!("{self}");
        }
        Ok(())
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_prints() {
        let mut all = Tally::one(true);
        all += Tally {
            passed: 2,
            failed: 1,
            skipped: 0,
        };
        assert_eq!(all.to_string(), "3 passed, 1 failed");
        all.skipped = 4;
        assert_eq!(all.to_string(), "3 passed, 1 failed, 4 skipped");
    }

    #[test]
    fn a_failure_is_an_error() {
        assert!(Tally::one(true).verdict().is_ok());
        assert!(Tally::one(false).verdict().is_err());
    }
}
