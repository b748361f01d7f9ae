// SPDX-License-Identifier: GPL-2.0

//! An interactive shell in the VM.

use std::{path::Path, time::Duration};

use anyhow::{bail, Result};

use super::{image::Choice, session, Program};
use crate::{kernel::modules::BUSYBOX, paths::Paths};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    choice: Choice,
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    if !Path::new(BUSYBOX).is_file() {
        bail!("there is no {BUSYBOX}; install the package busybox-static");
    }
    let mut vm = args.choice.vm(paths, "shell")?;
    vm.cmdline = "quiet".to_string();
    vm.files.push((BUSYBOX.to_string(), BUSYBOX.into()));
    let install = [BUSYBOX, "--install", "-s", "/bin"];
    vm.programs
        .push(Program::new("busybox", &install, Duration::from_secs(10)));
    let mut shell = Program::new("shell", &["/bin/sh", "-l"], Duration::ZERO);
    shell.console = true;
    vm.programs.push(shell);
    println!(
        "A shell in the VM, {}; binderfs is on /dev/binderfs.",
        args.choice.name()
    );
    println!("Ctrl-D or Ctrl-A x ends it, Ctrl-A c is QEMU's monitor.");
    session::interact(paths, &vm)
}
