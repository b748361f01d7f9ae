// SPDX-License-Identifier: GPL-2.0

//! Edits of existing kernel files: stanzas that add lines at one exact anchor line.
//!
//! The first word of a line is its verb; the text starts at the ninth column, or after one tab, and
//! is taken as it stands, so that added lines keep their own tabs and spaces:
//!
//! ```text
//! patch   rust-fs-file-operations
//! after   #include "err.c"
//! add     #include "file_operations.c"
//! ```

use anyhow::{bail, Context, Result};

/// The column at which the text of a line starts.
const TEXT: usize = 8;

/// Where the added lines go, seen from the anchor line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    After,
    Before,
    Replace,
}

/// Lines to add at one place, and the patch that adds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stanza {
    pub patch: String,
    pub place: Place,
    pub anchor: String,
    pub add: Vec<String>,
    /// The line of the `.edit` file at which the stanza starts.
    pub line: usize,
}

/// One `.edit` file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// The kernel file, where the path of the `.edit` file does not say it.
    pub file: Option<String>,
    pub stanzas: Vec<Stanza>,
}

/// Splits a line into its verb and its text.
fn split(line: &str) -> Result<(&str, &str)> {
    let end = line.find([' ', '\t']).unwrap_or(line.len());
    let (verb, rest) = line.split_at(end);
    if rest.trim().is_empty() {
        return Ok((verb, ""));
    }
    if let Some(text) = rest.strip_prefix('\t') {
        return Ok((verb, text));
    }
    match rest.split_at_checked(TEXT.saturating_sub(end)) {
        Some((gap, text)) if !gap.is_empty() && gap.chars().all(|c| c == ' ') => Ok((verb, text)),
        _ => bail!("the text after `{verb}` must start at column 9 or after one tab"),
    }
}

/// A stanza under construction: the anchor comes after the slug.
struct Open {
    patch: String,
    anchor: Option<(Place, String)>,
    add: Vec<String>,
    line: usize,
}

impl Open {
    fn anchor(&mut self, place: Place, text: &str) -> Result<()> {
        if self.anchor.is_some() {
            bail!("a stanza has one anchor; start another with `patch`");
        }
        if text.trim().is_empty() {
            bail!("the anchor is an empty line");
        }
        self.anchor = Some((place, text.to_string()));
        Ok(())
    }

    fn add(&mut self, text: &str) -> Result<()> {
        if self.anchor.is_none() {
            bail!("`add` comes after `after`, `before` or `replace`");
        }
        self.add.push(text.to_string());
        Ok(())
    }

    fn close(self) -> Result<Stanza> {
        let Self {
            patch,
            anchor,
            add,
            line,
        } = self;
        let (place, anchor) = anchor
            .with_context(|| format!("line {line}: no `after`, `before` or `replace` here"))?;
        if add.is_empty() {
            bail!("line {line}: nothing to `add` in this stanza");
        }
        Ok(Stanza {
            patch,
            place,
            anchor,
            add,
            line,
        })
    }
}

/// Reads an `.edit` file.
pub fn parse(text: &str) -> Result<Edit> {
    let mut edit = Edit::default();
    let mut open: Option<Open> = None;
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        parse_line(&mut edit, &mut open, number, line).with_context(|| format!("line {number}"))?;
    }
    if let Some(last) = open.take() {
        edit.stanzas.push(last.close()?);
    }
    if edit.stanzas.is_empty() {
        bail!("no stanza in it");
    }
    Ok(edit)
}

fn parse_line(edit: &mut Edit, open: &mut Option<Open>, number: usize, line: &str) -> Result<()> {
    let (verb, text) = split(line)?;
    match (verb, open.as_mut()) {
        ("file", None) if edit.file.is_none() => edit.file = Some(text.to_string()),
        ("patch", _) => {
            if let Some(last) = open.take() {
                edit.stanzas.push(last.close()?);
            }
            let patch = text.trim().to_string();
            *open = Some(Open {
                patch,
                anchor: None,
                add: Vec::new(),
                line: number,
            });
        }
        ("after", Some(stanza)) => stanza.anchor(Place::After, text)?,
        ("before", Some(stanza)) => stanza.anchor(Place::Before, text)?,
        ("replace", Some(stanza)) => stanza.anchor(Place::Replace, text)?,
        ("add", Some(stanza)) => stanza.add(text)?,
        ("after" | "before" | "replace" | "add", None) => bail!("a stanza starts with `patch`"),
        _ => bail!("`{verb}` is none of patch, after, before, replace, add (or one `file` on top)"),
    }
    Ok(())
}

