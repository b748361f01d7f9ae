// SPDX-License-Identifier: GPL-2.0

//! The files that the series touches, as Debian's `linux-source` package has them.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{bail, Context, Result};
use sha2::{Digest, Sha256};

use super::{overlay::Content, stage::Source};
use crate::{interrupt, paths::Paths};

/// Taken along when anything is: a new edit is then most often there already.
const USUAL: [&str; 4] = ["MAINTAINERS", "drivers/android", "rust", "samples/rust"];

/// Files of the package, unpacked in the cache.
pub struct Debian {
    dir: PathBuf,
}

/// The newest package in the cache, if there is any.
pub fn package(paths: &Paths) -> Option<PathBuf> {
    let entries = fs::read_dir(paths.downloads()).ok()?;
    let packages = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("linux-source-") && name.ends_with(".deb")
        });
    packages.max_by_key(|path| path.metadata().and_then(|m| m.modified()).ok())
}

impl Debian {
    /// The files of `package`; those of `wanted` are among them.
    pub fn open(paths: &Paths, package: &Path, wanted: &[String]) -> Result<Self> {
        let id = digest(package)?;
        let debian = Self {
            dir: paths.cache.join("debian").join(&id[..16]),
        };
        if wanted.iter().any(|path| !debian.dir.join(path).exists()) {
            debian.unpack(package, wanted)?;
        }
        Ok(debian)
    }

    fn unpack(&self, package: &Path, wanted: &[String]) -> Result<()> {
        eprintln!(
            "  unpacking what the series touches from {}",
            package.display()
        );
        let part = self
            .dir
            .with_extension(format!("part-{}", std::process::id()));
        let part = interrupt::Scratch::new(part);
        let made = fs::create_dir_all(part.path());
        made.with_context(|| format!("cannot create {}", part.path().display()))?;
        extract(package, part.path(), wanted)
            .with_context(|| format!("cannot unpack {}", package.display()))?;
        // What is there is older and lacks a file that is wanted now.
        let _ = fs::remove_dir_all(&self.dir);
        part.keep_as(&self.dir)
    }
}

impl Source for Debian {
    fn read(&self, path: &str) -> Result<Option<Content>> {
        match fs::read(self.dir.join(path)) {
            Ok(bytes) => Ok(Some(Content {
                bytes,
                executable: false,
            })),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(err) => Err(err).with_context(|| format!("cannot read {path}")),
        }
    }
}

fn digest(path: &Path) -> Result<String> {
    let mut file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut hash = Sha256::new();
    io::copy(&mut file, &mut hash)?;
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// Runs the pipe `dpkg-deb | tar | xz | tar`: a package that holds a compressed archive.
fn extract(package: &Path, into: &Path, wanted: &[String]) -> Result<()> {
    let name = package
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let source = name.split('_').next().unwrap_or_default();
    let mut deb = Command::new("dpkg-deb");
    deb.arg("--fsys-tarfile").arg(package);
    let mut inner = Command::new("tar");
    inner.args(["-xO", &format!("./usr/src/{source}.tar.xz")]);
    let mut xz = Command::new("xz");
    xz.arg("-dc");
    let mut tar = Command::new("tar");
    tar.arg("-x")
        .arg("-C")
        .arg(into)
        .arg("--strip-components=1");
    // A file that comes with its folder is not named again: tar finds each only once.
    let comes_along =
        |path: &&String| !USUAL.iter().any(|usual| Path::new(path).starts_with(usual));
    let others = wanted.iter().filter(comes_along).map(String::as_str);
    for path in USUAL.into_iter().chain(others) {
        tar.arg(format!("{source}/{path}"));
    }
    pipe([&mut deb, &mut inner, &mut xz, &mut tar])
}

/// Runs the commands with the output of each as the input of the next.
fn pipe<const N: usize>(commands: [&mut Command; N]) -> Result<()> {
    let mut children = Vec::new();
    let mut input = Stdio::null();
    for cmd in commands {
        let name = cmd.get_program().to_string_lossy().into_owned();
        let mut child = cmd
            .stdin(input)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {name}"))?;
        input = child
            .stdout
            .take()
            .context("the child has no stdout")?
            .into();
        children.push((name, child));
    }
    drop(input);
    for (name, mut child) in children {
        let status = child.wait()?;
        if !status.success() {
            bail!("{name} failed ({status})");
        }
    }
    Ok(())
}
