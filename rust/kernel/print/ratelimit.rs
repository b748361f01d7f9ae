// SPDX-License-Identifier: GPL-2.0

//! Messages that cannot flood the log.
//!
//! C header: [`include/linux/ratelimit.h`](srctree/include/linux/ratelimit.h)

use crate::{
    bindings,
    str::{
        CStr,
        CStrExt as _, //
    },
    sync::atomic::{
        ordering::{
            Acquire,
            Relaxed,
            Release, //
        },
        Atomic,
    },
    types::Opaque,
};

/// Says whether something may happen once more in a stretch of time.
///
/// Wraps the kernel's `struct ratelimit_state` with its default limits: ten times in five seconds.
/// This is what each use of the `pr_*_ratelimited!` macros has one of; a driver that formats its
/// messages in another way can have its own.
///
/// # Invariants
///
/// - `ready` only increases, from 0 over 1 to 2.
/// - While `ready` is 1, exactly one caller of [`Self::allow`] initialises `state`, and nothing
///   else accesses it.
/// - Once `ready` is 2, `state` is initialised, and it is accessed by the C side alone.
///
/// # Examples
///
/// ```
/// use kernel::print::RateLimit;
///
/// static COMPLAINTS: RateLimit = RateLimit::new();
///
/// if COMPLAINTS.allow(c"example") {
///     pr_info!("this goes to the log ten times in five seconds\n");
/// }
/// ```
pub struct RateLimit {
    state: Opaque<bindings::ratelimit_state>,
    ready: Atomic<i32>,
}

// SAFETY: By the type invariants one caller initialises the state before anyone uses it, and then
// the C side synchronises its accesses by the lock in it.
unsafe impl Sync for RateLimit {}

impl RateLimit {
    /// Makes a state that has allowed nothing yet.
    ///
    /// It must not be moved once it is in use, hence it is for a `static` only.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        // INVARIANT: `ready` starts at 0.
        Self {
            state: Opaque::uninit(),
            ready: Atomic::new(0),
        }
    }

    /// Returns whether the caller may go on, and counts it if so.
    ///
    /// When the time is over in which calls had to be turned down, a warning in the log says how
    /// many there were; `name` begins that line.
    ///
    /// # Context
    ///
    /// Any context.
    #[doc(alias = "___ratelimit")]
    pub fn allow(&'static self, name: &'static CStr) -> bool {
        if self.ready.load(Acquire) != 2 && !self.prepare() {
            // Another CPU, or the task that this interrupts, is at the first message just now.
            return true;
        }
        // SAFETY: By the type invariants `state` is initialised, and `name` is a string that ends
        // in a zero byte.
        unsafe { bindings::___ratelimit(self.state.get(), name.as_char_ptr()) != 0 }
    }

    /// Initialises the state, and returns whether it can be used now.
    #[cold]
    fn prepare(&self) -> bool {
        // INVARIANT: Only one caller changes `ready` from 0 to 1.
        if self.ready.cmpxchg(0, 1, Relaxed).is_err() {
            return self.ready.load(Acquire) == 2;
        }
        // SAFETY: By the type invariants this is the only access to `state`, which stays in place,
        // as it is part of a static.
        unsafe { bindings::ratelimit_default_init(self.state.get()) };
        // INVARIANT: `state` has just been initialised.
        self.ready.store(2, Release);
        true
    }
}

/// Prints an info-level message, unless this place in the source has printed too many lately.
///
/// Equivalent to the kernel's [`pr_info_ratelimited`] macro: ten messages in five seconds. The
/// arguments, which are those of [`pr_info!`], are evaluated only if the message is printed. How
/// many messages were left out is said in the log later.
///
/// # Examples
///
/// ```
/// use kernel::pr_info_ratelimited;
///
/// for _ in 0..3 {
///     pr_info_ratelimited!("hello {}\n", "there");
/// }
/// ```
///
/// [`pr_info!`]: crate::pr_info!
/// [`pr_info_ratelimited`]: https://docs.kernel.org/core-api/printk-basics.html
#[macro_export]
macro_rules! pr_info_ratelimited (
    ($($arg:tt)*) => ({
        static LIMIT: $crate::print::RateLimit = $crate::print::RateLimit::new();
        if LIMIT.allow($crate::c_str!(::core::module_path!())) {
            $crate::pr_info!($($arg)*)
        }
    })
);

#[cfg(CONFIG_RUST_PRINT_RATELIMIT_KUNIT_TEST)]
#[macros::kunit_tests(rust_print_ratelimit)]
mod tests {
    use super::*;

    #[test]
    fn the_burst_is_allowed_and_no_more() {
        static LIMIT: RateLimit = RateLimit::new();
        let allowed = (0..100)
            .filter(|_| LIMIT.allow(c"rust_print_ratelimit"))
            .count();
        assert_eq!(allowed, bindings::DEFAULT_RATELIMIT_BURST as usize);
    }

    #[test]
    fn each_place_has_its_own_limit() {
        let mut printed = 0;
        let mut count = || {
            printed += 1;
            printed
        };
        for _ in 0..30 {
            pr_info_ratelimited!("first place: {}\n", count());
        }
        pr_info_ratelimited!("second place: {}\n", count());
        assert_eq!(printed, bindings::DEFAULT_RATELIMIT_BURST as usize + 1);
    }

    #[test]
    fn the_first_message_initialises_the_state() {
        static LIMIT: RateLimit = RateLimit::new();
        assert_eq!(LIMIT.ready.load(Relaxed), 0);
        assert!(LIMIT.allow(c"rust_print_ratelimit"));
        assert_eq!(LIMIT.ready.load(Relaxed), 2);
    }

    #[test]
    fn a_message_during_the_initialisation_is_printed() {
        static LIMIT: RateLimit = RateLimit::new();
        LIMIT.ready.store(1, Relaxed);
        assert!(LIMIT.allow(c"rust_print_ratelimit"));
        assert_eq!(LIMIT.ready.load(Relaxed), 1);
    }
}
