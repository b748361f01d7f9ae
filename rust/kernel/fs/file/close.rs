// SPDX-License-Identifier: GPL-2.0

//! Closing a file descriptor from within a system call on a file.

use super::{
    table::current_has_table,
    LocalFile, //
};
use crate::{
    bindings,
    prelude::*,
    sync::aref::ARef, //
};
use core::ptr;

/// A file to release when the current task returns to user space.
///
/// # Invariants
///
/// - `work` is the first field.
/// - While `work` is queued, nothing but its callback owns the value.
#[repr(C)]
struct DeferredClose {
    work: bindings::callback_head,
    /// A reference of ours, besides the one that the descriptor had.
    _file: ARef<LocalFile>,
}

/// Closes a descriptor of the current process, and releases its file after the system call.
///
/// A system call on a file, such as an ioctl, may have borrowed the file from the descriptor table
/// without a reference of its own, as `fdget()` does when the process has one thread. It must not
/// close a descriptor of that file, for it might be the last one. This function takes the
/// descriptor out of the table right away, so that its number is free, and calls `flush` of the
/// file, but keeps one more reference until the current task returns to user space, when no system
/// call of the task can be using the file any more.
///
/// The code that runs then belongs to the kernel itself, so that a module may be unloaded
/// meanwhile.
///
/// # Errors
///
/// - [`EBADF`]: no file is open by this number.
/// - [`ENOMEM`]: no memory.
/// - [`ESRCH`]: the current task does not return to user space, as it is exiting or is a kernel
///   thread.
///
/// Nothing has been closed in all of these cases.
///
/// # Context
///
/// Task context that may sleep, with no lock held.
///
/// # Examples
///
/// ```
/// use kernel::fs::file;
///
/// // This example runs in a kernel thread, which never returns to user space.
/// assert_eq!(file::close_fd_deferred(3), Err(ESRCH));
/// ```
// Neither `task_work_add()` nor `file_close_fd()` is exported.
#[doc(alias = "file_close_fd")]
#[doc(alias = "task_work_add")]
#[inline(never)]
pub fn close_fd_deferred(fd: u32) -> Result {
    if !returns_to_user_space() {
        return Err(ESRCH);
    }
    // All that can fail comes before the descriptor is closed.
    let deferred = KBox::new_uninit(GFP_KERNEL)?;
    let file = close_fd(fd).ok_or(EBADF)?;
    queue(KBox::write(
        deferred,
        DeferredClose {
            work: bindings::callback_head {
                next: ptr::null_mut(),
                func: Some(release),
            },
            _file: file,
        },
    ));
    Ok(())
}

/// Whether the current task has a descriptor table and executes work when it leaves the kernel.
fn returns_to_user_space() -> bool {
    let task = crate::task::Task::current_raw();
    // SAFETY: The current task is valid, and it alone changes these flags.
    let is_kthread = unsafe { (*task).flags & bindings::PF_KTHREAD != 0 };
    // The table goes away when the task exits, before its last work is executed.
    !is_kthread && current_has_table()
}

/// Takes a descriptor out of the table of the current task, and returns a reference to its file.
///
/// The task must have a table.
fn close_fd(fd: u32) -> Option<ARef<LocalFile>> {
    // SAFETY: The current task has a descriptor table.
    let file = ptr::NonNull::new(unsafe { bindings::file_close_fd(fd) })?;
    // SAFETY: The reference that the descriptor had is ours now, so that the file is valid, and it
    // comes from the table of this task.
    let held: ARef<LocalFile> = unsafe { LocalFile::from_raw_file(file.as_ptr()) }.into();
    // This returns what `flush` of the file does. close(2) passes it on to a program that knows the
    // descriptor, of which there is none here.
    //
    // SAFETY: This gives up the reference that the descriptor had, while `held` is another one. The
    // current task is valid.
    unsafe { bindings::filp_close(file.as_ptr(), (*bindings::get_current()).files.cast()) };
    Some(held)
}

