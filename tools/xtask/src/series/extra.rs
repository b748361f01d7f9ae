// SPDX-License-Identifier: GPL-2.0

//! The patches in `patches/extra`, which are not part of the series: they make another driver use
//! what the series adds to the kernel crate, and so show that it is of use to others.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{bail, Context, Result};

use super::{git, scratch::Scratch};
use crate::{paths::Paths, run};

/// Where the commit is kept in the base repository.
const REF: &str = "refs/binder-safe/extra";

/// The commit in the base repository that is the series as it is now, with these patches on top.
pub fn tip(paths: &Paths) -> Result<String> {
    let series = super::tip(paths)?;
    let patches = files(&paths.root)?;
    let scratch = Scratch::base(paths, "extra", &series, &touched(&patches)?)?;
    scratch.am(&patches)?;
    let base = paths.base();
    let mut fetch = git::git(&base);
    fetch.args(["fetch", "--quiet", "--no-tags"]);
    run::output(fetch.arg(scratch.dir()).arg(format!("+HEAD:{REF}")))?;
    run::output(git::git(&base).args(["rev-parse", "--verify", REF]))
}

/// The patches, in the order of their names.
fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let dir = root.join("patches/extra");
    let entries = fs::read_dir(&dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let mut files = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|ext| ext == "patch"));
    files.sort();
    if files.is_empty() {
        bail!("there is no patch in {}", dir.display());
    }
    Ok(files)
}

/// The files that the patches change, add or remove.
fn touched(patches: &[PathBuf]) -> Result<Vec<String>> {
    let mut paths = BTreeSet::new();
    for patch in patches {
        let text = fs::read_to_string(patch)
            .with_context(|| format!("cannot read {}", patch.display()))?;
        let names = text.lines().filter_map(|line| {
            line.strip_prefix("--- a/")
                .or_else(|| line.strip_prefix("+++ b/"))
        });
        paths.extend(names.map(str::to_string));
    }
    Ok(paths.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixture::Fixture;

    const PATCH: &str = "From: Ann <ann@localhost>\nDate: Thu, 1 Jan 2026 00:00:00 +0000\n\
        Subject: [PATCH] old: end in d\n\n---\n rust/old.rs | 2 +-\n\n\
        diff --git a/rust/old.rs b/rust/old.rs\n--- a/rust/old.rs\n+++ b/rust/old.rs\n\
        @@ -1,3 +1,3 @@\n a\n b\n-c\n+d\n";

    #[test]
    fn goes_on_top_of_the_series() {
        let fixture = Fixture::new();
        fixture.write("patches/extra/0001-old.patch", PATCH);
        let commit = tip(&fixture.paths()).unwrap();
        let show = format!("{commit}:rust/old.rs");
        let text = run::output(git::git(&fixture.paths().base()).args(["show", &show])).unwrap();
        assert_eq!(text, "a\nb\nd");
        assert_eq!(tip(&fixture.paths()).unwrap(), commit);
    }

    #[test]
    fn a_patch_that_does_not_fit_is_named() {
        let fixture = Fixture::new();
        fixture.write("patches/extra/0001-old.patch", &PATCH.replace("-c", "-x"));
        let said = format!("{:#}", tip(&fixture.paths()).unwrap_err());
        assert!(said.contains("old: end in d"), "{said}");
    }
}
