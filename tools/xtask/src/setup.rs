// SPDX-License-Identifier: GPL-2.0

//! Makes the machine ready: packages, tool chain, base tree.

use anyhow::Result;

use crate::paths::Paths;

pub mod base;
mod bindgen;
pub mod debian;
mod mainline;
pub mod packages;
pub mod release;
pub mod space;
pub mod toolchain;
mod version;

use toolchain::Toolchain;

#[derive(clap::Args)]
pub struct Args {}

pub fn run(paths: &Paths, _args: Args) -> Result<()> {
    let tools = ensure(paths)?;
    let release = release::Release::of_tree(&paths.base())?;
    println!("{}", tools.banners.clang);
    println!("{}", tools.banners.rustc);
    println!("{}", tools.banners.bindgen);
    println!("Linux {release} in {}", paths.base().display());
    Ok(())
}

/// Does what is missing of the set-up; quick when nothing is.
pub fn ensure(paths: &Paths) -> Result<Toolchain> {
    std::fs::create_dir_all(&paths.cache)?;
    packages::ensure(paths)?;
    bindgen::ensure(paths)?;
    let tools = Toolchain::find(paths)?;
    base::ensure(paths, &base::Servers::from_env())?;
    Ok(tools)
}
