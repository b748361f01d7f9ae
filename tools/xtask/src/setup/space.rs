// SPDX-License-Identifier: GPL-2.0

//! Room on the disk, asked for before a long step instead of failing in the middle of it.

use std::path::Path;

use anyhow::{bail, Context, Result};

/// Room for an unpacked base tree with its repository.
pub const BASE: u64 = 3 * GIB;
/// Room for a kernel's build folder; a debug kernel takes most of it.
pub const BUILD: u64 = 2 * GIB;

const GIB: u64 = 1 << 30;

/// Fails unless `needed` bytes are free where `dir` is or will be.
pub fn need(dir: &Path, needed: u64, what: &str) -> Result<()> {
    let place = dir
        .ancestors()
        .find(|path| path.exists())
        .unwrap_or(Path::new("/"));
    let stat = rustix::fs::statvfs(place)
        .with_context(|| format!("cannot tell how much room {} has", place.display()))?;
    check(stat.f_bavail * stat.f_frsize, needed, dir, what)
}

fn check(free: u64, needed: u64, dir: &Path, what: &str) -> Result<()> {
    if free < needed {
        bail!(
            "the disk is too small: {what} needs {:.1} GB and {} has {:.1} GB free; set \
             BINDER_SAFE_CACHE to a folder with more room",
            needed as f64 / 1e9,
            dir.display(),
            free as f64 / 1e9
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_room_is_one_clear_line() {
        let error = check(1_500_000_000, BUILD, Path::new("/c"), "a kernel build").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the disk is too small: a kernel build needs 2.1 GB and /c has 1.5 GB free; set \
             BINDER_SAFE_CACHE to a folder with more room"
        );
        assert!(check(BUILD, BUILD, Path::new("/c"), "a kernel build").is_ok());
    }

    #[test]
    fn asks_the_file_system_that_a_new_folder_will_be_on() {
        assert!(need(Path::new("/no/such/folder"), 1, "nothing").is_ok());
        assert!(need(Path::new("/no/such/folder"), u64::MAX, "everything").is_err());
    }
}
