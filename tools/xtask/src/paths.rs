// SPDX-License-Identifier: GPL-2.0

//! Where things live: the checkout, the cache, logs and build folders.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// The checkout's root and the cache's root; everything else hangs off these.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The repository: overlay, patches, tools.
    pub root: PathBuf,
    /// Kernel trees, build folders, downloads and logs. Never inside the checkout.
    pub cache: PathBuf,
}

impl Paths {
    /// Finds the checkout this program was built from and the user's cache folder.
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .context("xtask is not at tools/xtask in a checkout")?
            .to_path_buf();
        let cache = match env::var_os("BINDER_SAFE_CACHE") {
            Some(dir) => PathBuf::from(dir),
            None => {
                let home = env::var_os("HOME").context("HOME is not set; set BINDER_SAFE_CACHE")?;
                Path::new(&home).join(".cache/binder-safe")
            }
        };
        Ok(Self { root, cache })
    }

    /// Downloads, checked against their checksums.
    pub fn downloads(&self) -> PathBuf {
        self.cache.join("dl")
    }

    /// The unpacked mainline form of the base, a git repository with one commit.
    pub fn base(&self) -> PathBuf {
        self.cache.join("base")
    }

    /// The base with the series applied: what kernels are built from.
    pub fn tree(&self) -> PathBuf {
        self.cache.join("tree")
    }

    /// The build folder of one kernel, say `safe-release`.
    pub fn build(&self, name: &str) -> PathBuf {
        self.cache.join("build").join(name)
    }

    /// The log of one step; its folder exists when this returns.
    pub fn log(&self, step: &str) -> Result<PathBuf> {
        let dir = self.cache.join("log");
        fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        Ok(dir.join(format!("{step}.log")))
    }
}
