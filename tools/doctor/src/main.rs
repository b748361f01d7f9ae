// SPDX-License-Identifier: GPL-2.0

//! Says which Binder driver the running kernel has, and whether everything around it is as Android,
//! Waydroid and redroid need it. Exit status: 0 if there is no fault, 1 if there is, 2 if it could
//! not look.

mod checks;
mod driver;
mod facts;
mod finding;
mod mounts;
mod probe;
mod scripts;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use serde::Serialize;

use driver::{Driver, Told};
use finding::{Finding, Level};

/// Who is to use Binder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum User {
    /// Android itself, or a program on libbinder: nodes have to be there and open to all.
    Android,
    /// Waydroid on this machine, which makes what is missing when it starts.
    Waydroid,
    /// redroid in a container on this machine, which has a mount of its own.
    Redroid,
}

#[derive(Parser)]
#[command(
    about = "Checks Binder on this machine: the driver, binderfs, nodes, permissions, a call"
)]
struct Cli {
    /// Who is to use Binder.
    #[arg(long = "for", value_enum, default_value = "android")]
    user: User,
    /// The driver that should be there; another one is a fault.
    #[arg(long, value_enum)]
    expect: Option<Driver>,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    json: bool,
    /// Print faults and warnings only.
    #[arg(long, short)]
    quiet: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What its own child processes are told to be.
#[derive(Subcommand)]
#[command(disable_help_subcommand = true)]
enum Role {
    #[command(hide = true)]
    Probe,
    #[command(hide = true)]
    Manager {
        device: PathBuf,
        #[arg(long)]
        labels: bool,
    },
}

/// All that `--json` prints.
#[derive(Serialize)]
struct Report {
    release: String,
    driver: Option<Driver>,
    #[serde(rename = "for")]
    user: User,
    healthy: bool,
    findings: Vec<Finding>,
}

fn examine(user: User, expect: Option<Driver>) -> Result<Report> {
    let facts = facts::gather(Path::new("/"));
    let probe = match facts.filesystems.iter().any(|name| name == "binder") {
        true => Some(probe::run()?),
        false => None,
    };
    let told = driver::tell(&facts, probe.as_ref());
    let findings = checks::all(&facts, probe.as_ref(), told, user, expect);
    Ok(Report {
        driver: match told {
            Told::One(driver) => Some(driver),
            Told::None | Told::Unclear => None,
        },
        user,
        healthy: findings.iter().all(|finding| finding.level < Level::Fault),
        release: facts.release,
        findings,
    })
}

fn run(cli: &Cli) -> Result<bool> {
    match &cli.role {
        Some(Role::Probe) => return probe::child().map(|()| true),
        Some(Role::Manager { device, labels }) => {
            return probe::manager(device, *labels).map(|()| true);
        }
        None => {}
    }
    let report = examine(cli.user, cli.expect)?;
    if cli.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(report.healthy);
    }
    let least = if cli.quiet { Level::Warning } else { Level::Ok };
    let shown = report.findings.iter().filter(|one| one.level >= least);
    shown.for_each(|finding| println!("{finding}"));
    Ok(report.healthy)
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
