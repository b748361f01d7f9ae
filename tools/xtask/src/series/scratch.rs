// SPDX-License-Identifier: GPL-2.0

//! Throw-away repositories in the cache, in which patches are applied for a trial.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{bail, Context, Result};

use super::{
    git,
    overlay::{self, Content},
};
use crate::{interrupt, paths::Paths, run};

/// A repository that is gone when this is dropped or interrupted; what a killed run left goes with
/// the next one.
pub struct Scratch {
    dir: interrupt::Scratch,
    log: PathBuf,
}

impl Scratch {
    fn new(paths: &Paths, name: &str) -> Result<Self> {
        let all = paths.cache.join("scratch");
        fs::create_dir_all(&all).with_context(|| format!("cannot create {}", all.display()))?;
        sweep(&all)?;
        let dir = all.join(format!("{name}-{}", std::process::id()));
        let dir = interrupt::Scratch::new(dir);
        Ok(Self {
            dir,
            log: paths.log(&format!("git-am-{name}"))?,
        })
    }

    /// The base at `commit`, with all its index, and of its files only `files` and their folders.
    pub fn base(paths: &Paths, name: &str, commit: &str, files: &[String]) -> Result<Self> {
        let scratch = Self::new(paths, name)?;
        let mut clone = git::git(&paths.cache);
        clone.args(["clone", "--quiet", "--shared", "--no-checkout"]);
        run::output(clone.arg(paths.base()).arg(scratch.dir()))?;
        let patterns: String = files.iter().map(|path| format!("/{path}\n")).collect();
        let mut sparse = git::git(scratch.dir());
        sparse.args(["sparse-checkout", "set", "--no-cone", "--stdin"]);
        git::feed(&mut sparse, patterns.into_bytes())?;
        run::output(git::git(scratch.dir()).args(["checkout", "--quiet", "--detach", commit]))?;
        Ok(scratch)
    }

    /// A repository of one commit that holds `files`.
    pub fn of<'a>(
        paths: &Paths,
        name: &str,
        files: impl Iterator<Item = (&'a str, &'a Content)>,
    ) -> Result<Self> {
        let scratch = Self::new(paths, name)?;
        fs::create_dir(scratch.dir()).context("cannot create a scratch repository")?;
        for (path, content) in files {
            overlay::write(&scratch.dir().join(path), content)?;
        }
        for args in [
            &["init", "--quiet"][..],
            &["add", "."],
            &["commit", "--quiet", "-m", "As it comes"],
        ] {
            run::output(git::git(scratch.dir()).args(args))?;
        }
        Ok(scratch)
    }

    /// The folder of the repository.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// `git am patches…`, as a user would type it.
    pub fn am(&self, patches: &[PathBuf]) -> Result<()> {
        let out = git::git(self.dir.path())
            .arg("am")
            .args(patches)
            .output()
            .context("cannot run git")?;
        let text = [out.stdout, out.stderr].concat();
        fs::write(&self.log, &text)?;
        if !out.status.success() {
            let why = git::why_not_applied(&String::from_utf8_lossy(&text));
            bail!("{why}; log: {}", self.log.display());
        }
        Ok(())
    }
}

/// Removes what processes left that are no more; names end in the process id.
fn sweep(all: &Path) -> Result<()> {
    for entry in fs::read_dir(all)? {
        let path = entry?.path();
        let pid = path
            .to_string_lossy()
            .rsplit_once('-')
            .map(|(_, pid)| pid.to_string());
        if pid.is_none_or(|pid| !Path::new("/proc").join(pid).exists()) {
            fs::remove_dir_all(&path)
                .with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}
