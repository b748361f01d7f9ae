// SPDX-License-Identifier: GPL-2.0

//! What each patch changes in a given kernel tree: whole files, edits carried out.

use std::collections::BTreeMap;

use anyhow::{bail, Context, Result};

use super::{maintainers, overlay::Content, plan::Patch};

/// A kernel tree that the series goes on top of.
pub trait Source {
    /// A file of the tree, or `None` if it has none of this name.
    fn read(&self, path: &str) -> Result<Option<Content>>;
}

/// The files as one patch leaves them, by kernel path.
pub type Stage = BTreeMap<String, Content>;

/// The kernel files that the series changes rather than adds.
pub fn edited(patches: &[Patch]) -> Vec<String> {
    let mut paths: Vec<String> = patches
        .iter()
        .flat_map(|patch| &patch.edits)
        .map(|target| target.kernel.clone())
        .chain([maintainers::PATH.to_string()])
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

/// Lands the series on `base`: one stage for each patch.
pub fn land(patches: &[Patch], base: &dyn Source) -> Result<Vec<Stage>> {
    let mut tree = Tree {
        base,
        changed: BTreeMap::new(),
    };
    patches
        .iter()
        .map(|patch| {
            tree.stage(patch)
                .with_context(|| format!("patch `{}`", patch.slug))
        })
        .collect()
}

/// The base with the patches so far.
struct Tree<'a> {
    base: &'a dyn Source,
    changed: BTreeMap<String, Content>,
}

impl Tree<'_> {
    fn read(&self, path: &str) -> Result<Option<Content>> {
        match self.changed.get(path) {
            Some(content) => Ok(Some(content.clone())),
            None => self.base.read(path),
        }
    }

    fn stage(&mut self, patch: &Patch) -> Result<Stage> {
        let mut stage = Stage::new();
        for file in &patch.files {
            let content = match (file.kernel.as_str(), self.read(&file.kernel)?) {
                (maintainers::PATH, Some(all)) => maintainers::insert(all, &file.content)?,
                (_, None) => file.content.clone(),
                (path, Some(_)) => {
                    bail!("{path} exists in the base; change it by stanzas in {path}.edit")
                }
            };
            self.put(&mut stage, &file.kernel, content);
        }
        for target in &patch.edits {
            let place = || format!("{} line {}", target.path, target.stanza.line);
            let old = self
                .read(&target.kernel)?
                .with_context(|| format!("{}: no file {}", place(), target.kernel))?;
            let text = String::from_utf8(old.bytes).with_context(place)?;
            let bytes = target.stanza.apply(&text).with_context(place)?.into_bytes();
            let content = Content {
                bytes,
                executable: old.executable,
            };
            self.put(&mut stage, &target.kernel, content);
        }
        Ok(stage)
    }

    fn put(&mut self, stage: &mut Stage, path: &str, content: Content) {
        self.changed.insert(path.to_string(), content.clone());
        stage.insert(path.to_string(), content);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::{fixture::Fixture, plan};

    struct Fake(&'static str, &'static str);

    impl Source for Fake {
        fn read(&self, path: &str) -> Result<Option<Content>> {
            let bytes = self.1.as_bytes().to_vec();
            Ok((path == self.0).then_some(Content {
                bytes,
                executable: false,
            }))
        }
    }

    fn land_on(fixture: &Fixture, base: Fake) -> Result<Vec<Stage>> {
        land(&plan::read(fixture.root())?.complete()?, &base)
    }

    #[test]
    fn a_later_patch_may_anchor_on_an_earlier_one() {
        let fixture = Fixture::new();
        fixture.write(
            "rust/old.rs.edit",
            "patch   two\nafter   new\nadd     z\n\npatch   one\nafter   b\nadd     new\n",
        );
        let stages = land_on(&fixture, Fake("rust/old.rs", "a\nb\n")).unwrap();
        assert_eq!(stages[0]["rust/old.rs"].bytes, b"a\nb\nnew\n");
        assert_eq!(stages[1]["rust/old.rs"].bytes, b"a\nb\nnew\nz\n");
    }

    #[test]
    fn a_whole_file_does_not_replace_one_of_the_base() {
        let said = format!(
            "{:#}",
            land_on(&Fixture::new(), Fake("rust/new.rs", "")).unwrap_err()
        );
        assert!(said.contains("exists in the base"), "{said}");
    }

    #[test]
    fn an_edit_of_nothing_says_where() {
        let said = format!("{:#}", land_on(&Fixture::new(), Fake("x", "")).unwrap_err());
        assert!(
            said.contains("rust/old.rs.edit line 1: no file rust/old.rs"),
            "{said}"
        );
    }
}
