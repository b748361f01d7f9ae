// SPDX-License-Identifier: GPL-2.0

//! Copies between user memory and memory that no Rust reference may point to.

use super::{
    words,
    UserSliceReader, //
};
use crate::prelude::*;

impl UserSliceReader {
    /// Reads `len` bytes from the user slice to memory that others may access at the same time.
    ///
    /// Wraps C's `copy_from_user`. Fails with [`EFAULT`] if the read happens on a bad address, or
    /// if it goes out of bounds of this [`UserSliceReader`]. May modify the memory even if it
    /// returns an error. May sleep.
    ///
    /// # Safety
    ///
    /// `to` must be valid for writing `len` bytes. Others may read and write these bytes
    /// meanwhile, but not through Rust references.
    pub(crate) unsafe fn read_to_ptr(&mut self, to: *mut c_void, len: usize) -> Result {
        if len > self.length {
            return Err(EFAULT);
        }
        // SAFETY: The caller promises that `to` is valid for writing `len` bytes.
        let rest = unsafe {
            words::check_object(to, len, false);
            words::copy_from_user(to, self.ptr, len)
        };
        if rest != 0 {
            return Err(EFAULT);
        }
        self.ptr = self.ptr.wrapping_byte_add(len);
        self.length -= len;
        Ok(())
    }
}
