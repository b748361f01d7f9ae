// SPDX-License-Identifier: GPL-2.0

//! The entry in the kernel's list of maintainers.

use anyhow::{bail, Context, Result};

use super::overlay::Content;

/// The list of maintainers, in the repository (our entry) as in the kernel (the whole list).
pub const PATH: &str = "MAINTAINERS";

/// The titles of entries, with their line numbers: lines that a field such as `S:` follows.
fn titles<'a>(lines: &'a [&'a str]) -> impl Iterator<Item = (usize, &'a str)> {
    let field = |line: &str| line.as_bytes().get(1) == Some(&b':');
    (0..lines.len().saturating_sub(1)).filter_map(move |i| {
        let line = lines[i];
        let title = !line.is_empty() && !field(line) && !line.starts_with(char::is_whitespace);
        (title && field(lines[i + 1])).then_some((i, line))
    })
}

/// Puts `entry` in front of the first entry whose title sorts after its own.
pub fn insert(all: Content, entry: &Content) -> Result<Content> {
    let text = std::str::from_utf8(&all.bytes).context("MAINTAINERS of the base is not UTF-8")?;
    let entry = std::str::from_utf8(&entry.bytes).context("MAINTAINERS is not UTF-8")?;
    let ours: Vec<&str> = entry.trim().lines().collect();
    if titles(&ours).map(|(at, _)| at).ne([0]) {
        bail!("MAINTAINERS: one entry, its title in the first line, is expected");
    }
    let lines: Vec<&str> = text.lines().collect();
    let at = titles(&lines)
        .find(|(_, title)| *title > ours[0])
        .map(|(at, _)| at)
        .context("no entry of the kernel's MAINTAINERS sorts after ours")?;
    let merged: Vec<&str> = lines[..at]
        .iter()
        .chain(&ours)
        .chain(&[""])
        .chain(&lines[at..])
        .copied()
        .collect();
    let bytes = format!("{}\n", merged.join("\n")).into_bytes();
    Ok(Content {
        bytes,
        executable: all.executable,
    })
}

/// The patterns of the `F:` lines of all entries but the one that covers everything.
pub fn patterns(text: &str) -> Vec<&str> {
    let listed = text
        .split_once("\nTHE REST\n")
        .map_or(text, |(listed, _)| listed);
    listed
        .lines()
        .filter_map(|line| line.strip_prefix("F:\t"))
        .collect()
}

/// Whether one of the patterns names `path`, by the rules of `MAINTAINERS` for `F:`.
pub fn covers(patterns: &[&str], path: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| match pattern.strip_suffix('/') {
            Some(_) if !pattern.contains('*') => path.starts_with(pattern),
            _ => glob::Pattern::new(pattern.trim_end_matches('/')).is_ok_and(|p| {
                let options = glob::MatchOptions {
                    require_literal_separator: true,
                    ..glob::MatchOptions::new()
                };
                p.matches_with(path, options)
            }),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &str =
        "List\n====\n\nABC\nS:\tX\nF:\ta/\n\nBCD\nS:\tX\nF:\tb/*.c\n\nTHE REST\nF:\t*\n";

    fn put(entry: &str) -> Result<String> {
        let content = |s: &str| Content {
            bytes: s.as_bytes().to_vec(),
            executable: false,
        };
        Ok(String::from_utf8(
            insert(content(ALL), &content(entry))?.bytes,
        )?)
    }

    #[test]
    fn the_entry_takes_its_alphabetical_place() {
        let all = put("ABD\nS:\tX\n").unwrap();
        assert!(all.contains("F:\ta/\n\nABD\nS:\tX\n\nBCD\n"), "{all}");
    }

    #[test]
    fn more_than_one_entry_is_refused() {
        assert!(put("ABD\nS:\tX\n\nABE\nS:\tX\n").is_err());
        assert!(put("S:\tX\n").is_err());
    }

    #[test]
    fn covers_by_folder_and_by_pattern() {
        let patterns = patterns(ALL);
        assert!(covers(&patterns, "a/deep/file.rs"));
        assert!(covers(&patterns, "b/x.c"));
        assert!(!covers(&patterns, "b/deep/x.c"));
        assert!(!covers(&patterns, "c/x.c"));
    }
}
