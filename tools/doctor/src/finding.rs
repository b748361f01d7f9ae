// SPDX-License-Identifier: GPL-2.0

//! What the doctor has to say: one finding a line.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Good to know; nothing is wrong.
    Note,
    /// Something works less well than it could.
    Warning,
    /// Something does not work.
    Fault,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Fault => "FAULT",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at, one word; does not change with the language or the wording.
    pub check: String,
    pub level: Level,
    /// What was seen.
    pub what: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    fn new(check: &str, level: Level, what: impl Into<String>, advice: Option<String>) -> Self {
        Self {
            check: check.to_string(),
            level,
            what: what.into(),
            advice,
        }
    }

    pub fn ok(check: &str, what: impl Into<String>) -> Self {
        Self::new(check, Level::Ok, what, None)
    }

    pub fn note(check: &str, what: impl Into<String>) -> Self {
        Self::new(check, Level::Note, what, None)
    }

    /// Something to do something about.
    pub fn bad(
        check: &str,
        level: Level,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(check, level, what, Some(advice.into()))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<8} {:<11} {}",
            self.level.name(),
            self.check,
            self.what
        )?;
        match &self.advice {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line() {
        let finding = Finding::bad("mount", Level::Fault, "there is none", "mount it");
        assert_eq!(
            finding.to_string(),
            "FAULT    mount       there is none; mount it"
        );
    }

    #[test]
    fn advice_is_left_out_where_there_is_none() {
        let text = serde_json::to_string(&Finding::ok("mount", "fine")).unwrap();
        assert_eq!(text, r#"{"check":"mount","level":"ok","what":"fine"}"#);
        let back: Finding = serde_json::from_str(&text).unwrap();
        assert_eq!(back, Finding::ok("mount", "fine"));
    }
}
