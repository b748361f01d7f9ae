// SPDX-License-Identifier: GPL-2.0

//! Data that one task at a time uses, across sleeps.

use super::atomic::{
    ordering::{
        Acquire,
        Release, //
    },
    AtomicFlag,
};
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    ops::{
        Deref,
        DerefMut, //
    },
};

/// A container that lets one user in at a time and turns the others away.
///
/// Some data has one natural owner, such as the state that a driver keeps for a thread, which only
/// the system calls of that thread touch. A lock around it never waits in practice, and yet costs
/// what locks cost, and forbids to sleep if it is a spinlock. This container has no owner that it
/// would know by name; it makes sure that there is no second user while there is a first one.
///
/// Entering is one atomic exchange with acquire ordering, and leaving one store with release
/// ordering. Neither waits, or does anything to interrupts or preemption. What one user did is
/// visible to the next one.
///
/// # Invariants
///
/// - `busy` is set if and only if an [`ExclusiveGuard`] of this cell exists or is being made or
///   dropped.
/// - There is at most one such guard, and nothing else accesses `value`.
///
/// # Examples
///
/// ```
/// use kernel::sync::ExclusiveCell;
///
/// struct Progress {
///     calls: u32,
/// }
///
/// struct Thread {
///     private: ExclusiveCell<Progress>,
/// }
///
/// impl Thread {
///     /// Handles a system call.
///     fn call(&self) -> Result<u32> {
///         // A second task that uses the thread meanwhile gets an error.
///         let mut progress = self.private.try_borrow_mut().ok_or(EBUSY)?;
///         progress.calls += 1;
///         // It is fine to sleep here.
///         Ok(progress.calls)
///     }
/// }
///
/// let thread = Thread {
///     private: ExclusiveCell::new(Progress { calls: 0 }),
/// };
/// assert_eq!(thread.call()?, 1);
///
/// let first = thread.private.try_borrow_mut();
/// assert!(first.is_some());
/// assert_eq!(thread.call(), Err(EBUSY));
/// drop(first);
/// assert_eq!(thread.call()?, 2);
/// # Ok::<(), Error>(())
/// ```
pub struct ExclusiveCell<T> {
    busy: AtomicFlag,
    value: UnsafeCell<T>,
}

// SAFETY: By the type invariants there is one user of the value at a time, and acquire and release
// of `busy` order the uses, so that sharing the cell does no more than send the value from one task
// to another. `Send` follows from the fields.
unsafe impl<T: Send> Sync for ExclusiveCell<T> {}

impl<T> ExclusiveCell<T> {
    /// Makes a cell that nobody uses.
    #[inline]
    pub const fn new(value: T) -> Self {
        // INVARIANT: `busy` is not set, and no guard can exist yet.
        Self {
            busy: AtomicFlag::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// Enters the cell, unless somebody is in it.
    ///
    /// The guard may be kept while the task sleeps; dropping it leaves the cell.
    ///
    /// # Context
    ///
    /// Any context.
    #[must_use = "the cell is left at once if the guard is unused"]
    #[inline]
    pub fn try_borrow_mut(&self) -> Option<ExclusiveGuard<'_, T>> {
        if self.busy.xchg(true, Acquire) {
            return None;
        }
        // INVARIANT: `busy` was not set, so there was no guard, and this exchange alone has set it,
        // so that this is the one guard.
        Some(ExclusiveGuard {
            cell: self,
            _value: PhantomData,
        })
    }
}

/// The permission to use the value of an [`ExclusiveCell`], until it is dropped.
///
/// # Invariants
///
/// `cell.busy` is set, and this is the only guard of `cell`.
#[must_use = "the cell is left at once if the guard is unused"]
pub struct ExclusiveGuard<'a, T> {
    cell: &'a ExclusiveCell<T>,
    /// The guard acts as the mutable reference that it gives out; in particular it is `Sync` only
    /// if `T` is.
    _value: PhantomData<&'a mut T>,
}

impl<T> Deref for ExclusiveGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: By the type invariants nothing but this guard accesses the value, and the
        // reference borrows the guard.
        unsafe { &*self.cell.value.get() }
    }
}

