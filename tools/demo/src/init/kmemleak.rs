// SPDX-License-Identifier: GPL-2.0

//! The leak report of a kernel with kmemleak.

use std::{fs, thread, time::Duration};

use crate::say;

const FILE: &str = "/sys/kernel/debug/kmemleak";

/// kmemleak does not report what is younger than five seconds.
const SETTLE: Duration = Duration::from_secs(6);

/// Scans twice, because the first scan sees objects whose last pointer is in flight, and prints
/// the report. The host counts any line of it as a failure.
pub fn report() {
    if fs::write(FILE, "scan").is_err() {
        return;
    }
    thread::sleep(SETTLE);
    if let Err(err) = fs::write(FILE, "scan") {
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
