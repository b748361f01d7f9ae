// SPDX-License-Identifier: GPL-2.0

//! Allocations that fail where a test wants them to.
//!
//! C header: [`include/linux/fault-inject.h`](srctree/include/linux/fault-inject.h)

use crate::{
    bindings,
    error::from_err_ptr,
    ffi::c_ulong,
    prelude::*, //
};
use core::ptr::NonNull;

/// Runs `test` again and again, with another allocation failing each time: first the first one,
/// then the second one, and so on, until `test` is done before the one that would have failed.
/// Returns how many have failed.
///
/// While one fails, `test` must either succeed all the same or fail with `ENOMEM`; with none
/// failing it must succeed. Whatever else it returns ends this with its error.
///
/// The slab allocator, `vmalloc` and the page allocator fail alike, for the current task alone, and
/// nothing is printed about it. Allocations with `__GFP_NOFAIL` do not fail.
///
/// May sleep. Not more than one test may use this at a time, as is the case in KUnit suites. Fails
/// with `ENODEV` if debugfs does not have the settings of the fault injection, and with `ELOOP` if
/// there are more allocations than any test should have.
///
/// # Examples
///
/// ```
/// use kernel::{
///     kunit,
///     prelude::*, //
/// };
///
/// let failed = kunit::each_allocation_fails(|| {
///     let mut numbers = KVec::with_capacity(1, GFP_KERNEL)?;
///     numbers.push(KBox::new(1, GFP_KERNEL)?, GFP_KERNEL)?;
///     Ok(())
/// })?;
/// assert!(failed >= 2);
/// # Ok::<(), Error>(())
/// ```
pub fn each_allocation_fails(mut test: impl FnMut() -> Result) -> Result<u32> {
    const LIMIT: u32 = 10_000;
    let _settings = Settings::new()?;

    for nth in 1..=LIMIT {
        arm(nth);
        let result = test();
        let reached = arm(0) == 0;
        match result {
            Err(error) if !reached || error != ENOMEM => {
                pr_err!("{error:?} when allocation {nth} was to fail\n");
                return Err(error);
            }
            _ if !reached => return Ok(nth - 1),
            _ => {}
        }
    }
    Err(ELOOP)
}

/// Lets the `nth` allocation from now on fail in the current task, none if it is zero. Returns what
/// was left of the last such number: zero if it was reached.
fn arm(nth: u32) -> u32 {
    let task = current!().as_ptr();
    // SAFETY: The current task is alive, and reads this word itself when it allocates.
    unsafe {
        let word = &raw mut (*task).fail_nth;
        let left = word.read_volatile();
        word.write_volatile(nth);
        left
    }
}

/// What lets ordinary allocations fail, and silently; otherwise those that may sleep do not.
struct Settings {
    _ignore: [Setting<bool>; 3],
    _min_order: Setting<u32>,
    _verbose: [Setting<c_ulong>; 2],
}

impl Settings {
    fn new() -> Result<Self> {
        let (slab, pages) = (c"failslab", c"fail_page_alloc");
        // SAFETY: These are the types with which the C side makes the files.
        unsafe {
            Ok(Self {
                _ignore: [
                    Setting::new(slab, c"ignore-gfp-wait", false)?,
                    Setting::new(pages, c"ignore-gfp-wait", false)?,
                    Setting::new(pages, c"ignore-gfp-highmem", false)?,
                ],
                _min_order: Setting::new(pages, c"min-order", 0)?,
                _verbose: [
                    Setting::new(slab, c"verbose", 0)?,
                    Setting::new(pages, c"verbose", 0)?,
                ],
            })
        }
    }
}

/// A variable of the C side that is a file in debugfs, which has another value while this exists.
///
/// # Invariants
///
/// `variable` is that of a file whose variable has the type `T`, and it is there for ever.
struct Setting<T: Copy> {
    variable: NonNull<T>,
    before: T,
}

impl<T: Copy> Setting<T> {
    /// # Safety
    ///
    /// The file `dir`/`name` must be one of a variable of type `T` that is never removed.
    unsafe fn new(dir: &CStr, name: &CStr, value: T) -> Result<Self> {
        let dir = Entry::lookup(core::ptr::null_mut(), dir)?;
        let file = Entry::lookup(dir.0.as_ptr(), name)?;
        // SAFETY: An entry that was found has an inode as long as there is a reference to it.
        let variable = unsafe { (*file.0.as_ref().d_inode).i_private };
        let variable = NonNull::new(variable.cast::<T>()).ok_or(ENODEV)?;
        // SAFETY: By the safety requirements the variable is there, and is a `T`. The C side reads
        // and writes it in the same way, without a lock.
        let before = unsafe { variable.read_volatile() };
        // SAFETY: As above.
        unsafe { variable.write_volatile(value) };
        // INVARIANT: By the safety requirements.
        Ok(Self { variable, before })
    }
}

impl<T: Copy> Drop for Setting<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants. The C side writes it in the same way.
        unsafe { self.variable.write_volatile(self.before) };
    }
}

/// An entry in debugfs.
///
/// # Invariants
///
/// The value owns a reference to the entry.
struct Entry(NonNull<bindings::dentry>);

impl Entry {
    /// Finds `name` in `parent`, or in the root of debugfs if that is null.
    fn lookup(parent: *mut bindings::dentry, name: &CStr) -> Result<Self> {
        // SAFETY: The name is valid during the call, and so is the parent, which is null or comes
        // from an `Entry`.
        let entry = from_err_ptr(unsafe { bindings::debugfs_lookup(name.as_char_ptr(), parent) })?;
        // INVARIANT: The call has returned a reference.
        Ok(Self(NonNull::new(entry).ok_or(ENODEV)?))
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // SAFETY: By the type invariants there is a reference, which is not used after this.
        unsafe { bindings::dput(self.0.as_ptr()) };
    }
}
