// SPDX-License-Identifier: GPL-2.0

//! Applies the series to a user's tree on a new branch.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{bail, Context, Result};

use super::{check, git};
use crate::{paths::Paths, run};

/// Apply patches/*.patch to a kernel tree of yours, on a new branch; what is checked out there stays
/// as it is unless everything applies.
#[derive(clap::Args)]
pub struct Args {
    /// The kernel's git repository
    #[arg(long, value_name = "PATH")]
    kdir: PathBuf,
    /// The branch to make, from what is checked out
    #[arg(long, value_name = "NAME", default_value = "binder_safe")]
    branch: String,
    /// Say what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Git in the user's tree: with their configuration, their name and their hooks.
fn theirs(kdir: &Path) -> Command {
    let mut cmd = Command::new("git");
    git::plain(&mut cmd).arg("-C").arg(kdir);
    cmd
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    let Args {
        kdir,
        branch,
        dry_run,
    } = args;
    let patches = check::files(paths)?;
    let head = ready(&kdir, &branch)?;
    let (count, tree) = (patches.len(), kdir.display());
    if dry_run {
        println!("would make branch {branch} in {tree} at {head} and apply {count} patches:");
        for path in &patches {
            println!("  git am {}", path.display());
        }
        return Ok(());
    }
    run::output(theirs(&kdir).args(["checkout", "--quiet", "-b", &branch]))?;
    if let Err(err) = apply(paths, &kdir, &patches) {
        undo(&kdir, &branch, &head)?;
        return Err(err.context(format!("branch {branch} was not made in {tree}")));
    }
    println!("{count} patches applied to {tree}, on branch {branch}");
    Ok(())
}

/// Checks that the tree can take the patches; the result is what is checked out there, by name if
/// it has one.
fn ready(kdir: &Path, branch: &str) -> Result<String> {
    let tree = kdir.display();
    if !kdir.join("Kbuild").exists() || !kdir.join("MAINTAINERS").exists() {
        bail!("{tree} is not a kernel tree");
    }
    run::output(theirs(kdir).args(["rev-parse", "--git-dir"]))
        .with_context(|| format!("{tree} is not a git repository"))?;
    let dirty = run::output(theirs(kdir).args(["status", "--porcelain", "--untracked-files=no"]))?;
    if let Some(line) = dirty.lines().next() {
        bail!(
            "{tree} has changes that are not committed, say `{}`; commit or stash them",
            line.trim()
        );
    }
    let exists = format!("refs/heads/{branch}");
    if run::output(theirs(kdir).args(["rev-parse", "--verify", "--quiet", &exists])).is_ok() {
        bail!("branch {branch} exists in {tree}; give another one with --branch");
    }
    run::output(theirs(kdir).args(["var", "GIT_COMMITTER_IDENT"])).with_context(|| {
        format!("git does not know your name in {tree}; set user.name and .email")
    })?;
    let name = run::output(theirs(kdir).args(["symbolic-ref", "--short", "--quiet", "HEAD"]));
    name.or_else(|_| run::output(theirs(kdir).args(["rev-parse", "HEAD"])))
}

fn apply(paths: &Paths, kdir: &Path, patches: &[PathBuf]) -> Result<()> {
    let log = paths.log("am")?;
    let out = theirs(kdir)
        .arg("am")
        .args(patches)
        .output()
        .context("cannot run git")?;
    let text = [out.stdout, out.stderr].concat();
    fs::write(&log, &text).with_context(|| format!("cannot write {}", log.display()))?;
    if !out.status.success() {
        bail!(
            "{}; log: {}",
            git::why_not_applied(&String::from_utf8_lossy(&text)),
            log.display()
        );
    }
    Ok(())
}

/// Puts the tree back where it was.
fn undo(kdir: &Path, branch: &str, head: &str) -> Result<()> {
    // There is nothing to abort if git am refused to start.
    let _ = run::output(theirs(kdir).args(["am", "--abort"]));
    run::output(theirs(kdir).args(["checkout", "--quiet", head]))?;
    run::output(theirs(kdir).args(["branch", "-D", "--quiet", branch]))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::{fixture::Fixture, patches};

    /// A fixture with its patches written, and a clone of its base that belongs to a user.
    fn clone() -> (Fixture, PathBuf) {
        let fixture = Fixture::new();
        let paths = fixture.paths();
        let built = crate::series::build(&paths).unwrap();
        for (name, text) in patches::generate(&paths, &built).unwrap() {
            fixture.write(
                &format!("patches/{name}"),
                &String::from_utf8(text).unwrap(),
            );
        }
        let kdir = fixture.root().join("mine");
        run::output(
            git::git(fixture.root())
                .args(["clone", "-q"])
                .arg(paths.base())
                .arg(&kdir),
        )
        .unwrap();
        for (key, value) in [("user.name", "Ann"), ("user.email", "ann@localhost")] {
            run::output(git::git(&kdir).args(["config", key, value])).unwrap();
        }
        (fixture, kdir)
    }

    fn am(fixture: &Fixture, kdir: &Path, dry_run: bool) -> Result<()> {
        let (kdir, branch) = (kdir.to_path_buf(), "try".to_string());
        run(
            &fixture.paths(),
            Args {
                kdir,
                branch,
                dry_run,
            },
        )
    }

    fn branches(kdir: &Path) -> String {
        run::output(git::git(kdir).args(["branch", "--format=%(refname:short)"])).unwrap()
    }

    #[test]
    fn applies_on_a_new_branch_and_not_twice() {
        let (fixture, kdir) = clone();
        am(&fixture, &kdir, true).unwrap();
        assert_eq!(branches(&kdir), "base");
        am(&fixture, &kdir, false).unwrap();
        assert_eq!(
            fs::read_to_string(kdir.join("rust/old.rs")).unwrap(),
            "a\nb\nc\n"
        );
        let said = format!("{:#}", am(&fixture, &kdir, false).unwrap_err());
        assert!(said.contains("branch try exists"), "{said}");
    }

    #[test]
    fn a_dirty_tree_is_refused() {
        let (fixture, kdir) = clone();
        fs::write(kdir.join("rust/old.rs"), "mine\n").unwrap();
        let said = format!("{:#}", am(&fixture, &kdir, false).unwrap_err());
        assert!(said.contains("not committed"), "{said}");
    }

    #[test]
    fn a_tree_that_does_not_fit_is_left_as_it_was() {
        let (fixture, kdir) = clone();
        fs::write(kdir.join("rust/old.rs"), "other\n").unwrap();
        run::output(git::git(&kdir).args(["commit", "-qam", "other"])).unwrap();
        let said = format!("{:#}", am(&fixture, &kdir, false).unwrap_err());
        assert!(said.contains("area: add two"), "{said}");
        assert_eq!(branches(&kdir), "base");
        assert!(!kdir.join("rust/new.rs").exists());
    }
}
