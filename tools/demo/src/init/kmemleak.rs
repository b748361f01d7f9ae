// SPDX-License-Identifier: GPL-2.0

//! The leak report of a kernel with kmemleak.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    thread,
    time::Duration,
};

use crate::say;

const FILE: &str = "/sys/kernel/debug/kmemleak";

/// kmemleak does not report what is younger than five seconds.
const SETTLE: Duration = Duration::from_secs(6);

/// Without `O_CREAT`, which debugfs answers with "permission denied" where there is no such file.
fn scan() -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .open(FILE)?
        .write_all(b"scan")
}

/// Nothing on a kernel without kmemleak. Scans twice, because the first scan sees objects whose
/// last pointer is in flight, and prints the report. The host counts each object as a failure.
pub fn report() {
    match scan() {
        Err(err) if err.kind() == ErrorKind::NotFound => return,
        Err(err) => return say(&format!("fault cannot scan for leaks: {err}")),
        Ok(()) => {}
    }
    thread::sleep(SETTLE);
    if let Err(err) = scan() {
        return say(&format!("fault cannot scan for leaks: {err}"));
    }
    match fs::read_to_string(FILE) {
        Ok(text) => {
            text.lines().for_each(|line| say(&format!("leak {line}")));
            say("leaks-checked");
        }
        Err(err) => say(&format!("fault cannot read the leak report: {err}")),
    }
}
