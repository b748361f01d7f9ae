// SPDX-License-Identifier: GPL-2.0

//! The base tree: a Linux 7.3.y in its mainline form, as a git repository with one commit.

use std::{env, fs, path::Path, process::Command};

use anyhow::{anyhow, bail, Context, Result};

use super::{
    debian, mainline,
    release::{Base, Release},
    space,
};
use crate::{
    interrupt::Scratch,
    paths::Paths,
    run,
    series::git::{git, plain, DATE},
};

pub const DEBIAN: &str = "http://deb.debian.org/debian";
const KERNEL_ORG: &str = "https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git";

/// The servers that have kernel sources.
pub struct Servers {
    pub debian: String,
    kernel_org: String,
}

impl Servers {
    /// Those of the distributions, or mirrors that the user names.
    pub fn from_env() -> Self {
        let choose = |name, usual: &str| env::var(name).unwrap_or_else(|_| usual.to_string());
        Self {
            debian: choose("BINDER_SAFE_DEBIAN", DEBIAN),
            kernel_org: choose("BINDER_SAFE_KERNEL_ORG", KERNEL_ORG),
        }
    }
}

/// Makes the base tree, unless it is there.
pub fn ensure(paths: &Paths, servers: &Servers) -> Result<()> {
    let base = Base::read(&paths.root)?;
    let origin = origin(paths)?;
    if is_current(paths, &origin) {
        return Ok(());
    }
    let made = make(paths, &base, &origin, servers)?;
    notice(&made, &base, &tree_id(&paths.base())?);
    Ok(())
}

