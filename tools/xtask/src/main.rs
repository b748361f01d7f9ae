// SPDX-License-Identifier: GPL-2.0

//! The one tool of this repository; `make help` lists the targets that call it.

mod paths;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

#[derive(Parser)]
#[command(name = "xtask", about = "Builds, boots, tests and packages the binder_safe patch series")]
struct Cli {
    #[command(subcommand)]
    command: Cmd,
}

/// Which Binder driver a kernel carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Driver {
    /// The driver of this series.
    Safe,
    /// The C driver of the base tree.
    C,
    /// The Rust driver of the base tree.
    Rust,
}

/// How a kernel is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Config {
    /// As it would ship.
    Release,
    /// With KASAN, lockdep, list and object debugging, kmemleak.
    Debug,
}

#[derive(Subcommand)]
enum Cmd {}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result: anyhow::Result<()> = match cli.command {};
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::FAILURE
        }
    }
}
