// SPDX-License-Identifier: GPL-2.0

//! Removes from the cache what can be made again without a network.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::paths::Paths;

#[derive(clap::Args)]
pub struct Args {
    /// Only say what would be removed.
    #[arg(long)]
    dry_run: bool,
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    for dir in made(paths).into_iter().filter(|dir| dir.exists()) {
        if args.dry_run {
            println!("would remove {}", dir.display());
            continue;
        }
        fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
        println!("removed {}", dir.display());
    }
    Ok(())
}

/// Kernel builds, the patched tree and logs; not the base tree, which takes a download.
fn made(paths: &Paths) -> Vec<PathBuf> {
    vec![
        paths.builds(),
        paths.tree(),
        paths.tree_of("extra"),
        paths.cache.join("log"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_builds_and_keeps_the_base() {
        let cache = std::env::temp_dir().join(format!("xtask-clean-{}", std::process::id()));
        let paths = Paths {
            root: "/".into(),
            cache: cache.clone(),
            kdir: None,
        };
        for dir in [paths.build("c-debug"), paths.base()] {
            fs::create_dir_all(dir).unwrap();
        }
        run(&paths, Args { dry_run: true }).unwrap();
        assert!(paths.build("c-debug").exists());
        run(&paths, Args { dry_run: false }).unwrap();
        assert!(!paths.builds().exists());
        assert!(paths.base().exists());
        fs::remove_dir_all(&cache).unwrap();
    }
}
