// SPDX-License-Identifier: GPL-2.0

//! Sleeping without a wait queue.
//!
//! A [`CondVar`] keeps its sleepers in a wait queue, whose own lock is taken to get in, to wake and
//! to get out. Where each sleeper has a place of its own in data that a lock already protects, that
//! is wasted effort: the sleeper can leave its name in that place, and whoever has something for it
//! finds the name there. This file adds the sleep to [`Guard`]; waking is [`Task::wake_up`] and its
//! variants.
//!
//! # Protocol
//!
//! The sleeper, with the lock held:
//!
//! 1. looks whether there is something to do, and if not,
//! 2. records in the protected data that it is to be woken, by an [`ARef<Task>`] to itself,
//! 3. calls a sleep function of the [`Guard`],
//! 4. takes the lock and starts again at 1, whatever the reason for the end of the sleep.
//!
//! The waker, with the same lock held, changes the data and takes the recorded task; then it
//! releases the lock and wakes the task.
//!
//! No wake-up is lost, because the sleeper enters the sleeping state *before* it releases the lock.
//! A waker either had the lock before the sleeper's step 1, which then sees the change, or gets it
//! afterwards; then it sees the name, and its wake-up finds a task that is about to sleep or
//! sleeps. A wake-up that comes late, for a task that has long gone on, ends some later sleep too
//! early, which step 4 takes care of.
//!
//! C header: [`include/linux/sched.h`](srctree/include/linux/sched.h)
//!
//! [`ARef<Task>`]: crate::sync::aref::ARef
//! [`CondVar`]: super::CondVar
//! [`Task::wake_up`]: crate::task::Task::wake_up

use super::lock::{
    Backend,
    Guard, //
};
use crate::{
    bindings,
    ffi::{
        c_int,
        c_uint, //
    },
    task::{
        TASK_FREEZABLE,
        TASK_INTERRUPTIBLE, //
    }, //
};

/// Sleeping under a lock, without a wait queue.
impl<T: ?Sized, B: Backend> Guard<'_, T, B> {
    /// Releases the lock and sleeps until woken.
    ///
    /// The sleep ends when another task wakes this one, for instance by [`Task::wake_up`], when a
    /// signal arrives, or for no reason at all; the caller checks its condition in a loop. If a
    /// signal is pending already, the task does not sleep. While it sleeps the task may be frozen,
    /// for instance for suspend.
    ///
    /// Returns whether a signal is pending. The condition may hold nevertheless.
    ///
    /// The lock is not taken again: a sleeper may learn without it why it was woken. See the
    /// [module] for how sleeper and waker find each other.
    ///
    /// # Context
    ///
    /// Task context that may sleep. The lock must be the only one held, of any kind: a task that is
    /// frozen with a lock held can deadlock others, and lockdep warns about it.
    ///
    /// # Examples
    ///
    /// A slot for one value. One task takes values out of it, and any task may put one in.
    ///
    /// ```
    /// use kernel::{
    ///     new_spinlock,
    ///     sync::{
    ///         aref::ARef,
    ///         Arc,
    ///         SpinLock, //
    ///     },
    ///     task::Task, //
    /// };
    /// # use kernel::workqueue::{self, impl_has_work, new_work, Work, WorkItem};
    ///
    /// struct Slot {
    ///     value: Option<u32>,
    ///     /// The task that waits for a value.
    ///     sleeper: Option<ARef<Task>>,
    /// }
    ///
    /// fn put(slot: &SpinLock<Slot>, value: u32) {
    ///     let mut guard = slot.lock();
    ///     guard.value = Some(value);
    ///     let sleeper = guard.sleeper.take();
    ///     drop(guard);
    ///     if let Some(task) = sleeper {
    ///         task.wake_up();
    ///     }
    /// }
    ///
    /// fn take(slot: &SpinLock<Slot>) -> Result<u32> {
    ///     let mut guard = slot.lock();
    ///     let mut signal = false;
    ///     let found = loop {
    ///         if let Some(value) = guard.value.take() {
    ///             break Ok(value);
    ///         }
    ///         if signal {
    ///             break Err(EINTR);
    ///         }
    ///         guard.sleeper = Some(ARef::from(&**current!()));
    ///         signal = guard.sleep_interruptible_freezable();
    ///         guard = slot.lock();
    ///     };
    ///     guard.sleeper = None;
    ///     found
    /// }
    ///
    /// let shared = Arc::pin_init(
    ///     new_spinlock!(Slot {
    ///         value: None,
    ///         sleeper: None,
    ///     }),
    ///     GFP_KERNEL,
    /// )?;
    /// # #[pin_data]
    /// # struct Writer {
    /// #     #[pin]
    /// #     work: Work<Self>,
    /// #     target: Arc<SpinLock<Slot>>,
    /// # }
    /// # impl_has_work! {
    /// #     impl HasWork<Self> for Writer { self.work }
    /// # }
    /// # impl WorkItem for Writer {
    /// #     type Pointer = Arc<Self>;
    /// #
    /// #     fn run(this: Arc<Self>) {
    /// #         put(&this.target, 42);
    /// #     }
    /// # }
    /// # let target = shared.clone();
    /// # let writer = Arc::pin_init(
    /// #     pin_init!(Writer {
    /// #         work <- new_work!(),
    /// #         target,
    /// #     }),
    /// #     GFP_KERNEL,
    /// # )?;
    /// // Another task puts 42 into the slot.
    /// # let _ = workqueue::system_long().enqueue(writer);
    /// assert_eq!(take(&shared)?, 42);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// [`Task::wake_up`]: crate::task::Task::wake_up
    /// [module]: self
    #[doc(alias = "schedule")]
    #[inline]
    #[must_use = "a pending signal ends a sleep before its condition holds"]
    pub fn sleep_interruptible_freezable(self) -> bool {
        set_current_state(TASK_INTERRUPTIBLE | TASK_FREEZABLE);
        drop(self);
        // SAFETY: An FFI call without requirements on memory. It returns with `TASK_RUNNING`.
        unsafe { bindings::schedule() };
        crate::current!().signal_pending()
    }
}

