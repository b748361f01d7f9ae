// SPDX-License-Identifier: GPL-2.0

//! A context manager, a service and a client that talk through Binder, as separate processes.

mod client;
mod server;
mod story;
mod stress;
mod timing;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Shows what a Binder driver does")]
struct Cli {
    /// The device to talk through.
    #[arg(long, default_value = "/dev/binderfs/binder", global = true)]
    device: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Everything, one step after the other.
    Show {
        /// How many calls are timed.
        #[arg(long, default_value_t = 10_000)]
        calls: u32,
    },
    /// The cost of a round trip.
    Timing {
        /// The difference of two run lengths.
        #[arg(long, default_value_t = 2_000)]
        calls: u32,
        /// Sizes of the messages in bytes.
        #[arg(long, num_args = 1.., default_values_t = [4, 128, 4096, 65536])]
        sizes: Vec<usize>,
    },
    /// Many calls, then a look for leaks.
    Stress {
        /// How many.
        #[arg(long, default_value_t = 100_000)]
        calls: u32,
    },
    /// The context manager's process.
    #[command(hide = true)]
    Manager,
    /// The other side of the timing.
    #[command(hide = true)]
    TimingServer,
    /// The service's process.
    #[command(hide = true)]
    Service,
}

fn run(cli: &Cli) -> Result<bool> {
    match &cli.what {
        What::Show { calls } => story::show(&cli.device, *calls),
        What::Timing { calls, sizes } => timing::run(&cli.device, *calls, sizes).map(|()| true),
        What::Stress { calls } => stress::run(&cli.device, *calls),
        What::Manager => story::manager(&cli.device).map(|()| true),
        What::TimingServer => timing::server(&cli.device).map(|()| true),
        What::Service => story::service(&cli.device).map(|()| true),
    }
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::FAILURE
        }
    }
}
