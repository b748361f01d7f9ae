// SPDX-License-Identifier: GPL-2.0

//! Tells the guest how fast its time-stamp counter runs.
//!
//! Our kernels have no ACPI, so they would calibrate the counter against the emulated PIT, which
//! fails when the host is busy; what is left then is a clock that moves every 10 ms.

use std::{
    arch::x86_64::_rdtsc,
    thread,
    time::{Duration, Instant},
};

use super::Clock;

/// Long enough for an error of a few parts in a million.
const SAMPLE: Duration = Duration::from_millis(20);

fn ticks() -> u64 {
    // SAFETY: Reads a counter that every x86-64 processor has.
    unsafe { _rdtsc() }
}

/// The counter of this host, which the guest sees too, in kHz.
fn host_khz() -> u128 {
    let (start, first) = (Instant::now(), ticks());
    thread::sleep(SAMPLE);
    let (time, last) = (start.elapsed(), ticks());
    u128::from(last.wrapping_sub(first)) * 1_000_000 / time.as_nanos()
}

/// Kernel parameters for the guest's clock. By instructions the counter is 1 GHz by definition.
pub fn parameters(clock: Clock) -> String {
    let khz = match clock {
        Clock::Real => host_khz(),
        Clock::Instructions => 1_000_000,
    };
    format!("tsc=reliable tsc_early_khz={khz}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_counts_at_a_likely_speed() {
        assert!((500_000..10_000_000).contains(&host_khz()));
    }
}
