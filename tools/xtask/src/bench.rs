// SPDX-License-Identifier: GPL-2.0

//! What each operation costs, on the three drivers and without Binder: `make bench`.
//!
//! Exact figures come from a VM with one CPU whose clock counts instructions. What happens between
//! CPUs is timed in a VM with two; those are times of an emulator, good for comparing only.

pub mod guard;
mod measure;
mod plot;
pub mod publish;
mod results;
mod rows;
mod size;
mod table;

use std::path::PathBuf;

use anyhow::{bail, Result};

use crate::{paths::Paths, setup, Driver};
use results::{Results, Tools};

#[derive(clap::Args)]
pub struct Args {
    /// The drivers to measure.
    #[arg(long = "driver", value_enum, default_values = ["safe", "c", "rust"])]
    drivers: Vec<Driver>,
    /// Only these rows: NAME, or NAME:PARAMETER.
    #[arg(long, num_args = 1.., value_name = "ROW")]
    only: Vec<String>,
    /// Leave out the instructions and the memory, and only take times.
    #[arg(long, conflicts_with = "no_time")]
    no_count: bool,
    /// Leave out what is timed on two CPUs.
    #[arg(long)]
    no_time: bool,
    /// How often each of these times is taken.
    #[arg(long, default_value_t = 7)]
    repeat: u32,
    /// Added to the kernels' command line.
    #[arg(long, default_value = "", value_name = "PARAMETERS")]
    cmdline: String,
    /// A kernel image in its build folder to measure as it is, for one driver.
    #[arg(long, hide = true)]
    image: Option<PathBuf>,
    /// Print all figures as JSON instead of tables.
    #[arg(long)]
    json: bool,
    /// Also write the figures, the plots and the tables of the README. What was not measured now
    /// stays as it is.
    #[arg(long)]
    update_readme: bool,
    /// Only write the plots and tables, from the figures that are there.
    #[arg(long, conflicts_with_all = ["update_readme", "json", "only"])]
    render: bool,
    /// Measure the few rows that `make test` holds, and hold the driver to these figures from now on.
    #[arg(long, conflicts_with_all = ["update_readme", "json", "only", "render"])]
    set_guard: bool,
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    if args.set_guard {
        return guard::set(paths);
    }
    if args.render {
        return publish::write(&paths.root, &publish::read(&paths.root)?);
    }
    if args.image.is_some() && args.drivers.len() != 1 {
        bail!("an image has one driver: name it by --driver");
    }
    let tools = Tools::of(&setup::ensure(paths)?)?;
    let mut results = Results::new(tools);
    for &driver in &args.drivers {
        let figures = measure::driver(paths, driver, &args)?;
        results.drivers.insert(results::name(driver), figures);
    }
    if args.update_readme {
        let mut all = publish::read_if_there(&paths.root)?;
        all.add(results.clone())?;
        publish::write(&paths.root, &all)?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&results)?);
    } else {
        println!("{}", table::all(&results));
    }
    Ok(())
}
