// SPDX-License-Identifier: GPL-2.0

//! The base tree: a Linux 7.3.y in its mainline form, as a git repository with one commit.

use std::{env, fs, path::Path, process::Command};

use anyhow::{bail, Context, Result};

use super::{
    debian, mainline,
    release::{Base, Release},
    space,
};
use crate::{
    interrupt::Scratch,
    paths::Paths,
    run::{self, Progress},
};

const KERNEL_ORG: &str = "https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git";
/// The commit has a fixed author and date, so that the same tree is the same commit everywhere.
const WHO: &str = "binder_safe";
const WHEN: &str = "2026-01-01T00:00:00Z";

/// Makes the base tree, unless it is there.
pub fn ensure(paths: &Paths) -> Result<()> {
    let base = Base::read(&paths.root)?;
    let origin = origin(paths)?;
    if is_current(paths, &origin) {
        return Ok(());
    }
    space::need(&paths.cache, space::BASE, "the base tree")?;
    let made = make(paths, &base, &origin)?;
    notice(&made, &base, &tree_id(&paths.base())?);
    Ok(())
}

/// What the base is made from; it is made again when this changes.
fn origin(paths: &Paths) -> Result<String> {
    let Some(kdir) = &paths.kdir else { return Ok("download".to_string()) };
    Release::of_tree(kdir)?.check().with_context(|| format!("KDIR={}", kdir.display()))?;
    let head = git(kdir).args(["rev-parse", "HEAD"]).output();
    let commit = match head {
        Ok(out) if out.status.success() => String::from_utf8_lossy(&out.stdout).trim().to_string(),
        _ => "no repository".to_string(),
    };
    Ok(format!("{} {commit}", kdir.display()))
}

/// The base appears in one step and complete, so it is enough that it is there.
fn is_current(paths: &Paths, origin: &str) -> bool {
    let base = paths.base();
    base.join(".git").is_dir()
        && (paths.kdir.is_none()
            || fs::read_to_string(base.join(".git/origin")).is_ok_and(|text| text == origin))
}

/// Gets a tree, restores its mainline form and commits it, all beside its final place.
fn make(paths: &Paths, base: &Base, origin: &str) -> Result<Release> {
    let target = paths.base();
    let scratch = Scratch::new(target.with_extension("tmp"));
    let tree = scratch.path();
    match &paths.kdir {
        Some(kdir) => copy(paths, kdir, tree)?,
        None => download(paths, base, tree)?,
    }
    let release = Release::of_tree(tree)?;
    release.check()?;
    let changed = mainline::restore(tree)?;
    eprintln!("  Linux {release}: {changed} files brought back into their mainline form");
    commit(paths, tree, &release)?;
    fs::write(tree.join(".git/origin"), origin)?;
    if target.exists() {
        fs::remove_dir_all(&target)
            .with_context(|| format!("cannot replace {}", target.display()))?;
    }
    scratch.keep_as(&target)?;
    Ok(release)
}

/// Debian first: its packages are signed and it is near; then kernel.org.
fn download(paths: &Paths, base: &Base, tree: &Path) -> Result<()> {
    let Err(debian) = debian::fetch(paths, base, tree) else { return Ok(()) };
    eprintln!("  note: {debian:#}");
    let tree = Scratch::new(tree.to_path_buf());
    let Err(kernel_org) = clone(paths, base, tree.path()) else {
        // The caller's own guard looks after the tree from here on.
        std::mem::forget(tree);
        return Ok(());
    };
    bail!("no base tree: {debian:#}; {kernel_org:#}; KDIR=/path/to/linux uses a tree of your own")
}

/// The tagged release from kernel.org, without its history.
fn clone(paths: &Paths, base: &Base, tree: &Path) -> Result<()> {
    let url = env::var("BINDER_SAFE_KERNEL_GIT").unwrap_or_else(|_| KERNEL_ORG.to_string());
    let tag = format!("v{}", base.version);
    let mut git = Command::new("git");
    // A server that stops sending must not hang the command.
    git.args(["-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=30"]);
    git.args(["-c", "advice.detachedHead=false", "clone", "--depth=1", "--branch", &tag]);
    git.arg(&url).arg(tree).env("GIT_TERMINAL_PROMPT", "0");
    let title = format!("Fetching {tag} from {url}");
    run::logged(&title, None, &paths.log("clone")?, &mut git)?;
    fs::remove_dir_all(tree.join(".git")).context("cannot drop the clone's repository")
}

/// A copy of what the user's tree has committed; of the whole tree where it is no repository.
fn copy(paths: &Paths, kdir: &Path, tree: &Path) -> Result<()> {
    fs::create_dir_all(tree)?;
    let script = if kdir.join(".git").exists() {
        "set -o pipefail; git -C \"$1\" archive HEAD | tar xv -C \"$2\""
    } else if kdir.join(".config").exists() {
        bail!("KDIR={} holds a build and no repository; run `make mrproper` there", kdir.display())
    } else {
        "cp -av \"$1\"/. \"$2\""
    };
    let mut bash = Command::new("bash");
    bash.args(["-c", script, "bash"]).arg(kdir).arg(tree);
    run::logged("Copying your tree", None, &paths.log("copy")?, &mut bash)
}

fn commit(paths: &Paths, tree: &Path, release: &Release) -> Result<()> {
    let mut progress = Progress::start("Committing the base", None);
    let log = paths.log("commit")?;
    let message = format!("Linux {release}");
    let steps: &[&[&str]] = &[
        &["init", "-q"],
        &["config", "gc.auto", "0"],
        // Debian ships a `.gitignore` that ignores the whole tree.
        &["add", "-A", "-f"],
        &["commit", "-q", "--no-verify", "--no-gpg-sign", "-m", &message],
    ];
    for step in steps {
        progress.tick(step[0]);
        let out = fs::File::create(&log)?;
        let mut child = run::spawn(git(tree).args(*step).stdout(out.try_clone()?).stderr(out))?;
        if !run::wait(&mut child)?.success() {
            let why = run::reason(&format!("\n{}", fs::read_to_string(&log).unwrap_or_default()));
            bail!("git {} failed: {why}; log: {}", step[0], log.display());
        }
    }
    progress.finish();
    Ok(())
}

/// Git without the user's settings, which may change line ends or sign commits.
fn git(dir: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(dir);
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for role in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{role}_NAME"), WHO)
            .env(format!("GIT_{role}_EMAIL"), format!("{WHO}@localhost"))
            .env(format!("GIT_{role}_DATE"), WHEN);
    }
    git
}

/// The git tree of the base, which tells whether two bases are the same to the byte.
fn tree_id(base: &Path) -> Result<String> {
    run::output(git(base).args(["rev-parse", "HEAD^{tree}"]))
}

fn notice(made: &Release, base: &Base, tree: &str) {
    if made.to_string() != base.version {
        eprintln!("  note: this is {made}; the series was last checked on {}", base.version);
    } else if base.tree.as_deref().is_some_and(|known| known != tree) {
        eprintln!("  note: this {made} is not the very tree that the series was last checked on");
    }
}
