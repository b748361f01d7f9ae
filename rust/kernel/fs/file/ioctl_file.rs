// SPDX-License-Identifier: GPL-2.0

//! The file of an ioctl call.

use crate::{
    bindings,
    fs::{
        file::{
            flags,
            BadFdError, //
        },
        File,
        LocalFile, //
    },
    sync::aref::ARef,
    types::NotThreadSafe, //
};
use core::ops::Deref;

/// The file on which the current thread executes an ioctl call.
///
/// It stands for a fact about the thread: inside an ioctl call no `fdget_pos` region is active on
/// it, because the ioctl system call looks its file up with `fdget`. Hence a file that is looked up
/// by descriptor number during the call may be shared with other threads, see [`fget`](Self::fget).
///
/// # Invariants
///
/// * The ioctl call lasts at least as long as `'a`.
/// * The value exists on the thread that executes that call.
pub struct IoctlFile<'a> {
    file: &'a File,
    _not_send: NotThreadSafe,
}

impl<'a> IoctlFile<'a> {
    /// Wraps the file of an ioctl call.
    ///
    /// # Safety
    ///
    /// The current thread must be executing the ioctl callback of `file` for at least `'a`.
    pub unsafe fn from_raw(file: *mut bindings::file) -> Self {
        // INVARIANT: The caller's guarantee, on the current thread.
        Self {
            // SAFETY: The file is valid during its ioctl call, and no `fdget_pos` region is active
            // on this thread. On other threads such a region holds the lock, as the descriptor is
            // then shared.
            file: unsafe { File::from_raw_file(file) },
            _not_send: NotThreadSafe,
        }
    }

    /// Looks up a file by its descriptor number in the table of the calling process.
    ///
    /// Unlike [`LocalFile::fget`] this gives a file that may be sent to another thread or process.
    pub fn fget(&self, fd: u32) -> Result<ARef<File>, BadFdError> {
        let file = LocalFile::fget(fd)?;

        // SAFETY: By the type invariants this thread is inside an ioctl call, so it is in no
        // `fdget_pos` region.
        Ok(unsafe { LocalFile::assume_no_fdget_pos(file) })
    }

    /// Tells whether the file is in non-blocking mode (`O_NONBLOCK`) at this moment.
    #[inline]
    pub fn nonblocking(&self) -> bool {
        self.file.flags() & flags::O_NONBLOCK != 0
    }
}

impl Deref for IoctlFile<'_> {
    type Target = File;

    #[inline]
    fn deref(&self) -> &File {
        self.file
    }
}
