// SPDX-License-Identifier: GPL-2.0

//! One build at a time in one cache: two would write the same tree and share few cores.

use std::{
    fs::{self, File},
    path::Path,
};

use anyhow::{Context, Result};
use rustix::fs::{flock, FlockOperation};

/// Held until dropped, or until the program ends in whatever way.
pub struct Lock {
    _file: File,
}

/// Waits for its turn, and says that it waits.
pub fn take(cache: &Path) -> Result<Lock> {
    fs::create_dir_all(cache).with_context(|| format!("cannot create {}", cache.display()))?;
    let path = cache.join("build.lock");
    let file = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        eprintln!("  waiting for another build to end ({})", path.display());
        flock(&file, FlockOperation::LockExclusive)
            .with_context(|| format!("cannot lock {}", path.display()))?;
    }
    Ok(Lock { _file: file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_waits_for_the_first() {
        let cache = std::env::temp_dir().join(format!("xtask-lock-{}", std::process::id()));
        let first = take(&cache).unwrap();
        let file = File::open(cache.join("build.lock")).unwrap();
        assert!(flock(&file, FlockOperation::NonBlockingLockExclusive).is_err());
        drop(first);
        assert!(flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok());
        fs::remove_dir_all(&cache).unwrap();
    }
}
