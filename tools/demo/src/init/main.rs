// SPDX-License-Identifier: GPL-2.0

//! Process 1 of the VM: mounts what the tests need, runs the programs listed in `/programs`, says
//! how each ended, and restarts the machine, which ends QEMU.
//!
//! Programs and this init speak on the second serial port, so that no kernel message lands inside
//! a line of test output. Lines that start with [`MARK`] are for the host, the rest is output.

mod kmemleak;
mod list;
mod mounts;
mod power;
mod spawn;

use std::fs::OpenOptions;
use std::io::Write;

/// Starts every line that is meant for the host; nothing else may print it.
const MARK: &str = "@@vm";

/// The port for output, or the console if the VM has one port alone (the interactive shell).
const PORTS: [&str; 2] = ["/dev/ttyS1", "/dev/console"];

fn say(words: &str) {
    println!("{MARK} {words}");
    let _ = std::io::stdout().flush();
}

fn main() {
    let mut problems = mounts::mount_all();
    if let Err(err) = spawn::hold_child_signal() {
        problems.push(format!("cannot hold SIGCHLD: {err}"));
    }
    for port in PORTS {
        let Ok(tty) = OpenOptions::new().read(true).write(true).open(port) else {
            continue;
        };
        if spawn::make_raw(&tty).is_ok() && spawn::become_stdio(&tty).is_ok() {
            break;
        }
    }
    say("up");
    for problem in problems {
        println!("init: {problem}");
    }
    match list::read("/programs") {
        Ok(programs) => programs.iter().for_each(spawn::run),
        Err(err) => say(&format!("fault cannot read /programs: {err}")),
    }
    kmemleak::report();
    say("down");
    power::off();
}
