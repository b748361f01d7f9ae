// SPDX-License-Identifier: GPL-2.0

//! The modules of a kernel, laid out as a running system has them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::{Args, Job};
use crate::{paths::Paths, run};

/// Debian's package `busybox-static` puts it there. It is depmod here and modprobe in the VM.
pub const BUSYBOX: &str = "/bin/busybox";

/// Where the kernel looks for modprobe.
const MODPROBE: &str = "/sbin/modprobe";

/// Below it is what becomes the root of the VM.
const FOLDER: &str = "modules";

/// Installs the modules into the build folder, with the lists that modprobe reads.
pub(super) fn install(job: &Job, paths: &Paths) -> Result<()> {
    let root = job.dir.join(FOLDER);
    if root.exists() {
        fs::remove_dir_all(&root).with_context(|| format!("cannot empty {}", root.display()))?;
    }
    let log = paths.log(&format!("modules-{}", job.name))?;
    let mut make = job.make();
    make.arg("modules_install")
        .arg(format!("INSTALL_MOD_PATH={}", root.display()))
        .args(["INSTALL_MOD_STRIP=1", "DEPMOD=true"]);
    run::logged("Installing the modules", None, &log, &mut make)?;
    let release = job.dir.join("include/config/kernel.release");
    let release = fs::read_to_string(&release)
        .with_context(|| format!("cannot read {}", release.display()))?;
    let mut depmod = Command::new(BUSYBOX);
    depmod.args(["depmod", "-b"]).arg(&root).arg(release.trim());
    run::logged("Listing the modules", None, &log, &mut depmod)
}

/// What a VM needs to load the modules of this kernel: path in the VM, path here. Nothing if all is
/// built in.
pub fn files(paths: &Paths, args: &Args) -> Result<Vec<(String, PathBuf)>> {
    if !args.as_module() {
        return Ok(Vec::new());
    }
    let mut found = vec![(MODPROBE.to_string(), PathBuf::from(BUSYBOX))];
    let root = paths.build(&args.name()).join(FOLDER);
    walk(&root, &root, &mut found)?;
    Ok(found)
}

/// Files alone: `build` is a link to where the kernel was built.
fn walk(root: &Path, dir: &Path, found: &mut Vec<(String, PathBuf)>) -> Result<()> {
    let entries = fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    for entry in entries {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() {
            walk(root, &path, found)?;
        } else if kind.is_file() {
            let inside = Path::new("/").join(path.strip_prefix(root)?);
            found.push((inside.display().to_string(), path));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn finds_files_and_follows_no_links() {
        let root = std::env::temp_dir().join(format!("xtask-modules-{}", std::process::id()));
        fs::create_dir_all(root.join("lib/modules/7.3.4")).unwrap();
        fs::write(root.join("lib/modules/7.3.4/modules.dep"), "").unwrap();
        symlink("/", root.join("lib/modules/7.3.4/build")).unwrap();
        let mut found = Vec::new();
        walk(&root, &root, &mut found).unwrap();
        fs::remove_dir_all(&root).unwrap();
        let inside: Vec<&str> = found.iter().map(|(inside, _)| inside.as_str()).collect();
        assert_eq!(inside, ["/lib/modules/7.3.4/modules.dep"]);
    }
}