/// Enters a sleeping state; the next call of the scheduler takes the task off its CPU.
///
/// The caller holds the lock that a waker takes before it wakes: the release of that lock by the
/// sleeper and its acquisition by the waker order this store before the waker's look at the state,
/// so that no further barrier is needed here.
#[inline]
fn set_current_state(state: c_int) {
    // CAST: The states are bits of an `unsigned int`, and all of them positive.
    //
    // SAFETY: A task may change its own state.
    unsafe { bindings::__set_current_state(state as c_uint) };
}

#[cfg(CONFIG_RUST_SYNC_SLEEP_KUNIT_TEST)]
#[macros::kunit_tests(rust_sync_sleep)]
mod tests {
    use crate::{
        new_mutex,
        new_spinlock,
        prelude::*,
        sync::{
            aref::ARef,
            Arc,
            Completion,
            Mutex,
            SpinLock, //
        },
        task::Task,
        workqueue, //
    };

    /// How a test wakes the other task.
    type Wake = fn(&Task);

    #[derive(Default)]
    struct Inbox {
        mail: Option<u32>,
        sleeper: Option<ARef<Task>>,
        sleeps: u32,
    }

    fn post(inbox: &SpinLock<Inbox>, mail: u32, wake: Wake) {
        let mut guard = inbox.lock();
        assert_eq!(guard.mail.replace(mail), None);
        let sleeper = guard.sleeper.take();
        drop(guard);
        if let Some(task) = sleeper {
            wake(&task);
        }
    }

    fn fetch(inbox: &SpinLock<Inbox>) -> Result<u32> {
        let mut guard = inbox.lock();
        loop {
            if let Some(mail) = guard.mail.take() {
                guard.sleeper = None;
                return Ok(mail);
            }
            guard.sleeper = Some(ARef::from(&**crate::current!()));
            guard.sleeps += 1;
            if guard.sleep_interruptible_freezable() {
                return Err(EINTR);
            }
            guard = inbox.lock();
        }
    }

    fn new_inbox() -> Result<Arc<SpinLock<Inbox>>> {
        Arc::pin_init(new_spinlock!(Inbox::default()), GFP_KERNEL)
    }

    /// Two tasks send a number to and fro; one lost wake-up, and neither ever goes on.
    fn ping_pong(rounds: u32, wake: Wake) -> Result {
        let (ping, pong) = (new_inbox()?, new_inbox()?);
        let (there, back) = (ping.clone(), pong.clone());
        workqueue::system_unbound().try_spawn(GFP_KERNEL, move || {
            for _ in 0..rounds {
                match fetch(&there) {
                    Ok(number) => post(&back, number + 1, wake),
                    Err(_) => return,
                }
            }
        })?;
        for round in 0..rounds {
            post(&ping, round, wake);
            assert_eq!(fetch(&pong)?, round + 1);
        }
        assert!(pong.lock().sleeps > 0);
        Ok(())
    }

    #[test]
    fn no_wake_up_is_lost() -> Result {
        ping_pong(20_000, Task::wake_up)
    }

    #[test]
    fn no_synchronous_wake_up_is_lost() -> Result {
        ping_pong(20_000, Task::wake_up_sync)
    }

    fn wake_recorded(lock: &Mutex<Option<ARef<Task>>>) {
        let task = lock.lock().take();
        if let Some(task) = task {
            task.wake_up();
        }
    }

    #[test]
    fn the_lock_is_free_during_the_sleep() -> Result {
        let lock = Arc::pin_init(new_mutex!(None::<ARef<Task>>), GFP_KERNEL)?;
        let ready = Arc::pin_init(Completion::new(), GFP_KERNEL)?;
        let (other, taken) = (lock.clone(), ready.clone());
        let mut guard = lock.lock();
        *guard = Some(ARef::from(&**crate::current!()));
        workqueue::system_unbound().try_spawn(GFP_KERNEL, move || {
            // This blocks until the test sleeps.
            wake_recorded(&other);
            taken.complete_all();
        })?;
        while guard.is_some() {
            assert!(!guard.sleep_interruptible_freezable());
            guard = lock.lock();
        }
        drop(guard);
        ready.wait_for_completion();
        Ok(())
    }
}
