// SPDX-License-Identifier: GPL-2.0

//! `patches/messages/<slug>`: the commit message of a patch and, below `---`, what belongs to it.

use anyhow::{bail, Context, Result};

/// What `patches/messages/<slug>` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The commit message: subject, empty line, body, last newline.
    pub text: String,
    /// Globs of the overlay files that this patch adds.
    pub files: Vec<String>,
    /// How the patch is tested, for people.
    pub tests: Vec<String>,
    /// Lines of context in the patch, where the usual three do not land on every base.
    pub context: Option<u8>,
    /// What checkpatch shall not report on this patch: types, each with the reason.
    pub ignore: Vec<(String, String)>,
}

/// The line between the commit message and what is not part of it.
const CUT: &str = "\n---\n";

/// Starts of lines at which `git am` would end the message.
const BREAKS: [&str; 2] = ["diff -", "Index: "];

impl Message {
    /// The first line.
    pub fn subject(&self) -> &str {
        self.text.lines().next().unwrap_or("")
    }

    /// A commit message with nothing below it.
    pub fn plain(text: String) -> Self {
        Self {
            text,
            files: Vec::new(),
            tests: Vec::new(),
            context: None,
            ignore: Vec::new(),
        }
    }

    /// Reads the message of a patch.
    pub fn parse(raw: &str) -> Result<Self> {
        let (text, below) = raw
            .split_once(CUT)
            .context("no `---` line with `Files:` and `Test:` below it")?;
        let text = format!("{}\n", text.trim_end());
        check(&text)?;
        let mut message = Self::plain(text);
        for field in fields(below) {
            message.field(&field)?;
        }
        if message.tests.is_empty() {
            bail!("no `Test:` line that says how the patch is tested");
        }
        Ok(message)
    }

    fn field(&mut self, field: &str) -> Result<()> {
        match field.split_once(':') {
            Some(("Files", list)) => {
                self.files
                    .extend(list.split_whitespace().map(str::to_string));
            }
            Some(("Test", how)) => self.tests.push(how.trim().to_string()),
            Some(("Context", n)) => {
                self.context = Some(n.trim().parse().context("`Context:` wants a number")?);
            }
            Some(("Ignore", what)) => {
                let (kind, why) = what
                    .trim()
                    .split_once(' ')
                    .context("`Ignore:` wants a type of checkpatch and the reason")?;
                self.ignore.push((kind.to_string(), why.to_string()));
            }
            _ => bail!("`{field}` is none of `Files:`, `Test:`, `Context:`, `Ignore:`"),
        }
        Ok(())
    }
}

/// What a commit message must be for `git am` to give it back as it is.
fn check(text: &str) -> Result<()> {
    let mut lines = text.lines();
    let subject = lines.next().unwrap_or("");
    if subject.is_empty() || subject != subject.trim() || subject.starts_with('[') {
        bail!("the first line must be the subject, without spaces around it or `[` at its start");
    }
    if lines.next() != Some("") || lines.clone().next().is_none() {
        bail!("the subject must be followed by an empty line and a body");
    }
    for line in lines {
        if BREAKS.iter().any(|start| line.starts_with(start)) {
            bail!("`git am` would take the line `{line}` for the start of the diff");
        }
        if line.starts_with("Signed-off-by:") {
            bail!("the series carries no Signed-off-by; who submits it adds their own");
        }
        if line != line.trim_end() {
            bail!("spaces at the end of the line `{line}`");
        }
    }
    Ok(())
}

/// Lines that start with a space continue the line above.
fn fields(below: &str) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for line in below.lines().filter(|line| !line.trim().is_empty()) {
        match fields.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => fields.push(line.trim_end().to_string()),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_text_and_fields() {
        let raw = "rust: add x\n\nBody.\n\n---\nFiles: a b/*.rs\n  c\nTest: kunit x\nContext: 1\n\
                   Ignore: VOLATILE the test\n  means it\n";
        let message = Message::parse(raw).unwrap();
        assert_eq!(message.text, "rust: add x\n\nBody.\n");
        assert_eq!(message.subject(), "rust: add x");
        assert_eq!(message.files, ["a", "b/*.rs", "c"]);
        assert_eq!(message.tests, ["kunit x"]);
        assert_eq!(message.context, Some(1));
        assert_eq!(
            message.ignore,
            [("VOLATILE".to_string(), "the test means it".to_string())]
        );
    }

    #[test]
    fn refuses_what_git_am_would_change() {
        for (raw, expected) in [
            ("s\n\nb\n", "no `---`"),
            ("s\nb\n\n---\nTest: x\n", "empty line"),
            ("s\n\n---\nTest: x\n", "empty line and a body"),
            ("[x] s\n\nb\n\n---\nTest: x\n", "first line"),
            ("s\n\ndiff -u a b\n\n---\nTest: x\n", "start of the diff"),
            (
                "s\n\nb\nSigned-off-by: a\n\n---\nTest: x\n",
                "no Signed-off-by",
            ),
            ("s\n\nb\n\n---\nFiles: x\n", "no `Test:`"),
            ("s\n\nb\n\n---\nTests: x\n", "none of"),
            ("s\n\nb\n\n---\nTest: x\nIgnore: VOLATILE\n", "the reason"),
        ] {
            let said = format!("{:#}", Message::parse(raw).unwrap_err());
            assert!(said.contains(expected), "{raw:?}: {said}");
        }
    }
}
