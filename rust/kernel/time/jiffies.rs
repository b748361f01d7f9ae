// SPDX-License-Identifier: GPL-2.0

//! Clocks that cost next to nothing to read.
//!
//! C headers: [`include/linux/jiffies.h`](srctree/include/linux/jiffies.h),
//! [`include/linux/timex.h`](srctree/include/linux/timex.h)

use crate::bindings;

/// Returns the time since boot, in ticks, of which [`jiffies_64_to_msecs`] makes milliseconds.
///
/// The count begins somewhat below 2 to the power of 32, so only differences mean something. It
/// does not go on while the system is suspended.
///
/// # Context
///
/// Any context.
///
/// # Examples
///
/// ```
/// use kernel::time::{
///     get_jiffies_64,
///     jiffies_64_to_msecs, //
/// };
///
/// let start = get_jiffies_64();
/// // A tick is at most 10 ms, and far less than a minute passes here.
/// assert!(jiffies_64_to_msecs(get_jiffies_64() - start) < 60_000);
/// ```
pub fn get_jiffies_64() -> u64 {
    // SAFETY: Reading the count has no preconditions.
    unsafe { bindings::get_jiffies_64() }
}

/// Converts a number of ticks to milliseconds.
///
/// # Context
///
/// Any context.
///
/// # Examples
///
/// ```
/// use kernel::time::jiffies_64_to_msecs;
///
/// assert_eq!(jiffies_64_to_msecs(0), 0);
/// assert_eq!(jiffies_64_to_msecs(kernel::time::msecs_to_jiffies(1000) as u64), 1000);
/// ```
#[doc(alias = "jiffies64_to_msecs")]
pub fn jiffies_64_to_msecs(jiffies: u64) -> u64 {
    // SAFETY: The function only computes.
    unsafe { bindings::jiffies64_to_msecs(jiffies) }
}

/// Returns the cycle counter of the current CPU: a clock of unknown rate, to put events in order.
///
/// CPUs need not agree on it, and on machines without such a counter it is 0.
///
/// # Context
///
/// Any context.
///
/// # Examples
///
/// ```
/// use kernel::time::get_cycles;
///
/// let _stamp = get_cycles();
/// ```
pub fn get_cycles() -> u64 {
    // SAFETY: Reading the counter has no preconditions.
    unsafe { bindings::get_cycles() as u64 }
}
