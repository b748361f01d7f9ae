// SPDX-License-Identifier: GPL-2.0

//! The part of the README that says which tests another driver fails.

use std::{fs, path::Path};

use anyhow::{bail, Context, Result};

use crate::{items, report::Tally, Driver};

/// Replaces the section about `driver` in the README.
pub fn write(root: &Path, driver: Driver, tally: Tally, failed: &[String]) -> Result<()> {
    let path = root.join("README.md");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut rows = String::new();
    for name in failed {
        let held = items::of_test(root, name)?;
        let what: Vec<String> = held
            .iter()
            .map(|item| format!("{} {}", item.number, item.text))
            .collect();
        rows.push_str(&format!("| `{name}` | {} |\n", what.join("<br>")));
    }
    let section = format!(
        "\nOf {} tests, {} fail on this driver, {} pass, and {} cannot be run on it.\n\n\
         <details><summary>Those that fail, and what they hold</summary>\n\n\
         | Test | Items |\n|---|---|\n{rows}\n</details>\n\n",
        tally.passed + tally.failed + tally.skipped,
        tally.failed,
        tally.passed,
        tally.skipped,
    );
    fs::write(&path, replace(&text, &marker(driver), &section)?)
        .with_context(|| format!("cannot write {}", path.display()))
}

fn marker(driver: Driver) -> String {
    format!("selftests on {driver:?}").to_lowercase()
}

/// Puts `section` between the comments `begin` and `end` of `marker`.
fn replace(text: &str, marker: &str, section: &str) -> Result<String> {
    let (begin, end) = (
        format!("<!-- begin {marker} -->\n"),
        format!("<!-- end {marker} -->"),
    );
    let Some((before, rest)) = text.split_once(&begin) else {
        bail!("the README has no line {}", begin.trim());
    };
    let Some((_, after)) = rest.split_once(&end) else {
        bail!("the README has no line {end}");
    };
    Ok(format!("{before}{begin}{section}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_section_changes() {
        let marker = marker(Driver::Rust);
        let text = "a\n<!-- begin selftests on rust -->\nold\n<!-- end selftests on rust -->\nb\n";
        let new = replace(text, &marker, "new\n").unwrap();
        assert_eq!(
            new,
            "a\n<!-- begin selftests on rust -->\nnew\n<!-- end selftests on rust -->\nb\n"
        );
        assert!(replace("a\n", &marker, "").is_err());
    }
}
