// SPDX-License-Identifier: GPL-2.0

//! The series as commits in the base repository.

use std::{collections::BTreeSet, path::Path};

use anyhow::{bail, Context, Result};

use super::{
    git::{self, DATE, EMAIL, NAME},
    overlay::Content,
    plan::Patch,
    stage::{self, Source, Stage},
};
use crate::run;

/// The branch of the base repository that holds the pristine tree.
const BASE: &str = "refs/heads/base";
/// Keeps the commits of the series from being collected.
const TIP: &str = "refs/binder-safe/tip";

/// A tree, most often the pristine one, read from its repository.
pub struct Base<'a> {
    dir: &'a Path,
    /// The commit that holds the tree.
    pub commit: String,
}

impl<'a> Base<'a> {
    /// Finds the base in `dir`.
    pub fn open(dir: &'a Path) -> Result<Self> {
        let missing = || format!("no base tree in {}; run `make setup`", dir.display());
        if !dir.join(".git").exists() {
            bail!("{}", missing());
        }
        let commit = run::output(git::git(dir).args(["rev-parse", "--verify", "--quiet", BASE]))
            .with_context(missing)?;
        Ok(Self { dir, commit })
    }

    /// Any other commit, of any repository.
    pub fn at(dir: &'a Path, commit: String) -> Self {
        Self { dir, commit }
    }
}

impl Source for Base<'_> {
    fn read(&self, path: &str) -> Result<Option<Content>> {
        let found = run::output(git::git(self.dir).args(["ls-tree", &self.commit, "--", path]))?;
        let mut words = found.split_whitespace();
        let (Some(mode), Some("blob"), Some(id)) = (words.next(), words.next(), words.next())
        else {
            return Ok(None);
        };
        let bytes = git::bytes(git::git(self.dir).args(["cat-file", "blob", id]))?;
        Ok(Some(Content {
            bytes,
            executable: mode == "100755",
        }))
    }
}

/// The files of the base that this series might change, read once.
pub struct Cached {
    existing: std::collections::BTreeMap<String, Content>,
}

impl Cached {
    /// Reads what `patches` touch from `base`.
    pub fn read(base: &Base<'_>, patches: &[Patch]) -> Result<Self> {
        let mut existing = std::collections::BTreeMap::new();
        for path in touched(base, patches)? {
            if let Some(content) = base.read(&path)? {
                existing.insert(path, content);
            }
        }
        Ok(Self { existing })
    }
}

impl Source for Cached {
    fn read(&self, path: &str) -> Result<Option<Content>> {
        Ok(self.existing.get(path).cloned())
    }
}

/// Which of the paths that the series names exist in the base: one git process for all of them.
fn touched(base: &Base<'_>, patches: &[Patch]) -> Result<BTreeSet<String>> {
    let mut paths: BTreeSet<String> = stage::edited(patches).into_iter().collect();
    paths.extend(
        patches
            .iter()
            .flat_map(|p| &p.files)
            .map(|file| file.kernel.clone()),
    );
    let mut cmd = git::git(base.dir);
    cmd.args(["ls-tree", "-z", "--name-only", &base.commit, "--"])
        .args(&paths);
    let found = String::from_utf8(git::bytes(&mut cmd)?)?;
    Ok(found.split_terminator('\0').map(str::to_string).collect())
}

/// Commits the stages on top of `base`; the result is one commit id for each patch.
///
/// The ids depend on the base and the overlay alone.
pub fn create(base: &Base<'_>, patches: &[Patch], stages: &[Stage]) -> Result<Vec<String>> {
    // Of this process alone: another one may be at the same work.
    let scratch = format!("refs/binder-safe/new-{}", std::process::id());
    let mut input = Vec::new();
    for (index, (patch, stage)) in patches.iter().zip(stages).enumerate() {
        let from = (index == 0).then_some(base.commit.as_str());
        commit(&mut input, &scratch, index + 1, from, patch, stage);
    }
    let mut import = git::git(base.dir);
    import.args(["fast-import", "--quiet", "--force", "--date-format=raw"]);
    let ids = String::from_utf8(git::feed(&mut import, input)?)?;
    let ids: Vec<String> = ids.lines().map(str::to_string).collect();
    let tip = ids.last().context("the series is empty")?;
    let refs = format!("update {TIP} {tip}\ndelete {scratch}\n");
    git::feed(
        git::git(base.dir).args(["update-ref", "--stdin"]),
        refs.into_bytes(),
    )?;
    Ok(ids)
}

/// Writes one commit in the language of `git fast-import`, and the question for its id.
fn commit(
    out: &mut Vec<u8>,
    branch: &str,
    mark: usize,
    from: Option<&str>,
    patch: &Patch,
    stage: &Stage,
) {
    let message = &patch.message.text;
    let head = format!(
        "commit {branch}\nmark :{mark}\nauthor {NAME} <{EMAIL}> {DATE}\n\
         committer {NAME} <{EMAIL}> {DATE}\ndata {}\n{message}",
        message.len()
    );
    out.extend(head.bytes());
    if let Some(id) = from {
        out.extend(format!("from {id}\n").bytes());
    }
    for (path, content) in stage {
        let mode = if content.executable {
            "100755"
        } else {
            "100644"
        };
        let bytes = &content.bytes;
        out.extend(format!("M {mode} inline {path}\ndata {}\n", bytes.len()).bytes());
        out.extend(bytes);
        out.push(b'\n');
    }
    out.extend(format!("\nget-mark :{mark}\n").bytes());
}
