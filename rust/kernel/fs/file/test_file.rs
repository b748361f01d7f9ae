// SPDX-License-Identifier: GPL-2.0

//! A file for tests.

use super::File;
use crate::{
    bindings,
    error::from_err_ptr,
    ffi::c_int,
    prelude::*,
    sync::aref::ARef, //
};
use core::ptr::NonNull;

/// Opens the root directory, which is there whenever KUnit runs.
pub(super) fn new_file() -> Result<ARef<File>> {
    let flags = (bindings::O_RDONLY | bindings::O_DIRECTORY) as c_int;
    // SAFETY: The path ends in a zero byte.
    let file = from_err_ptr(unsafe { bindings::filp_open(c"/".as_char_ptr(), flags, 0) })?;
    let file = NonNull::new(file).ok_or(ENOENT)?;
    // SAFETY: The file was opened with one reference, which is ours, and it has no descriptor, so
    // that no `fdget_pos()` can have seen it.
    Ok(unsafe { ARef::from_raw(file.cast()) })
}