impl Stanza {
    /// Gives `text` with this stanza applied.
    pub fn apply(&self, text: &str) -> Result<String> {
        let lines: Vec<&str> = text.lines().collect();
        let at: Vec<usize> = (0..lines.len())
            .filter(|&i| lines[i] == self.anchor)
            .collect();
        let [at] = at[..] else {
            bail!("{}", self.misfit(&lines, &at));
        };
        let add = self.add.iter().map(String::as_str);
        let mut out: Vec<&str> = Vec::with_capacity(lines.len() + self.add.len());
        out.extend(&lines[..at + usize::from(self.place == Place::After)]);
        out.extend(add);
        out.extend(&lines[at + usize::from(self.place != Place::Before)..]);
        let mut out = out.join("\n");
        out.push('\n');
        Ok(out)
    }

    /// Why the anchor does not name one line, and which lines come nearest.
    fn misfit(&self, lines: &[&str], at: &[usize]) -> String {
        let anchor = &self.anchor;
        if !at.is_empty() {
            let at: Vec<String> = at.iter().map(|i| (i + 1).to_string()).collect();
            return format!(
                "the anchor `{anchor}` occurs more than once, in lines {}",
                at.join(", ")
            );
        }
        let mut near: Vec<(f64, usize)> = (0..lines.len())
            .filter(|&i| !lines[i].trim().is_empty())
            .map(|i| (strsim::normalized_levenshtein(anchor, lines[i]), i))
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        let near: Vec<String> = near
            .iter()
            .take(3)
            .map(|&(_, i)| format!("line {} `{}`", i + 1, lines[i]))
            .collect();
        format!(
            "no line is exactly `{anchor}`; nearest: {}",
            near.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "# Why.\npatch   one\nafter   b\nadd     \tx\nadd\nadd\t  y\n\npatch   two\nbefore  \tx\nadd     z\n";

    fn apply(edit: &str, text: &str) -> Result<String> {
        let mut text = text.to_string();
        for stanza in parse(edit)?.stanzas {
            text = stanza.apply(&text)?;
        }
        Ok(text)
    }

    fn error(edit: &str, text: &str) -> String {
        format!("{:#}", apply(edit, text).unwrap_err())
    }

    #[test]
    fn added_lines_keep_tabs_spaces_and_emptiness() {
        assert_eq!(apply(TWO, "a\nb\nc\n").unwrap(), "a\nb\nz\n\tx\n\n  y\nc\n");
    }

    #[test]
    fn replaces_one_line() {
        let edit = "patch   p\nreplace b\nadd     B\n";
        assert_eq!(apply(edit, "a\nb\nc\n").unwrap(), "a\nB\nc\n");
    }

    #[test]
    fn the_kernel_path_can_be_named() {
        let edit = parse("file    a/b/Makefile\n\npatch   p\nafter   x\nadd     y\n").unwrap();
        assert_eq!(edit.file.as_deref(), Some("a/b/Makefile"));
    }

    #[test]
    fn an_unknown_anchor_shows_the_nearest_lines() {
        let said = error(
            "patch   p\nafter   pub mod tasks;\nadd     x\n",
            "mod a;\npub mod task;\n",
        );
        assert!(said.contains("nearest: line 2 `pub mod task;`"), "{said}");
    }

    #[test]
    fn an_ambiguous_anchor_is_refused() {
        let said = error("patch   p\nafter   x\nadd     y\n", "x\na\nx\n");
        assert!(said.contains("lines 1, 3"), "{said}");
    }

    #[test]
    fn malformed_stanzas_are_refused() {
        for (edit, expected) in [
            ("after   x\nadd     y\n", "starts with `patch`"),
            ("patch   p\nadd     y\n", "comes after"),
            ("patch   p\nafter   x\n", "nothing to `add`"),
            ("patch   p\nafter   x\nbefore  y\n", "one anchor"),
            ("patch   p\nafter x\nadd     y\n", "column 9"),
            ("patch   p\ndelete  x\n", "none of"),
            ("patch   p\nafter\nadd     y\n", "empty line"),
            ("", "no stanza"),
        ] {
            let said = format!("{:#}", parse(edit).unwrap_err());
            assert!(said.contains(expected), "{edit:?}: {said}");
        }
    }
}
