// SPDX-License-Identifier: GPL-2.0

//! User memory for tests.

use super::{
    UserPtr,
    UserSlice, //
};
use crate::{
    bindings,
    ffi::c_ulong,
    page::PAGE_SIZE,
    prelude::*, //
};
use core::ptr;

/// A private anonymous mapping with a hole behind it, in the address space of a KUnit test.
///
/// It goes with the task that runs the test.
pub(super) struct UserMemory {
    address: usize,
    len: usize,
}

impl UserMemory {
    /// Maps `pages` pages of zeroes.
    pub(super) fn new(pages: usize) -> Result<Self> {
        let len = pages * PAGE_SIZE;
        // SAFETY: An FFI call without requirements.
        let test = unsafe { bindings::kunit_get_current_test() };
        if test.is_null() {
            return Err(EINVAL);
        }
        // SAFETY: `test` is the running test, and there is no file.
        let address = unsafe {
            bindings::kunit_vm_mmap(
                test,
                ptr::null_mut(),
                0,
                len + PAGE_SIZE,
                (bindings::PROT_READ | bindings::PROT_WRITE) as c_ulong,
                (bindings::MAP_PRIVATE | bindings::MAP_ANONYMOUS) as c_ulong,
                0,
            )
        };
        // An error is an address in the last page of all.
        if address == 0 || address > usize::MAX - PAGE_SIZE {
            return Err(ENOMEM);
        }
        // SAFETY: Unmaps nothing but the last page of the mapping that was made above.
        crate::error::to_result(unsafe { bindings::vm_munmap(address + len, PAGE_SIZE) })?;
        Ok(Self { address, len })
    }

    /// The bytes that are mapped, which the hole follows.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// `len` bytes from `offset` on; they may reach into the hole.
    pub(super) fn slice(&self, offset: usize, len: usize) -> UserSlice {
        UserSlice::new(UserPtr::from_addr(self.address + offset), len)
    }
}
