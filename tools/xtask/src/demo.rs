// SPDX-License-Identifier: GPL-2.0

//! The demonstration: `make run`.

use anyhow::Result;
use std::time::Duration;

use crate::{
    paths::Paths,
    vm::{self, image::Choice, Event, Program, Vm},
};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    choice: Choice,
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    let mut vm = Vm::new(
        &format!("run-{}", args.choice.name()),
        args.choice.image(paths)?,
    );
    vm.accel = args.choice.accel;
    vm.programs.push(Program::new(
        "demo",
        &["/bin/demo"],
        Duration::from_secs(60),
    ));
    let out = vm::boot(paths, &vm, &mut |event| match event {
        Event::Kernel(_) => {}
        e => println!("{e:?}"),
    })?;
    println!("{out:?}");
    Ok(())
}
