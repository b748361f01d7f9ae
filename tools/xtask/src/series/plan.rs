// SPDX-License-Identifier: GPL-2.0

//! Which patch brings what: the series, its messages and the overlay, read and checked against
//! each other.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{bail, Context, Result};
use glob::{MatchOptions, Pattern};

use super::{
    edit::{self, Stanza},
    message::Message,
    overlay::{self, File},
};

/// One patch: its message, the files it adds and the edits it makes.
#[derive(Debug)]
pub struct Patch {
    pub slug: String,
    pub message: Message,
    pub files: Vec<File>,
    pub edits: Vec<Target>,
}

/// A stanza, the `.edit` file it is in, and the kernel file it edits.
#[derive(Debug)]
pub struct Target {
    pub path: String,
    pub kernel: String,
    pub stanza: Stanza,
}

/// The folder of the generated and the written parts of the series.
pub const PATCHES: &str = "patches";

/// Reads the order of the series: one slug a line, `#` starts a comment.
fn order(text: &str) -> Result<Vec<String>> {
    let mut slugs: Vec<String> = Vec::new();
    for line in text.lines() {
        let slug = line.trim();
        if slug.is_empty() || slug.starts_with('#') {
            continue;
        }
        if !slug
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            bail!("patches/series: `{slug}` is no slug (lower-case letters, digits and `-`)");
        }
        if slugs.iter().any(|other| other == slug) {
            bail!("patches/series: `{slug}` is there twice");
        }
        slugs.push(slug.to_string());
    }
    Ok(slugs)
}

/// The series as written down.
#[derive(Debug)]
pub struct Plan {
    patches: Vec<Patch>,
    /// Overlay files that no patch names.
    orphans: Vec<File>,
    /// Stanzas that name no patch of the series.
    stray: Vec<Target>,
    /// Messages that no line of the series names: patches that somebody forgot.
    unlisted: Vec<String>,
}

impl Plan {
    /// The patches, if every overlay file is in one of them.
    pub fn complete(self) -> Result<Vec<Patch>> {
        if !self.orphans.is_empty() {
            let some = self.orphans.iter().take(5).map(|file| file.path.as_str());
            let mut list = some.collect::<Vec<&str>>().join(", ");
            if self.orphans.len() > 5 {
                list.push_str(&format!(" and {} more", self.orphans.len() - 5));
            }
            bail!("in no patch: {list}; name each in a `Files:` line of one of patches/messages/");
        }
        if let Some(Target { path, stanza, .. }) = self.stray.first() {
            let (line, patch) = (stanza.line, &stanza.patch);
            bail!("{path} line {line}: no patch `{patch}` in patches/series");
        }
        if let Some(name) = self.unlisted.first() {
            bail!("patches/messages/{name} belongs to no patch of patches/series");
        }
        let empty = |patch: &&Patch| patch.files.is_empty() && patch.edits.is_empty();
        if let Some(patch) = self.patches.iter().find(empty) {
            bail!(
                "the patch `{}` changes nothing: no `Files:`, no stanza names it",
                patch.slug
            );
        }
        Ok(self.patches)
    }

    /// How much is in no patch yet, if anything.
    pub fn pending(&self) -> Option<String> {
        let (files, stanzas) = (self.orphans.len(), self.stray.len());
        let pending = format!("{files} files and {stanzas} stanzas are in no patch of the series");
        (files + stanzas > 0).then_some(pending)
    }

    /// The patches, and a last one of what is in none yet: for builds while files are being written.
    pub fn with_orphans(mut self) -> Vec<Patch> {
        let (files, edits) = (self.orphans, self.stray);
        if !files.is_empty() || !edits.is_empty() {
            let text = "Files that are in no patch yet\n\nNot part of the series.\n".to_string();
            let slug = "in-no-patch".to_string();
            self.patches.push(Patch {
                slug,
                message: Message::plain(text),
                files,
                edits,
            });
        }
        self.patches
    }
}

/// Reads everything the series is made from, and gives each file and stanza to its patch.
pub fn read(root: &Path) -> Result<Plan> {
    let dir = root.join(PATCHES);
    let mut patches = messages(root, &dir)?;
    let unlisted = unlisted(&dir, &patches)?;
    let (edits, files): (Vec<File>, Vec<File>) = overlay::list(root)?
        .into_iter()
        .partition(|file| file.path.ends_with(overlay::EDIT));
    let orphans = assign_files(&mut patches, files)?;
    let stray = assign_edits(&mut patches, edits)?;
    Ok(Plan {
        patches,
        orphans,
        stray,
        unlisted,
    })
}

/// Reads the message of each patch in the series, in order.
fn messages(root: &Path, dir: &Path) -> Result<Vec<Patch>> {
    let series = fs::read_to_string(dir.join("series")).context("cannot read patches/series")?;
    let mut patches = Vec::new();
    for slug in order(&series)? {
        let name = format!("patches/messages/{slug}");
        let raw = fs::read_to_string(root.join(&name))
            .with_context(|| format!("cannot read {name}, the message of a patch in the series"))?;
        let message = Message::parse(&raw).context(name)?;
        patches.push(Patch {
            slug,
            message,
            files: Vec::new(),
            edits: Vec::new(),
        });
    }
    Ok(patches)
}

