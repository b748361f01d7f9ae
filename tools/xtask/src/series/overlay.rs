// SPDX-License-Identifier: GPL-2.0

//! The overlay: which files of the repository become which files of the kernel.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use anyhow::{Context, Result};

use super::git;

/// Where the parts of the repository go in the kernel. A name that ends in `/` is a folder.
const ROOTS: [(&str, &str); 8] = [
    ("drivers/", "drivers/"),
    ("rust/", "rust/"),
    ("samples/", "samples/"),
    ("include/", "include/"),
    ("Documentation/", "Documentation/"),
    ("selftests/", "tools/testing/selftests/binder/"),
    ("Kconfig", "drivers/android/binder_safe/Kconfig"),
    ("MAINTAINERS", "MAINTAINERS"),
];

/// The ending of files that hold edits of existing kernel files.
pub const EDIT: &str = ".edit";

/// One file of the overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path in the repository.
    pub path: String,
    /// Its path in the kernel; for an `.edit` file, that of the file it edits.
    pub kernel: String,
    pub content: Content,
}

/// What a file holds, and whether it may be run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    pub bytes: Vec<u8>,
    pub executable: bool,
}

/// The kernel path of a file of the repository, if it is part of the overlay.
pub fn kernel_path(path: &str) -> Option<String> {
    let path = path.strip_suffix(EDIT).unwrap_or(path);
    ROOTS
        .iter()
        .find_map(|(ours, kernel)| match ours.ends_with('/') {
            true => path
                .strip_prefix(ours)
                .map(|rest| format!("{kernel}{rest}")),
            false => (path == *ours).then(|| kernel.to_string()),
        })
}

/// The path in the repository of a new kernel file: the reverse of [`kernel_path`].
pub fn overlay_path(kernel: &str) -> Option<String> {
    // From the end: the single files lie inside a folder that goes elsewhere.
    ROOTS
        .iter()
        .rev()
        .find_map(|(ours, theirs)| match ours.ends_with('/') {
            true => kernel
                .strip_prefix(theirs)
                .map(|rest| format!("{ours}{rest}")),
            false => (kernel == *theirs).then(|| ours.to_string()),
        })
}

/// The files that match one of `specs` and that git knows, or would add: not those it ignores.
pub fn tracked(root: &Path, specs: &[&str]) -> Result<Vec<String>> {
    let mut cmd = git::git(root);
    cmd.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "--deduplicate",
        "--",
    ]);
    let names =
        git::bytes(cmd.args(specs)).context("cannot list files; is this a git checkout?")?;
    let names = String::from_utf8(names).context("the name of a file is not UTF-8")?;
    Ok(names.split_terminator('\0').map(str::to_string).collect())
}

/// All overlay files as they are in the working directory, sorted.
pub fn list(root: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for path in tracked(root, &ROOTS.map(|(ours, _)| ours))? {
        // Deleted in the working directory, though not yet in the index.
        if root.join(&path).symlink_metadata().is_err() {
            continue;
        }
        if let Some(kernel) = kernel_path(&path) {
            let content = read(&root.join(&path))?;
            files.push(File {
                path,
                kernel,
                content,
            });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn read(path: &Path) -> Result<Content> {
    let cannot = || format!("cannot read {}", path.display());
    let bytes = fs::read(path).with_context(cannot)?;
    let mode = fs::metadata(path)
        .with_context(cannot)?
        .permissions()
        .mode();
    Ok(Content {
        bytes,
        executable: mode & 0o111 != 0,
    })
}

/// Writes a file, with its folder if that is new.
pub fn write(path: &Path, content: &Content) -> Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(cannot)?;
    }
    fs::write(path, &content.bytes).with_context(cannot)?;
    let mode = if content.executable { 0o755 } else { 0o644 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).with_context(cannot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_both_ways() {
        for (ours, kernel) in [
            (
                "drivers/android/binder_safe/main.rs",
                "drivers/android/binder_safe/main.rs",
            ),
            (
                "selftests/ioctl_test.c",
                "tools/testing/selftests/binder/ioctl_test.c",
            ),
            ("Kconfig", "drivers/android/binder_safe/Kconfig"),
            ("MAINTAINERS", "MAINTAINERS"),
        ] {
            assert_eq!(kernel_path(ours).as_deref(), Some(kernel));
            assert_eq!(overlay_path(kernel).as_deref(), Some(ours));
        }
        assert_eq!(
            kernel_path("rust/kernel/lib.rs.edit").as_deref(),
            Some("rust/kernel/lib.rs")
        );
        assert_eq!(kernel_path("tools/xtask/src/main.rs"), None);
        assert_eq!(overlay_path("fs/open.c"), None);
    }
}