/// Has the current task release the file on its way to user space.
fn queue(deferred: KBox<DeferredClose>) {
    let deferred = KBox::into_raw(deferred);
    // INVARIANT: The callback, or the code below, takes the value over.
    //
    // SAFETY: The current task is valid, and the work as well, until the callback runs.
    let failed = unsafe {
        bindings::task_work_add(
            bindings::get_current(),
            &raw mut (*deferred).work,
            bindings::task_work_notify_mode_TWA_RESUME,
        )
    };
    if failed != 0 {
        // A task that executes no work any more is past its last system call, so nothing uses the
        // file through the table.
        //
        // SAFETY: The work has not been queued, so that the value still is ours; it comes from a
        // box.
        drop(unsafe { KBox::from_raw(deferred) });
    }
}

/// Releases the file when the task that closed it is on its way to user space.
///
/// # Safety
///
/// `work` is the first field of a [`DeferredClose`] that came from a box and was queued.
unsafe extern "C" fn release(work: *mut bindings::callback_head) {
    // CAST: `work` is the first field of the structure, by the type invariants.
    //
    // SAFETY: By the safety requirements, and as the queue passes the value on to this function.
    drop(unsafe { KBox::from_raw(work.cast::<DeferredClose>()) });
}

#[cfg(CONFIG_RUST_FILE_DESCRIPTORS_KUNIT_TEST)]
#[macros::kunit_tests(rust_file_close_deferred)]
mod tests {
    use super::super::{
        test_file::new_file,
        DescriptorBatch,
        File, //
    };
    use super::*;
    use crate::{
        ffi::{
            c_int,
            c_ulong,
            c_void, //
        },
        sync::{
            Arc,
            Completion,
            SetOnce, //
        },
        types::ForeignOwnable,
    };

    /// What a task that is not a kernel thread found out.
    #[pin_data]
    struct Report {
        found: SetOnce<Result>,
        #[pin]
        done: Completion,
    }

    /// Work that a task executes when it exits, when it has no descriptors any more.
    #[repr(C)]
    struct AtExit {
        work: bindings::callback_head,
        file: ARef<File>,
        found: Result,
        report: Arc<Report>,
    }

    /// Returns an error with a line number, which tells where it went wrong.
    fn check(right: bool, line: u32) -> Result {
        if right {
            return Ok(());
        }
        pr_err!("the check in line {line} failed\n");
        Err(EINVAL)
    }

    /// The number of references to the file, from some start.
    fn references(file: &File) -> i64 {
        // SAFETY: The file is valid, and its count is a word that is read at once.
        unsafe { (&raw const (*file.as_ptr()).f_ref.refcnt.counter).read_volatile() }
    }

    fn close_in_user_task() -> Result {
        let file = new_file()?;
        let mut batch = DescriptorBatch::new();
        let number = batch.reserve(file.clone())?;
        batch.install();
        let before = references(&file);

        check(close_fd_deferred(number).is_ok(), line!())?;
        check(LocalFile::fget(number).is_err(), line!())?;
        check(references(&file) == before, line!())?;
        check(close_fd_deferred(number) == Err(EBADF), line!())?;

        // SAFETY: This is what the way to user space does; no lock is held.
        unsafe { bindings::task_work_run() };
        check(references(&file) == before - 1, line!())
    }

    /// Opens and closes a descriptor. It stays open if there is no memory for closing it.
    #[cfg(CONFIG_RUST_KUNIT_FAIL_NTH)]
    fn close_without_memory() -> Result {
        let file = new_file()?;
        let before = references(&file);
        crate::kunit::each_allocation_fails(|| {
            let mut batch = DescriptorBatch::new();
            let number = batch.reserve(file.clone())?;
            batch.install();
            let closed = close_fd_deferred(number);
            check(LocalFile::fget(number).is_ok() == closed.is_err(), line!())?;
            if closed.is_err() {
                // SAFETY: The descriptor is the test's own.
                unsafe { bindings::close_fd(number) };
            }
            // SAFETY: This is what the way to user space does; no lock is held.
            unsafe { bindings::task_work_run() };
            closed
        })?;
        check(references(&file) == before, line!())
    }

