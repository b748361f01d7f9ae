// SPDX-License-Identifier: GPL-2.0

//! The patch series: from the overlay to patches and back.
//!
//! `plan` reads what belongs to which patch, `stage` lands it on a tree, `commits` makes it commits
//! in the base repository, `patches` writes it out, `check` proves that it applies.

use anyhow::{Context, Result};

use crate::paths::Paths;

pub mod am;
pub mod check;
pub mod checkpatch;
pub mod checks;
mod commits;
mod debian;
mod edit;
pub mod extra;
#[cfg(test)]
mod fixture;
pub mod fold;
pub mod git;
mod maintainers;
mod message;
pub mod overlay;
pub mod patches;
pub mod plan;
mod scratch;
mod stage;

/// The series, landed on the base and committed there.
pub struct Built {
    patches: Vec<plan::Patch>,
    stages: Vec<stage::Stage>,
    /// The pristine tree.
    base: String,
    /// One for each patch; the last is the tip.
    commits: Vec<String>,
}

/// Makes the commits of the series from the overlay as it is in the working directory.
fn build(paths: &Paths) -> Result<Built> {
    commit(paths, plan::read(&paths.root)?.complete()?)
}

fn commit(paths: &Paths, patches: Vec<plan::Patch>) -> Result<Built> {
    let dir = paths.base();
    let base = commits::Base::open(&dir)?;
    let stages = stage::land(&patches, &commits::Cached::read(&base, &patches)?)?;
    let commits = commits::create(&base, &patches, &stages)?;
    Ok(Built {
        patches,
        stages,
        base: base.commit,
        commits,
    })
}

/// The commit in the base repository that is the base with the whole overlay applied, also with what
/// is in no patch yet.
pub fn tip(paths: &Paths) -> Result<String> {
    let plan = plan::read(&paths.root)?;
    if let Some(pending) = plan.pending() {
        eprintln!("  {pending}");
    }
    let patches = plan.with_orphans();
    commit(paths, patches)?
        .commits
        .pop()
        .context("the series is empty")
}

/// The files of the base that the series edits: path, text before, text after the last patch.
pub fn edited(paths: &Paths) -> Result<Vec<(String, String, String)>> {
    let patches = plan::read(&paths.root)?.with_orphans();
    let dir = paths.base();
    let base = commits::Cached::read(&commits::Base::open(&dir)?, &patches)?;
    let mut edited = Vec::new();
    let mut tree = stage::Stage::new();
    for stage in stage::land(&patches, &base)? {
        tree.extend(stage);
    }
    for (path, new) in tree {
        if let Some(old) = stage::Source::read(&base, &path)? {
            let text = |content: overlay::Content| String::from_utf8(content.bytes);
            edited.push((path, text(old)?, text(new)?));
        }
    }
    Ok(edited)
}
