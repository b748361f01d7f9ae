// SPDX-License-Identifier: GPL-2.0

//! The one tool of this repository; `make help` lists the targets that call it.

mod bench;
mod clean;
mod clients;
mod demo;
mod docs;
mod doctor;
mod interrupt;
mod items;
mod kernel;
mod kunit;
mod lint;
mod mutants;
mod paths;
mod profile;
mod report;
mod run;
mod selftest;
mod series;
mod setup;
mod test;
mod vm;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::paths::Paths;

#[derive(Parser)]
#[command(
    name = "xtask",
    about = "Builds, boots, tests and packages the binder_safe patch series"
)]
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
    /// The same, made to use what the series adds to the kernel crate (patches/extra).
    RustExtra,
}

impl Driver {
    /// What programs in the VM know it by.
    fn guest_name(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::C => "c",
            Self::Rust | Self::RustExtra => "rust",
        }
    }
}

/// How a kernel is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Config {
    /// As it would ship.
    Release,
    /// With KASAN, lockdep, list and object debugging, kmemleak.
    Debug,
    /// With what Android's kernels and those of distributions check and protect: CFI and the like.
    Hardened,
    /// With the base's own Rust drivers and samples, checked by clippy; no warning passes.
    RustUsers,
}

#[derive(Subcommand)]
enum Cmd {
    /// Install what is missing and get the base tree.
    Setup(setup::Args),
    /// Boot the driver in a VM and show what it does.
    Run(demo::Args),
    /// Run every test; the last line counts them.
    Test(test::Args),
    /// Generate `patches/` from the overlay.
    Patches(series::patches::Args),
    /// Check that `patches/` is what the overlay says and applies cleanly.
    Check(series::check::Args),
    /// Apply the series to your own tree on a new branch.
    Am(series::am::Args),
    /// Bring a hand-edited patch back to the overlay.
    Fold(series::fold::Args),
    /// Build a kernel.
    Kernel(kernel::Args),
    /// Build a kernel if needed and print the path of its image as the last line.
    Image(kernel::image::Args),
    /// Compile the kernel crate and the driver in the configurations that others have.
    Configs(kernel::matrix::Args),
    /// Run the kselftests in the VM.
    Selftest(selftest::Args),
    /// Put bugs of the past back, and see which test finds each.
    Mutants(mutants::Args),
    /// Which test holds which item of the ABI.
    Items(items::Args),
    /// Run the KUnit suites in the VM.
    Kunit(kunit::Args),
    /// Run Binder programs by others in the VM.
    Clients(clients::Args),
    /// Check the Binder of this machine, or try that in the VM.
    Doctor(doctor::Args),
    /// An interactive shell in the VM.
    Shell(vm::shell::Args),
    /// What each operation costs, on the three drivers.
    Bench(bench::Args),
    /// Instructions per kernel function and operation.
    Profile(profile::Args),
    /// Style, layers, sizes, and no `unsafe` in the driver.
    Lint(lint::Args),
    /// Build the pages of the kernel's documentation that the series adds.
    Docs(docs::Args),
    /// Remove kernel builds, logs and the patched tree from the cache.
    Clean(clean::Args),
}

impl Cmd {
    /// Whether it works on the base tree or with tools that have to be installed first; what builds
    /// a kernel sees to that itself.
    fn needs_setup(&self) -> bool {
        matches!(
            self,
            Cmd::Patches(_) | Cmd::Check(_) | Cmd::Fold(_) | Cmd::Lint(_)
        )
    }
}

fn dispatch(paths: &Paths, command: Cmd) -> anyhow::Result<()> {
    if command.needs_setup() {
        setup::ensure(paths)?;
    }
    match command {
        Cmd::Setup(args) => setup::run(paths, args),
        Cmd::Run(args) => demo::run(paths, args),
        Cmd::Test(args) => test::run(paths, args),
        Cmd::Patches(args) => series::patches::run(paths, args),
        Cmd::Check(args) => series::check::run(paths, args),
        Cmd::Am(args) => series::am::run(paths, args),
        Cmd::Fold(args) => series::fold::run(paths, args),
        Cmd::Kernel(args) => kernel::run(paths, args),
        Cmd::Image(args) => kernel::image::run(paths, args),
        Cmd::Configs(args) => kernel::matrix::run(paths, args),
        Cmd::Selftest(args) => selftest::run(paths, args),
        Cmd::Mutants(args) => mutants::run(paths, args),
        Cmd::Items(args) => items::run(paths, args),
        Cmd::Kunit(args) => kunit::run(paths, args),
        Cmd::Clients(args) => clients::run(paths, args),
        Cmd::Doctor(args) => doctor::run(paths, args),
        Cmd::Shell(args) => vm::shell::run(paths, args),
        Cmd::Bench(args) => bench::run(paths, args),
        Cmd::Profile(args) => profile::run(paths, args),
        Cmd::Lint(args) => lint::run(paths, args),
        Cmd::Docs(args) => docs::run(paths, args),
        Cmd::Clean(args) => clean::run(paths, args),
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = interrupt::install()
        .and_then(|()| Paths::find())
        .and_then(|paths| dispatch(&paths, cli.command));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::FAILURE
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
