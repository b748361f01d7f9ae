// SPDX-License-Identifier: GPL-2.0

//! Versions of tools, read from what the tools print about themselves.

use std::{fmt, path::Path, process::Command};

use anyhow::{bail, Context, Result};

use crate::run;

/// The first three numbers of a version; what is missing is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// Finds the first word in `text` that looks like a version: `bindgen 0.72.1` gives 0.72.1.
    pub fn find(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(Self::parse)
    }

    /// Reads `1.96.0`, `1.96`, `22.1.8-1`; the word must begin with a digit and hold a dot.
    pub fn parse(word: &str) -> Option<Self> {
        if !word.contains('.') {
            return None;
        }
        let mut numbers = word.split(|c: char| !c.is_ascii_digit());
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next()?.parse().ok()?;
        let patch = numbers.next().and_then(|n| n.parse().ok()).unwrap_or(0);
        Some(Self(major, minor, patch))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// The first line of what `program --version` prints.
pub fn banner(program: &Path) -> Result<String> {
    let text = run::output(Command::new(program).arg("--version"))?;
    let line = text.lines().next().context("no version was printed")?;
    Ok(line.trim().to_string())
}

/// What is wrong with the compiler that prints `banner`, if anything.
pub fn check_clang(banner: &str) -> Result<Version> {
    at_least("clang", banner, Version(17, 0, 1))
}

/// As above, for rustc.
pub fn check_rustc(banner: &str) -> Result<Version> {
    at_least("rustc", banner, Version(1, 85, 0))
}

/// As above, for bindgen: two releases lay out bit-fields wrongly.
pub fn check_bindgen(banner: &str) -> Result<Version> {
    let version = at_least("bindgen", banner, Version(0, 71, 1))?;
    if version == Version(0, 73, 0) || version == Version(0, 73, 1) {
        bail!("bindgen {version} lays out bit-fields wrongly; use 0.72.1 or a later fix");
    }
    Ok(version)
}

fn at_least(tool: &str, banner: &str, least: Version) -> Result<Version> {
    let Some(version) = Version::find(banner) else {
        bail!("cannot tell the version of {tool} from `{banner}`");
    };
    if version < least {
        bail!("{tool} {version} is too old; at least {least} is needed (run `make setup`)");
    }
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(result: Result<Version>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn reads_what_tools_print() {
        let rustc = "rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)";
        assert_eq!(check_rustc(rustc).unwrap(), Version(1, 96, 0));
        let clang = "Debian clang version 22.1.8 (1~deb12u1)";
        assert_eq!(check_clang(clang).unwrap(), Version(22, 1, 8));
        assert_eq!(check_bindgen("bindgen 0.71.1").unwrap(), Version(0, 71, 1));
        assert_eq!(Version::parse("7.3-rc1"), Some(Version(7, 3, 0)));
    }

    #[test]
    fn refuses_old_tools() {
        assert_eq!(
            message(check_rustc("rustc 1.84.1 (e71f9a9a9 2025-01-27)")),
            "rustc 1.84.1 is too old; at least 1.85.0 is needed (run `make setup`)"
        );
        assert!(message(check_clang("clang version 16.0.6")).contains("clang 16.0.6 is too old"));
        assert!(message(check_bindgen("bindgen 0.60.1")).contains("bindgen 0.60.1 is too old"));
    }

    #[test]
    fn refuses_bindgen_known_to_be_broken() {
        for bad in ["bindgen 0.73.0", "bindgen 0.73.1"] {
            assert!(message(check_bindgen(bad)).contains("bit-fields"), "{bad}");
        }
        assert!(check_bindgen("bindgen 0.73.2").is_ok());
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        assert!(message(check_rustc("error: no default toolchain")).contains("cannot tell"));
    }
}
