// SPDX-License-Identifier: GPL-2.0

//! Waking a task with a hint for the scheduler.

use super::{
    Task,
    TASK_NORMAL, //
};
use crate::{
    bindings,
    ffi::c_int, //
};
use core::{
    mem::MaybeUninit,
    ptr, //
};

/// The waker is about to sleep: `WF_SYNC` of `kernel/sched/sched.h`.
///
/// The flag is private to the scheduler, while the function that takes it is exported. The suite
/// `rust_task_wake` compares it with what the scheduler itself passes.
const WF_SYNC: c_int = 0x10;

/// A way of waking besides [`Task::wake_up`].
impl Task {
    /// Wakes up the task, as [`Task::wake_up`] does, by a waker that is about to sleep itself.
    ///
    /// The hint lets the scheduler leave the task on the waker's CPU, which will soon be free,
    /// rather than look for an idle one.
    ///
    /// # Context
    ///
    /// Any context. Better without a lock held that the woken task is going to take.
    ///
    /// # Examples
    ///
    /// ```
    /// // A task that runs is left alone.
    /// current!().wake_up_sync();
    /// ```
    #[doc(alias = "wake_up_interruptible_sync")]
    #[inline]
    pub fn wake_up_sync(&self) {
        self.wake_up_with(WF_SYNC);
    }

    /// Wakes up the task with flags for the scheduler, such as the one above.
    #[inline]
    fn wake_up_with(&self, flags: c_int) {
        let mut entry = MaybeUninit::<bindings::wait_queue_entry>::uninit();
        // SAFETY: `entry` is valid for writes.
        unsafe { (&raw mut (*entry.as_mut_ptr()).private).write(self.as_ptr().cast()) };

        // The function to wake one task is not exported. This one is, and calls it with the task
        // that it finds in `private`; it looks at nothing else in the entry.
        //
        // SAFETY: `private` is initialised to a task, which is valid by the type invariants.
        unsafe {
            bindings::default_wake_function(entry.as_mut_ptr(), TASK_NORMAL, flags, ptr::null_mut())
        };
    }
}

#[cfg(CONFIG_RUST_SYNC_SLEEP_KUNIT_TEST)]
#[macros::kunit_tests(rust_task_wake)]
mod tests {
    use super::*;
    use crate::{
        ffi::{
            c_uint,
            c_void, //
        },
        sync::{
            new_condvar,
            CondVar, //
        },
    };
    use pin_init::stack_pin_init;

    /// What the scheduler passes to the function of a wait queue entry.
    #[repr(C)]
    struct Spy {
        entry: bindings::wait_queue_entry,
        mode: c_uint,
        flags: c_int,
    }

    /// Notes down what the scheduler passes.
    ///
    /// # Safety
    ///
    /// `entry` is the first field of a [`Spy`] that nothing else uses meanwhile.
    unsafe extern "C" fn record(
        entry: *mut bindings::wait_queue_entry,
        mode: c_uint,
        flags: c_int,
        _key: *mut c_void,
    ) -> c_int {
        // SAFETY: By the safety requirements.
        let spy = unsafe { &mut *entry.cast::<Spy>() };
        spy.mode = mode;
        spy.flags = flags;
        1
    }

    /// Calls `wake` on a queue that holds nothing but a spy.
    fn spy_on(wake: impl FnOnce(*mut bindings::wait_queue_head)) -> Spy {
        stack_pin_init!(let queue: CondVar = new_condvar!());
        let head = queue.wait_queue_head.get();
        // SAFETY: All zeroes are a valid value of this type.
        let mut spy: Spy = unsafe { core::mem::zeroed() };
        spy.entry.func = Some(record);
        let entry = &raw mut spy.entry;
        // SAFETY: The queue is initialised, and the entry is part of a `Spy`, which stays in place
        // until it is removed.
        unsafe { bindings::add_wait_queue(head, entry) };
        wake(head);
        // SAFETY: The entry was added to this queue above.
        unsafe { bindings::remove_wait_queue(head, entry) };
        spy
    }

    #[test]
    fn the_synchronous_flag_is_the_scheduler_s() {
        // SAFETY: The queue is valid and initialised.
        let spy = spy_on(|head| unsafe { bindings::__wake_up_sync(head, TASK_NORMAL) });
        assert_eq!(spy.flags, WF_SYNC);
        assert_eq!(spy.mode, TASK_NORMAL);
    }
}
