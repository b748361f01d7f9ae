// SPDX-License-Identifier: GPL-2.0

//! The tree that a kernel is built from.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::{
    paths::Paths,
    run,
    series::{self, git::git},
};

/// A checked-out tree, and the commit that says what is in it.
pub struct Source {
    pub path: PathBuf,
    pub commit: String,
}

impl Source {
    /// The state of all Kconfig files: a change in them asks for a new `.config`.
    pub fn menus(&self) -> Result<String> {
        let files = ["ls-files", "--stage", "--", "Kconfig*", "*/Kconfig*"];
        Ok(digest(&run::output(git(&self.path).args(files))?))
    }
}

/// A short name for a long text.
fn digest(text: &str) -> String {
    Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The base as it is.
pub fn base(paths: &Paths) -> Result<Source> {
    let path = paths.base();
    let commit = head(&path).context("the base tree is broken; remove it and run `make setup`")?;
    Ok(Source { path, commit })
}

/// The base with the overlay as it is now. Only files that differ are written, so that only they
/// and what depends on them are built again.
pub fn with_series(paths: &Paths) -> Result<Source> {
    at(paths, &paths.tree(), &series::tip(paths)?)
}

/// The same with `patches/extra` on top, in a folder of its own.
pub fn with_extra(paths: &Paths) -> Result<Source> {
    at(paths, &paths.tree_of("extra"), &series::extra::tip(paths)?)
}

/// The tree of `commit`, in the folder `path`.
fn at(paths: &Paths, path: &Path, commit: &str) -> Result<Source> {
    match head(path) {
        Ok(had) if had == commit => {}
        Ok(_) => checkout(paths, path, commit)?,
        Err(_) => create(paths, path, commit)?,
    }
    Ok(Source {
        path: path.to_path_buf(),
        commit: commit.to_string(),
    })
}

fn head(tree: &Path) -> Result<String> {
    run::output(git(tree).args(["rev-parse", "--verify", "HEAD"]))
}

fn checkout(paths: &Paths, tree: &Path, commit: &str) -> Result<()> {
    let mut git = git(tree);
    // A cache that was copied has other inodes. Else git would write every file anew, and all of the
    // kernel would be built again.
    git.args([
        "-c",
        "core.checkStat=minimal",
        "-c",
        "core.trustctime=false",
    ])
    // The tree belongs to this tool; whatever was written into it by hand goes.
    .args(["checkout", "--force", "--detach", commit]);
    run::logged(
        "Applying the series",
        None,
        &paths.log("checkout")?,
        &mut git,
    )
}

/// A worktree of the base repository, which has the objects already.
fn create(paths: &Paths, tree: &Path, commit: &str) -> Result<()> {
    let base = paths.base();
    if tree.exists() {
        fs::remove_dir_all(tree).with_context(|| format!("cannot remove {}", tree.display()))?;
    }
    run::output(git(&base).args(["worktree", "prune"]))?;
    let mut git = git(&base);
    git.args(["worktree", "add", "--force", "--detach"])
        .arg(tree)
        .arg(commit);
    run::logged(
        "Checking out the patched tree",
        None,
        &paths.log("checkout")?,
        &mut git,
    )
}
