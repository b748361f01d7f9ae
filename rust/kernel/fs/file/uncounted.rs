// SPDX-License-Identifier: GPL-2.0

//! Files at the beginning and at the end of their lives.

use super::File;
use crate::{
    bindings,
    cred::Credential,
    types::Opaque, //
};

/// A file of which no reference can be taken, because it is being opened or released.
///
/// While `open` runs, a file has no private data yet. Were it in a descriptor table already, then
/// other threads could call operations that rely on the data; and if `open` fails, whoever had a
/// reference would be left with a file that has neither an inode nor operations. While `release`
/// runs, the count is zero: the file is freed soon, whoever increments it. So the callbacks for
/// these two moments do not get a [`File`], which anybody may keep, but this.
///
/// A [`File`] can be used as one, too.
///
/// # Invariants
///
/// The file has its inode and its credentials, and keeps them while the reference exists.
#[repr(transparent)]
pub struct UncountedFile(Opaque<bindings::file>);

impl UncountedFile {
    /// Wraps a file.
    ///
    /// # Safety
    ///
    /// For `'a`, `file` must be valid and have its inode and its credentials.
    pub(crate) unsafe fn from_raw<'a>(file: *const bindings::file) -> &'a Self {
        // INVARIANT: The caller's guarantee.
        // SAFETY: The caller's guarantee; the type is a transparent wrapper.
        unsafe { &*file.cast() }
    }

    /// Returns the credentials of the task that opened the file (`f_cred` in C).
    pub fn cred(&self) -> &Credential {
        // SAFETY: By the type invariants the file has credentials, which do not change.
        unsafe { Credential::from_ptr((*self.as_ptr()).f_cred) }
    }

    /// Returns a pointer to the C object.
    pub fn as_ptr(&self) -> *mut bindings::file {
        self.0.get()
    }
}

impl<'a> From<&'a File> for &'a UncountedFile {
    fn from(file: &'a File) -> Self {
        // SAFETY: A file that can be counted has been opened, and is not released while there is a
        // reference to it.
        unsafe { UncountedFile::from_raw(file.as_ptr()) }
    }
}
