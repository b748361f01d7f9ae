// SPDX-License-Identifier: GPL-2.0

//! Ending the VM.

use std::io;

use rustix::{
    system::{reboot, RebootCommand},
    termios::tcdrain,
};

/// Lets the serial port drain and restarts; QEMU runs with `-no-reboot`, so it exits.
pub fn off() -> ! {
    // Nobody is left to hear of an error; the host ends a VM that stays.
    let _ = tcdrain(io::stdout());
    let _ = reboot(RebootCommand::Restart);
    loop {
        std::thread::park();
    }
}
