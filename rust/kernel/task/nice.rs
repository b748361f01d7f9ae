// SPDX-License-Identifier: GPL-2.0

//! Nice values, as set for a task by itself.
//!
//! C header: [`include/linux/sched/prio.h`](srctree/include/linux/sched/prio.h)

use super::{
    CurrentTask,
    Task, //
};
use crate::{
    bindings,
    ffi::c_long, //
};

/// What became of a request for a nice value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NiceOutcome {
    /// The task was allowed the value.
    Set,
    /// The task was not allowed the value, and got the best one that its `RLIMIT_NICE` allows.
    Capped(i32),
    /// The task was not allowed the value, and its `RLIMIT_NICE` allows none: nothing has changed.
    Refused,
}

/// Nice values.
impl Task {
    /// Returns the nice value of the task, between -20 (most CPU time) and 19 (least).
    ///
    /// # Context
    ///
    /// Any context. The value may change at any time.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!((-20..=19).contains(&current!().nice()));
    /// ```
    #[doc(alias = "task_nice")]
    #[inline]
    pub fn nice(&self) -> i32 {
        // SAFETY: By the type invariants the task is valid.
        unsafe { bindings::task_nice(self.as_ptr()) }
    }
}

/// Nice values.
impl CurrentTask {
    /// Sets the nice value of the current task to `nice`, or as near to it as the task may go.
    ///
    /// A driver that has one task work on behalf of another lets it inherit the other one's nice
    /// value, as far as `RLIMIT_NICE` goes, or wholly for a task with `CAP_SYS_NICE`. The limit is
    /// 1 for 19 and 40 for -20. Unlike nice(2), this asks for the limit whatever value the task has
    /// now: with a limit of 0, as most tasks have it, nothing changes, not even to a higher value.
    ///
    /// A value outside -20..=19 is never set, even where the outcome is [`NiceOutcome::Set`].
    ///
    /// # Context
    ///
    /// Task context, with no spinlock held, as it takes the scheduler's locks and may ask the
    /// security modules about the capability.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::task::NiceOutcome;
    ///
    /// let task = current!();
    /// let before = task.nice();
    /// match task.set_nice_capped(19) {
    ///     NiceOutcome::Set => assert_eq!(task.nice(), 19),
    ///     NiceOutcome::Capped(nice) => assert_eq!(task.nice(), nice),
    ///     NiceOutcome::Refused => assert_eq!(task.nice(), before),
    /// }
    /// task.set_nice_capped(before);
    /// ```
    // `can_nice()` is not exported.
    #[doc(alias = "can_nice")]
    #[doc(alias = "set_user_nice")]
    #[inline(never)]
    pub fn set_nice_capped(&self, nice: i32) -> NiceOutcome {
        let task = self.as_ptr();
        // SAFETY: The current task is valid.
        if unsafe { bindings::can_nice(task, nice) } != 0 {
            // SAFETY: The current task is valid.
            unsafe { bindings::set_user_nice(task, nice as c_long) };
            return NiceOutcome::Set;
        }
        // SAFETY: The limits of the current task are valid; they are read, and changed by others,
        // one word at a time.
        let limit = unsafe { bindings::rlimit(bindings::RLIMIT_NICE) };
        // SAFETY: Just arithmetic.
        let best = unsafe { bindings::rlimit_to_nice(limit as c_long) };
        if best > MAX_NICE {
            return NiceOutcome::Refused;
        }
        let best = best.max(MIN_NICE);
        // SAFETY: The current task is valid.
        unsafe { bindings::set_user_nice(task, best) };
        // CAST: The value is in the range of nice values.
        NiceOutcome::Capped(best as i32)
    }
}

/// The nice value with the least CPU time.
const MAX_NICE: c_long = bindings::MAX_NICE as c_long;

/// The nice value with the most CPU time.
const MIN_NICE: c_long = bindings::MIN_NICE as c_long;

#[cfg(CONFIG_RUST_TASK_NICE_KUNIT_TEST)]
#[macros::kunit_tests(rust_task_nice)]
mod tests {
    use super::*;
    use crate::{
        current,
        ffi::c_ulong,
        prelude::*, //
    };

    /// Takes `CAP_SYS_NICE` and all the other capabilities from this test's task.
    fn drop_capabilities() -> Result {
        // SAFETY: An FFI call without requirements.
        let new = unsafe { bindings::prepare_creds() };
        if new.is_null() {
            return Err(ENOMEM);
        }
        // SAFETY: The new credentials are ours until they are committed, which takes them over.
        unsafe {
            (*new).cap_effective.val = 0;
            crate::error::to_result(bindings::commit_creds(new))
        }
    }

    /// Sets the limit of this test's task, which shares it with no other.
    fn set_limit(limit: c_ulong) {
        // SAFETY: The current task has a signal structure, and is the only one to use it here.
        unsafe {
            let signal = (*Task::current_raw()).signal;
            (*signal).rlim[bindings::RLIMIT_NICE as usize].rlim_cur = limit;
        }
    }

    #[test]
    fn a_capable_task_gets_what_it_asks_for() {
        let task = current!();
        for nice in [-20, 19, 0] {
            assert_eq!(task.set_nice_capped(nice), NiceOutcome::Set);
            assert_eq!(task.nice(), nice);
        }
    }

    #[test]
    fn without_a_limit_nothing_changes() -> Result {
        drop_capabilities()?;
        set_limit(0);
        let task = current!();
        for nice in [-1, 0, 1, 19] {
            assert_eq!(task.set_nice_capped(nice), NiceOutcome::Refused);
            assert_eq!(task.nice(), 0);
        }
        Ok(())
    }

    #[test]
    fn the_limit_is_the_best_value() -> Result {
        drop_capabilities()?;
        // The limit counts from 1 for 19 up to 40 for -20.
        set_limit(25);
        let task = current!();
        assert_eq!(task.set_nice_capped(-5), NiceOutcome::Set);
        assert_eq!(task.nice(), -5);
        assert_eq!(task.set_nice_capped(-6), NiceOutcome::Capped(-5));
        assert_eq!(task.set_nice_capped(19), NiceOutcome::Set);
        assert_eq!(task.set_nice_capped(-20), NiceOutcome::Capped(-5));
        assert_eq!(task.nice(), -5);
        Ok(())
    }

    #[test]
    fn values_out_of_range_are_never_set() -> Result {
        let task = current!();
        task.set_nice_capped(7);
        assert_eq!(task.set_nice_capped(20), NiceOutcome::Set);
        assert_eq!(task.set_nice_capped(-21), NiceOutcome::Set);
        assert_eq!(task.nice(), 7);
        drop_capabilities()?;
        set_limit(100);
        assert_eq!(task.set_nice_capped(-90), NiceOutcome::Capped(-20));
        assert_eq!(task.nice(), -20);
        Ok(())
    }
}