/// What the base is made from; it is made again when this changes.
fn origin(paths: &Paths) -> Result<String> {
    let Some(kdir) = &paths.kdir else {
        return Ok("download".to_string());
    };
    Release::of_tree(kdir)?
        .check()
        .with_context(|| format!("KDIR={}", kdir.display()))?;
    let head = plain(&mut Command::new("git"))
        .arg("-C")
        .arg(kdir)
        .args(["rev-parse", "HEAD"])
        .output();
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
fn make(paths: &Paths, base: &Base, origin: &str, servers: &Servers) -> Result<Release> {
    let target = paths.base();
    let scratch = Scratch::new(target.with_extension("tmp"));
    let tree = scratch.path();
    match &paths.kdir {
        Some(kdir) => copy(paths, kdir, tree)?,
        None => download(paths, base, servers, tree)?,
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
fn download(paths: &Paths, base: &Base, servers: &Servers, tree: &Path) -> Result<()> {
    let debian = match debian::fetch(paths, base, &servers.debian) {
        Ok(deb) => {
            space::need(&paths.cache, space::BASE, "the base tree")?;
            return debian::unpack(paths, &deb, tree);
        }
        Err(error) => error,
    };
    eprintln!("  note: {debian:#}");
    clone(paths, base, &servers.kernel_org, tree).map_err(|kernel_org| {
        anyhow!(
            "no kernel sources: {debian:#}; {kernel_org:#}; KDIR=/path/to/linux uses a tree of \
             your own"
        )
    })
}

/// The tagged release from kernel.org, without its history.
fn clone(paths: &Paths, base: &Base, url: &str, tree: &Path) -> Result<()> {
    let tag = format!("v{}", base.version);
    let mut git = Command::new("git");
    // A server that stops sending must not hang the command.
    git.args([
        "-c",
        "http.lowSpeedLimit=1000",
        "-c",
        "http.lowSpeedTime=30",
    ]);
    git.args([
        "-c",
        "advice.detachedHead=false",
        "clone",
        "--depth=1",
        "--branch",
        &tag,
    ]);
    git.arg(url).arg(tree).env("GIT_TERMINAL_PROMPT", "0");
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
        bail!(
            "KDIR={} holds a build and no repository; run `make mrproper` there",
            kdir.display()
        )
    } else {
        "cp -av \"$1\"/. \"$2\""
    };
    let mut bash = Command::new("bash");
    bash.args(["-c", script, "bash"]).arg(kdir).arg(tree);
    run::logged("Copying your tree", None, &paths.log("copy")?, &mut bash)
}

/// Options for `git add` alone: one pack, half the size of 95 thousand object files and quicker to
/// read. Left on, they would make `git diff` take every file for a binary one.
const ONE_PACK: [&str; 4] = ["-c", "core.bigFileThreshold=1", "-c", "core.compression=1"];

fn commit(paths: &Paths, tree: &Path, release: &Release) -> Result<()> {
    let log = paths.log("commit")?;
    let step = |title: &str, git: &mut Command| run::logged(title, None, &log, git);
    step(
        "Making a repository",
        git(tree).args(["init", "-q", "-b", "base"]),
    )?;
    run::output(git(tree).args(["config", "gc.auto", "0"]))?;
    let mut add = git(tree);
    // Debian ships a `.gitignore` that ignores the whole tree.
    add.args(ONE_PACK).args(["add", "-A", "-f"]);
    step("Adding the base to it", &mut add)?;
    let mut commit = git(tree);
    // Author and date are fixed, so that the same tree is the same commit everywhere.
    commit.env("GIT_AUTHOR_DATE", DATE);
    commit.args(["commit", "-q", "--no-verify", "--no-gpg-sign", "-m"]);
    step(
        "Committing the base",
        commit.arg(format!("Linux {release}")),
    )
}

/// The git tree of the base, which tells whether two bases are the same to the byte.
fn tree_id(base: &Path) -> Result<String> {
    run::output(git(base).args(["rev-parse", "HEAD^{tree}"]))
}

fn notice(made: &Release, base: &Base, tree: &str) {
    if made.to_string() != base.version {
        eprintln!(
            "  note: this is {made}; the series was last checked on {}",
            base.version
        );
    } else if base.tree.as_deref().is_some_and(|known| known != tree) {
        eprintln!("  note: this {made} is not the very tree that the series was last checked on");
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// An empty cache, and a checkout that has `patches/BASE` and nothing else.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let dir = env::temp_dir().join(format!("xtask-base-{name}-{}", std::process::id()));
            fs::create_dir_all(dir.join("patches")).unwrap();
            fs::write(dir.join("patches/BASE"), "version 7.3.4\n").unwrap();
            Self(dir)
        }

        fn paths(&self, kdir: Option<PathBuf>) -> Paths {
            Paths {
                root: self.0.clone(),
                cache: self.0.join("cache"),
                kdir,
            }
        }

        /// A tree that says that it is the given release and holds nothing else.
        fn kernel(&self, version: u32, patchlevel: u32) -> PathBuf {
            let dir = self.0.join("linux");
            fs::create_dir_all(&dir).unwrap();
            let head = format!("VERSION = {version}\nPATCHLEVEL = {patchlevel}\nSUBLEVEL = 4\n");
            fs::write(dir.join("Makefile"), head).unwrap();
            dir
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn nowhere() -> Servers {
        // Nothing listens on the port for discarding.
        let server = "http://127.0.0.1:9/none".to_string();
        Servers {
            debian: server.clone(),
            kernel_org: server,
        }
    }

    #[test]
    fn without_a_network_one_line_says_so() {
        let place = Place::new("offline");
        let paths = place.paths(None);
        let error = format!("{:#}", ensure(&paths, &nowhere()).unwrap_err());
        assert!(
            error.starts_with("no kernel sources: Looking for linux-source-7.3"),
            "{error}"
        );
        assert_eq!(error.matches("failed: no network").count(), 2, "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(!paths.cache.join("base.tmp").exists());
    }

    #[test]
    fn a_tree_of_another_release_is_refused() {
        let place = Place::new("release");
        let paths = place.paths(Some(place.kernel(6, 12)));
        let error = format!("{:#}", ensure(&paths, &nowhere()).unwrap_err());
        assert!(error.starts_with("KDIR="), "{error}");
        assert!(
            error.ends_with("this is Linux 6.12.4; the series needs Linux 7.3.y"),
            "{error}"
        );
    }

    #[test]
    fn a_tree_of_a_strange_shape_leaves_nothing_behind() {
        let place = Place::new("shape");
        let paths = place.paths(Some(place.kernel(7, 3)));
        let error = format!("{:#}", ensure(&paths, &nowhere()).unwrap_err());
        assert!(
            error.starts_with("fs/file.c is neither as in mainline nor"),
            "{error}"
        );
        assert!(!paths.base().exists() && !paths.base().with_extension("tmp").exists());
    }
}
