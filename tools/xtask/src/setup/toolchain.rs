// SPDX-License-Identifier: GPL-2.0

//! The compilers that kernels are built with.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{bail, Context, Result};

use super::version::{self, Version};
use crate::{paths::Paths, run};

/// The LLVM release that Debian 12 and 13 both carry, with a rustc of the same LLVM beside it. One
/// set for all machines keeps instruction counts comparable.
pub const LLVM_SUFFIX: &str = "-22";

/// A checked set of compilers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// What `LLVM=` gets.
    pub llvm: String,
    /// What `RUSTC=` gets.
    pub rustc: PathBuf,
    /// What `BINDGEN=` gets.
    pub bindgen: PathBuf,
    /// What `RUST_LIB_SRC=` gets.
    pub lib_src: PathBuf,
    /// What each prints about itself, as the kernel's own configuration records it.
    pub banners: Banners,
}

/// The first lines that the compilers print about themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Banners {
    pub clang: String,
    pub rustc: String,
    pub bindgen: String,
}

impl Toolchain {
    /// Finds the compilers and checks their versions.
    ///
    /// `LLVM`, `RUSTC`, `BINDGEN` and `RUST_LIB_SRC` in the environment win, as in the kernel's own
    /// make; otherwise Debian's packages are taken, whatever a rustup toolchain puts first in PATH.
    pub fn find(paths: &Paths) -> Result<Self> {
        let llvm = env::var("LLVM").unwrap_or_else(|_| LLVM_SUFFIX.to_string());
        let clang = version::banner(&clang_of(&llvm))?;
        version::check_clang(&clang)?;
        let rustc = from_env("RUSTC").unwrap_or_else(|| PathBuf::from("/usr/bin/rustc"));
        let rustc_banner = version::banner(&rustc)?;
        let rustc_version = version::check_rustc(&rustc_banner)?;
        let lib_src = match from_env("RUST_LIB_SRC") {
            Some(dir) => dir,
            None => find_lib_src(&lib_src_candidates(&rustc, rustc_version)?)?,
        };
        let bindgen = super::bindgen::find(paths)?;
        let bindgen_banner = version::banner(&bindgen)?;
        version::check_bindgen(&bindgen_banner)?;
        Ok(Self {
            llvm,
            rustc,
            bindgen,
            lib_src,
            banners: Banners {
                clang,
                rustc: rustc_banner,
                bindgen: bindgen_banner,
            },
        })
    }

    /// Gives the kernel's make what it needs to use these compilers.
    pub fn apply(&self, make: &mut Command) {
        make.arg(format!("LLVM={}", self.llvm))
            .arg(format!("RUSTC={}", self.rustc.display()))
            .arg(format!("BINDGEN={}", self.bindgen.display()))
            .arg(format!("RUST_LIB_SRC={}", self.lib_src.display()));
        for (variable, program) in self.companions() {
            make.arg(format!("{variable}={}", program.display()));
        }
    }

    /// The programs that come with this rustc. Another release, which PATH may offer first, cannot
    /// read what this one compiled.
    fn companions(&self) -> impl Iterator<Item = (&'static str, PathBuf)> + '_ {
        [
            ("RUSTDOC", "rustdoc"),
            ("RUSTFMT", "rustfmt"),
            ("CLIPPY_DRIVER", "clippy-driver"),
        ]
        .into_iter()
        .map(|(variable, name)| (variable, self.rustc.with_file_name(name)))
        .filter(|(_, program)| program.is_file())
    }
}

/// A path from the environment, where an empty value means unset.
fn from_env(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// The clang that `LLVM=` stands for: `-22` is a suffix, `/opt/llvm/bin/` a folder, `1` neither.
fn clang_of(llvm: &str) -> PathBuf {
    if llvm.ends_with('/') {
        Path::new(llvm).join("clang")
    } else if llvm.starts_with('-') {
        PathBuf::from(format!("clang{llvm}"))
    } else {
        PathBuf::from("clang")
    }
}

/// Where the library sources of this rustc may be: in its own tree, or in Debian's package.
fn lib_src_candidates(rustc: &Path, version: Version) -> Result<Vec<PathBuf>> {
    let sysroot = run::output(Command::new(rustc).args(["--print", "sysroot"]))?;
    Ok(vec![
        Path::new(&sysroot).join("lib/rustlib/src/rust/library"),
        PathBuf::from(format!("/usr/src/rustc-{version}/library")),
    ])
}

/// The first candidate that holds the `core` library.
fn find_lib_src(candidates: &[PathBuf]) -> Result<PathBuf> {
    match candidates
        .iter()
        .find(|dir| dir.join("core/src/lib.rs").exists())
    {
        Some(dir) => fs::canonicalize(dir).context("cannot resolve the path of rust-src"),
        None => bail!(
            "rust-src is missing: install rust-web-src, run `rustup component add rust-src`, or \
             set RUST_LIB_SRC"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_llvm_as_the_kernel_does() {
        assert_eq!(clang_of("-22"), Path::new("clang-22"));
        assert_eq!(clang_of("/opt/llvm/bin/"), Path::new("/opt/llvm/bin/clang"));
        assert_eq!(clang_of("1"), Path::new("clang"));
    }

    #[test]
    fn rustdoc_comes_from_beside_rustc() {
        let dir = env::temp_dir().join(format!("xtask-companions-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("rustdoc"), "").unwrap();
        let banner = String::new();
        let tools = Toolchain {
            llvm: LLVM_SUFFIX.to_string(),
            rustc: dir.join("rustc"),
            bindgen: PathBuf::new(),
            lib_src: PathBuf::new(),
            banners: Banners {
                clang: banner.clone(),
                rustc: banner.clone(),
                bindgen: banner,
            },
        };
        let found: Vec<_> = tools.companions().collect();
        fs::remove_dir_all(&dir).unwrap();
        assert_eq!(found, [("RUSTDOC", dir.join("rustdoc"))]);
    }

    #[test]
    fn missing_rust_src_says_how_to_get_it() {
        let error = find_lib_src(&[PathBuf::from("/nowhere/library")])
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("rust-src is missing"), "{error}");
        assert!(error.contains("rust-web-src"), "{error}");
    }

    #[test]
    fn rust_src_is_found_where_core_is() {
        let dir = env::temp_dir().join(format!("xtask-rust-src-{}", std::process::id()));
        fs::create_dir_all(dir.join("core/src")).unwrap();
        fs::write(dir.join("core/src/lib.rs"), "").unwrap();
        let found = find_lib_src(&[PathBuf::from("/nowhere"), dir.clone()]);
        fs::remove_dir_all(&dir).unwrap();
        assert!(found.unwrap().ends_with(dir.file_name().unwrap()));
    }
}