fn unlisted(dir: &Path, patches: &[Patch]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir.join("messages")).context("cannot read patches/messages")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let known = name == "cover-letter" || patches.iter().any(|patch| patch.slug == name);
        if !known && !name.starts_with('.') && !name.ends_with('~') {
            names.push(name);
        }
    }
    Ok(names)
}

/// One glob of a `Files:` line: the index of its patch, and whether any file matched.
struct Glob {
    patch: usize,
    pattern: Pattern,
    used: bool,
}

fn globs(patches: &[Patch]) -> Result<Vec<Glob>> {
    let mut globs = Vec::new();
    for (index, patch) in patches.iter().enumerate() {
        for glob in &patch.message.files {
            let pattern = Pattern::new(glob)
                .with_context(|| format!("`{glob}` in patches/messages/{}", patch.slug))?;
            globs.push(Glob {
                patch: index,
                pattern,
                used: false,
            });
        }
    }
    Ok(globs)
}

/// Gives each new file to the one patch whose `Files:` name it; the result is what no patch names.
fn assign_files(patches: &mut [Patch], files: Vec<File>) -> Result<Vec<File>> {
    let options = MatchOptions {
        require_literal_separator: true,
        ..MatchOptions::new()
    };
    let mut globs = globs(patches)?;
    let mut orphans = Vec::new();
    for file in files {
        let mut owners = BTreeSet::new();
        for glob in &mut globs {
            if glob.pattern.matches_with(&file.path, options) {
                glob.used = true;
                owners.insert(glob.patch);
            }
        }
        let owners: Vec<usize> = owners.into_iter().collect();
        match owners[..] {
            [one] => patches[one].files.push(file),
            [] => orphans.push(file),
            [a, b, ..] => {
                let (a, b) = (&patches[a].slug, &patches[b].slug);
                bail!(
                    "{} is in two patches, `{a}` and `{b}`; a file is in one",
                    file.path
                );
            }
        }
    }
    if let Some(glob) = globs.iter().find(|glob| !glob.used) {
        let slug = &patches[glob.patch].slug;
        bail!(
            "patches/messages/{slug}: no file matches `{}`",
            glob.pattern
        );
    }
    Ok(orphans)
}

/// Gives each stanza to the patch it names, in the order of the file; the result is those that name
/// no patch of the series.
fn assign_edits(patches: &mut [Patch], files: Vec<File>) -> Result<Vec<Target>> {
    let mut stray = Vec::new();
    for file in files {
        let text = String::from_utf8(file.content.bytes)
            .with_context(|| format!("{} is not UTF-8", file.path))?;
        let edit = edit::parse(&text).with_context(|| file.path.clone())?;
        for stanza in edit.stanzas {
            let kernel = edit.file.clone().unwrap_or_else(|| file.kernel.clone());
            let owner = patches.iter_mut().find(|patch| patch.slug == stanza.patch);
            let target = Target {
                path: file.path.clone(),
                kernel,
                stanza,
            };
            owner
                .map_or(&mut stray, |patch| &mut patch.edits)
                .push(target);
        }
    }
    Ok(stray)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixture::Fixture;

    fn complete(fixture: &Fixture) -> Result<Vec<Patch>> {
        read(fixture.root())?.complete()
    }

    fn error(fixture: &Fixture) -> String {
        format!("{:#}", complete(fixture).unwrap_err())
    }

    #[test]
    fn reads_the_series_in_order() {
        let patches = complete(&Fixture::new()).unwrap();
        let slugs: Vec<&str> = patches.iter().map(|p| p.slug.as_str()).collect();
        assert_eq!(slugs, ["one", "two"]);
        assert_eq!(patches[0].files[0].path, "rust/new.rs");
        assert_eq!(patches[1].edits[0].kernel, "rust/old.rs");
    }

    #[test]
    fn a_file_in_no_patch_is_named() {
        let fixture = Fixture::new();
        fixture.write("drivers/stray.rs", "x\n");
        assert!(error(&fixture).contains("in no patch: drivers/stray.rs"));
        let patches = read(fixture.root()).unwrap().with_orphans();
        assert_eq!(patches[2].files[0].path, "drivers/stray.rs");
    }

    #[test]
    fn a_file_in_two_patches_is_named() {
        let fixture = Fixture::new();
        fixture.message("two", "rust/*.rs");
        assert!(error(&fixture).contains("rust/new.rs is in two patches, `one` and `two`"));
    }

    #[test]
    fn what_points_nowhere_is_an_error() {
        let fixture = Fixture::new();
        fixture.message("two", "rust/gone.rs");
        assert!(error(&fixture).contains("no file matches `rust/gone.rs`"));
        let fixture = Fixture::new();
        fixture.write("rust/old.rs.edit", "patch   three\nafter   b\nadd     c\n");
        assert!(error(&fixture).contains("rust/old.rs.edit line 1: no patch `three`"));
        let fixture = Fixture::new();
        fixture.message("three", "");
        assert!(error(&fixture).contains("messages/three belongs to no patch"));
    }

    #[test]
    fn a_patch_that_changes_nothing_is_an_error() {
        let fixture = Fixture::new();
        fixture.write("patches/series", "one\ntwo\nthree\n");
        fixture.message("three", "");
        assert!(error(&fixture).contains("`three` changes nothing"));
    }
}
