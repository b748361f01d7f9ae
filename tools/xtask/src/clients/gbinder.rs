// SPDX-License-Identifier: GPL-2.0

//! The tools of Debian's `libgbinder` with all that they need, without installing it here.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{bail, ensure, Result};

use crate::{
    interrupt::Scratch,
    paths::Paths,
    run,
    setup::{base::Servers, debian::Suite},
};

pub const PACKAGE: &str = "libgbinder-tools";

/// Where the package may be, the most stable suite first.
const SUITES: [&str; 2] = ["forky", "sid"];

const TOOLS: [&str; 4] = ["binder-bridge", "binder-call", "binder-list", "binder-ping"];

/// The loader as programs name it, and where the library package has it.
const LOADER: [&str; 2] = [
    "/lib64/ld-linux-x86-64.so.2",
    "usr/lib64/ld-linux-x86-64.so.2",
];

/// Where the libraries are, in the packages and in the VM.
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

/// A folder with the unpacked packages; fails if they cannot be had.
pub fn root(paths: &Paths) -> Result<PathBuf> {
    let root = paths.downloads().join(PACKAGE);
    if root.is_dir() {
        return Ok(root);
    }
    let archives = fetch(paths)?;
    let scratch = Scratch::new(root.with_extension("tmp"));
    for deb in fs::read_dir(&archives)? {
        let deb = deb?.path();
        if deb.extension().is_some_and(|end| end == "deb") {
            run::output(
                Command::new("dpkg-deb")
                    .arg("-x")
                    .arg(&deb)
                    .arg(scratch.path()),
            )?;
            fs::remove_file(&deb)?;
        }
    }
    scratch.keep_as(&root)?;
    Ok(root)
}

/// Downloads the package with all that it depends on, as if nothing were installed, and gives the
/// folder with the files.
fn fetch(paths: &Paths) -> Result<PathBuf> {
    let mirror = Servers::from_env().debian;
    for name in SUITES {
        let suite = Suite::read(paths, &mirror, name, PACKAGE)?;
        let nothing = suite.dir.join("status");
        fs::write(&nothing, "")?;
        let state = format!("Dir::State::status={}", nothing.display());
        let apt = || {
            let mut apt = suite.apt();
            apt.args(["-o", &state]);
            apt
        };
        if run::output(apt().args(["--print-uris", "download", PACKAGE])).is_err() {
            continue;
        }
        let install = [
            "install",
            "-y",
            "--no-install-recommends",
            "--download-only",
        ];
        let log = paths.log("apt-gbinder")?;
        let title = format!("Fetching {PACKAGE}");
        run::logged(&title, None, &log, apt().args(install).arg(PACKAGE))?;
        return Ok(suite.dir.join("archives"));
    }
    bail!("Debian has no {PACKAGE} in {}", SUITES.join(", "))
}

/// The tools, the libraries that they load, and the loader: path in the VM, path here.
pub fn files(root: &Path) -> Result<Vec<(String, PathBuf)>> {
    let loader = root.join(LOADER[1]);
    let mut found = vec![(LOADER[0].to_string(), loader.clone())];
    for name in TOOLS {
        let tool = root.join("usr/bin").join(name);
        let mut list = Command::new(&loader);
        list.arg("--library-path")
            .arg(root.join(LIBRARIES))
            .arg("--list")
            .arg(&tool);
        for library in libraries(&run::output(&mut list)?) {
            let path = root.join(LIBRARIES).join(library);
            ensure!(path.exists(), "{PACKAGE} came without {library}");
            found.push((format!("/{LIBRARIES}/{library}"), path));
        }
        found.push((format!("/usr/bin/{name}"), tool));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// The names in what the loader lists, `libc.so.6 => /path/libc.so.6 (0x…)` a line. What has no
/// path is part of the kernel, and what starts with a path is the loader itself.
fn libraries(list: &str) -> impl Iterator<Item = &str> {
    list.lines()
        .filter_map(|line| line.trim().split_once(" => "))
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_loader_lists() {
        let list = "\tlinux-vdso.so.1 (0x00007fbe0b0aa000)\n\
                    \tlibgbinder.so.1 => /r/libgbinder.so.1 (0x00007fbe0aef5000)\n\
                    \t/lib64/ld-linux-x86-64.so.2 => /r/ld.so (0x00007fbe0b0ac000)\n\
                    \tlibc.so.6 => /r/libc.so.6 (0x00007fbe0acff000)\n";
        let names: Vec<&str> = libraries(list).collect();
        assert_eq!(names, ["libgbinder.so.1", "libc.so.6"]);
    }
}