    #[cfg(not(CONFIG_RUST_KUNIT_FAIL_NTH))]
    fn close_without_memory() -> Result {
        Ok(())
    }

    /// Runs the checks in a task that has no table of descriptors.
    ///
    /// # Safety
    ///
    /// `work` is the first field of an [`AtExit`] that came from a box.
    unsafe extern "C" fn at_exit(work: *mut bindings::callback_head) {
        // SAFETY: By the safety requirements.
        let this = unsafe { KBox::from_raw(work.cast::<AtExit>()) };
        let AtExit {
            file,
            found,
            report,
            ..
        } = KBox::into_inner(this);
        let without_table = || {
            check(!current_has_table(), line!())?;
            check(LocalFile::fget(0).is_err(), line!())?;
            check(DescriptorBatch::new().reserve(file) == Err(ESRCH), line!())?;
            check(close_fd_deferred(0) == Err(ESRCH), line!())
        };
        report.found.populate(found.and_then(|()| without_table()));
        report.done.complete_all();
    }

    /// Has the current task run the last checks when it exits.
    fn check_at_exit(found: Result, report: &Arc<Report>) -> Result {
        let work = KBox::new(
            AtExit {
                work: bindings::callback_head {
                    next: ptr::null_mut(),
                    func: Some(at_exit),
                },
                file: new_file()?,
                found,
                report: report.clone(),
            },
            GFP_KERNEL,
        )?;
        let work = KBox::into_raw(work);
        // SAFETY: The current task is valid, and the work as well, until the callback runs. It is
        // not exiting yet, so that this does not fail.
        let failed = unsafe {
            bindings::task_work_add(
                bindings::get_current(),
                &raw mut (*work).work,
                bindings::task_work_notify_mode_TWA_NONE,
            )
        };
        check(failed == 0, line!())
    }

    /// Runs the checks in a task that is not a kernel thread.
    ///
    /// # Safety
    ///
    /// `report` comes from an `Arc<Report>` by `into_foreign`, and goes to this one task.
    unsafe extern "C" fn user_task(report: *mut c_void) -> c_int {
        // SAFETY: By the safety requirements.
        let report = unsafe { <Arc<Report> as ForeignOwnable>::from_foreign(report) };
        let found = close_in_user_task().and_then(|()| close_without_memory());
        if let Err(error) = check_at_exit(found, &report) {
            report.found.populate(Err(error));
            report.done.complete_all();
        }
        drop(report);
        // SAFETY: Nothing is left on the stack that would have to be dropped. The task has no
        // program to return to.
        unsafe { bindings::do_exit(0) }
    }

    #[test]
    fn the_file_outlives_the_system_call() -> Result {
        let report = Arc::pin_init(
            pin_init!(Report {
                found: SetOnce::new(),
                done <- Completion::new(),
            }),
            GFP_KERNEL,
        )?;
        let arg = report.clone().into_foreign();
        // SAFETY: `user_task` takes over what `arg` points to.
        let pid = unsafe {
            bindings::user_mode_thread(Some(user_task), arg, bindings::SIGCHLD as c_ulong)
        };
        if pid < 0 {
            // SAFETY: There is no task to take it over.
            drop(unsafe { <Arc<Report> as ForeignOwnable>::from_foreign(arg) });
            return Err(Error::from_errno(pid));
        }
        report.done.wait_for_completion();
        assert_eq!(report.found.copy(), Some(Ok(())));
        Ok(())
    }

    #[test]
    fn a_kernel_thread_is_refused() -> Result {
        let mut batch = DescriptorBatch::new();
        let number = batch.reserve(new_file()?)?;
        batch.install();
        assert_eq!(close_fd_deferred(number), Err(ESRCH));
        assert!(LocalFile::fget(number).is_ok());
        // SAFETY: The descriptor is the test's own.
        unsafe { bindings::close_fd(number) };
        Ok(())
    }
}
