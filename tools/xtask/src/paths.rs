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
    /// A kernel tree that the user named: the base is made from a copy of it.
    pub kdir: Option<PathBuf>,
}

impl Paths {
    /// Finds the checkout this program was built from and the user's cache folder.
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .context("xtask is not at tools/xtask in a checkout")?
            .to_path_buf();
        let cache = match env::var_os("BINDER_SAFE_CACHE").filter(|dir| !dir.is_empty()) {
            Some(dir) => std::path::absolute(dir)?,
            None => {
                let home = env::var_os("HOME").context("HOME is not set; set BINDER_SAFE_CACHE")?;
                Path::new(&home).join(".cache/binder-safe")
            }
        };
        let kdir = match env::var_os("KDIR").filter(|dir| !dir.is_empty()) {
            Some(dir) => Some(fs::canonicalize(&dir).with_context(|| {
                format!("there is no folder KDIR={}", Path::new(&dir).display())
            })?),
            None => None,
        };
        Ok(Self { root, cache, kdir })
    }

    /// Where trees and builds go: what comes from a tree of the user's own stays apart.
    fn work(&self) -> PathBuf {
        match &self.kdir {
            Some(kdir) => self
                .cache
                .join("kdir")
                .join(kdir.to_string_lossy().replace('/', "_")),
            None => self.cache.clone(),
        }
    }

    /// Downloads, checked against their checksums.
    pub fn downloads(&self) -> PathBuf {
        self.cache.join("dl")
    }

    /// The unpacked mainline form of the base, a git repository with one commit.
    pub fn base(&self) -> PathBuf {
        self.work().join("base")
    }

    /// The base with the series applied: what kernels are built from.
    pub fn tree(&self) -> PathBuf {
        self.work().join("tree")
    }

    /// Another tree of this kind, made for `what`.
    pub fn tree_of(&self, what: &str) -> PathBuf {
        self.work().join(format!("tree-{what}"))
    }

    /// All build folders.
    pub fn builds(&self) -> PathBuf {
        self.work().join("build")
    }

    /// The build folder of one kernel, say `safe-release`.
    pub fn build(&self, name: &str) -> PathBuf {
        self.builds().join(name)
    }

    /// The log of one step; its folder exists when this returns.
    pub fn log(&self, step: &str) -> Result<PathBuf> {
        let dir = self.cache.join("log");
        fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        Ok(dir.join(format!("{step}.log")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_tree_has_its_own_base_and_builds() {
        let mut paths = Paths {
            root: "/r".into(),
            cache: "/c".into(),
            kdir: None,
        };
        assert_eq!(paths.base(), Path::new("/c/base"));
        paths.kdir = Some("/src/linux".into());
        assert_eq!(paths.base(), Path::new("/c/kdir/_src_linux/base"));
        assert_eq!(
            paths.build("c-debug"),
            Path::new("/c/kdir/_src_linux/build/c-debug")
        );
        assert_eq!(paths.downloads(), Path::new("/c/dl"));
    }
}
