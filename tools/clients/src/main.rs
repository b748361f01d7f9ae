// SPDX-License-Identifier: GPL-2.0

//! Has Binder programs by others talk through the driver: the crate `rsbinder` with its service
//! manager, and the tools of `libgbinder` where they are there. Prints TAP. Needs root, binderfs on
//! /dev/binderfs, and debugfs.

mod children;
mod gbinder;
mod rsb;
mod service;

use std::{
    env,
    panic::{catch_unwind, UnwindSafe},
    process::{Command, ExitCode},
};

use anyhow::{anyhow, Result};

use children::DEVICE;

/// A test: its name, whether it needs the tools of `libgbinder`, and what it does.
struct Case(&'static str, bool, fn() -> Result<()>);

const CASES: [Case; 15] = [
    Case("rsbinder.register_and_list", false, rsb::register_and_list),
    Case("rsbinder.echo", false, rsb::echo),
    Case("rsbinder.nested", false, rsb::nested),
    Case("rsbinder.objects", false, rsb::objects),
    Case("rsbinder.descriptor", false, rsb::descriptor),
    Case("rsbinder.oneway", false, rsb::oneway),
    Case("rsbinder.exception", false, rsb::exception),
    Case("rsbinder.threads", false, rsb::threads),
    Case("rsbinder.death", false, rsb::death),
    Case("rsbinder.notification", false, rsb::notification),
    Case("rsbinder.freezing", false, rsb::freezing),
    Case("gbinder.list", true, gbinder::list),
    Case("gbinder.ping", true, gbinder::ping),
    Case("gbinder.call", true, gbinder::call),
    Case("gbinder.bridge", true, gbinder::bridge),
];

/// Says how one test went, and whether well.
fn tell(number: usize, name: &str, test: impl FnOnce() -> Result<()> + UnwindSafe) -> bool {
    let ended = catch_unwind(test).unwrap_or_else(|_| Err(anyhow!("panicked")));
    match &ended {
        Ok(()) => println!("ok {number} {name}"),
        Err(err) => println!("# {err:#}\nnot ok {number} {name}"),
    }
    ended.is_ok()
}

/// The tests, in a process that has the device open.
fn run() -> Result<bool> {
    let _hub = children::hub("binder")?;
    service::join(DEVICE)?;
    children::until("there is a manager", || rsbinder::hub::default().is_ok())?;
    gbinder::configure()?;
    let mut well = true;
    for (number, Case(name, needs_gbinder, test)) in (1..).zip(&CASES) {
        if *needs_gbinder && !gbinder::is_there() {
            println!("ok {number} {name} # SKIP libgbinder-tools could not be had");
        } else {
            well &= tell(number, name, test);
        }
    }
    Ok(well)
}

/// Has the tests run in another process, so that this one sees what they leave in the driver.
fn all() -> Result<bool> {
    let number = CASES.len() + 1;
    println!("TAP version 13\n1..{number}");
    let well = Command::new(env::current_exe()?)
        .arg("run")
        .status()?
        .success();
    Ok(tell(number, "clients.nothing_is_left", children::nothing_is_left) && well)
}

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let ended = match words[..] {
        [] => all(),
        ["run"] => run(),
        ["serve", name] => service::serve(DEVICE, name).map(|()| true),
        _ => Err(anyhow!("give no argument")),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(err) => {
            eprintln!("# {err:#}");
            ExitCode::FAILURE
        }
    }
}