impl<T> DerefMut for ExclusiveGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: By the type invariants nothing but this guard accesses the value, and the
        // reference borrows the guard mutably.
        unsafe { &mut *self.cell.value.get() }
    }
}

impl<T> Drop for ExclusiveGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // INVARIANT: The only guard goes away, and gives no reference out any more.
        self.cell.busy.store(false, Release);
    }
}

#[cfg(CONFIG_RUST_EXCLUSIVE_CELL_KUNIT_TEST)]
#[macros::kunit_tests(rust_exclusive_cell)]
mod tests {
    use super::*;
    use crate::{
        prelude::*,
        sync::{
            atomic::{
                Atomic,
                Relaxed, //
            },
            Arc,
            Completion, //
        },
        workqueue, //
    };

    #[test]
    fn the_second_user_is_turned_away() {
        let cell = ExclusiveCell::new(1);
        let mut first = cell.try_borrow_mut().unwrap();
        assert!(cell.try_borrow_mut().is_none());
        *first += 1;
        assert!(cell.try_borrow_mut().is_none());
        drop(first);
        assert_eq!(*cell.try_borrow_mut().unwrap(), 2);
    }

    #[test]
    fn the_value_is_dropped_once() -> Result {
        let value = Arc::new((), GFP_KERNEL)?;
        let cell = ExclusiveCell::new(Some(value.clone()));
        assert!(cell.try_borrow_mut().unwrap().is_some());
        assert!(Arc::into_unique_or_drop(value.clone()).is_none());
        drop(cell);
        assert!(Arc::into_unique_or_drop(value).is_some());
        Ok(())
    }

    #[test]
    fn another_task_is_turned_away_while_this_one_sleeps() -> Result {
        let cell = Arc::new(ExclusiveCell::new(0), GFP_KERNEL)?;
        let done = Arc::pin_init(Completion::new(), GFP_KERNEL)?;
        let mut first = cell.try_borrow_mut().unwrap();
        let (other, told) = (cell.clone(), done.clone());
        workqueue::system_unbound().try_spawn(GFP_KERNEL, move || {
            if let Some(mut second) = other.try_borrow_mut() {
                *second = 100;
            }
            told.complete_all();
        })?;
        done.wait_for_completion();
        *first += 1;
        assert_eq!(*first, 1);
        Ok(())
    }

    const WORKERS: usize = 4;
    const ROUNDS: u64 = 50_000;

    struct Contest {
        /// A pair of numbers that are equal whenever nobody is in.
        cell: ExclusiveCell<(u64, u64)>,
        entered: Atomic<u64>,
        broken: Atomic<u64>,
    }

    impl Contest {
        fn run(&self) {
            for _ in 0..ROUNDS {
                if let Some(mut pair) = self.cell.try_borrow_mut() {
                    if pair.0 != pair.1 {
                        self.broken.fetch_add(1, Relaxed);
                    }
                    pair.0 += 1;
                    core::hint::spin_loop();
                    pair.1 += 1;
                    self.entered.fetch_add(1, Relaxed);
                }
            }
        }
    }

    #[test]
    fn tasks_on_several_cpus_exclude_each_other() -> Result {
        let contest = Arc::new(
            Contest {
                cell: ExclusiveCell::new((0, 0)),
                entered: Atomic::new(0),
                broken: Atomic::new(0),
            },
            GFP_KERNEL,
        )?;
        let mut ends = KVec::with_capacity(WORKERS, GFP_KERNEL)?;
        for _ in 0..WORKERS {
            let end = Arc::pin_init(Completion::new(), GFP_KERNEL)?;
            let (mine, told) = (contest.clone(), end.clone());
            workqueue::system_unbound().try_spawn(GFP_KERNEL, move || {
                mine.run();
                told.complete_all();
            })?;
            ends.push(end, GFP_KERNEL)?;
        }
        for end in &ends {
            end.wait_for_completion();
        }
        assert_eq!(contest.broken.load(Relaxed), 0);
        let pair = contest.cell.try_borrow_mut().unwrap();
        assert_eq!(pair.0, contest.entered.load(Relaxed));
        assert_eq!(pair.0, pair.1);
        assert!(pair.0 > 0);
        Ok(())
    }
}
