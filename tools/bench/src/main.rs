// SPDX-License-Identifier: GPL-2.0

//! Measures what each operation of a Binder driver costs.
//!
//! Where the VM's clock counts instructions, so do the figures. What starting costs goes away as
//! long run minus short run.

mod memory;
mod rows;
mod server;
mod sys;
mod wire;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Parser;

use rows::{Kind, KINDS};

#[derive(Parser)]
#[command(about = "Measures what a Binder driver costs")]
struct Cli {
    /// The device to talk through.
    #[arg(long, default_value = "/dev/binderfs/binder")]
    device: PathBuf,
    /// Only these rows: NAME, or NAME:PARAMETER. What the rest of the kernel holds in memory is the
    /// row `memory`.
    #[arg(long, num_args = 1..)]
    only: Vec<String>,
    /// How often each row is measured.
    #[arg(long, default_value_t = 1)]
    repeat: u32,
}

/// Prints `row NAME PARAMETER COUNT` and the nanoseconds of one operation, for each repetition.
fn measure(cli: &Cli, kind: &Kind, parameter: usize) -> Result<()> {
    let mut operation = (kind.make)(&cli.device, parameter)?;
    let number = kind.count * operation.size();
    let mut line = format!("row {} {parameter} {number}", kind.name);
    operation.settle(kind.count)?;
    sys::mark();
    for _ in 0..cli.repeat {
        line += &format!(" {:.1}", operation.each(kind.count)?);
    }
    println!("{line}");
    Ok(())
}

fn all(cli: &Cli) -> Result<()> {
    let named = |name: &str| cli.only.is_empty() || cli.only.iter().any(|only| only == name);
    let wanted =
        |kind: &Kind, parameter| named(kind.name) || named(&format!("{}:{parameter}", kind.name));
    for kind in KINDS {
        for &parameter in kind.parameters {
            if wanted(kind, parameter) {
                measure(cli, kind, parameter)?;
            }
        }
    }
    if named(memory::KIND) {
        memory::run(&cli.device)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    match all(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
