// SPDX-License-Identifier: GPL-2.0

//! Copies of a few words, which is what most structures are.
//!
//! The kernel's copy for any length asks first how long the copy is and how it is best done, and
//! then copies eight bytes per turn of a loop or starts the processor's string copy. That takes
//! longer than copying a structure of a few words, and most structures of interfaces are such.

use super::UserPtr;
use crate::{
    bindings,
    ffi::c_void, //
};

/// What is longer than this is left to the copy for any length.
const MAX: usize = 128;

/// Whether `len` bytes are a few words at addresses from which words can be copied.
///
/// Never, where copies shall fail now and then for a test: only the other copy does.
fn are_few_words(len: usize, kernel: usize, user: usize) -> bool {
    if cfg!(CONFIG_FAULT_INJECTION_USERCOPY) {
        return false;
    }
    let is_aligned =
        cfg!(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS) || (kernel | user) % size_of::<u64>() == 0;
    len <= MAX && len % size_of::<u32>() == 0 && is_aligned
}

/// Checks that the kernel's side of a copy lies within one object (`check_object_size` in C), where
/// the configuration asks for that.
///
/// C does it for each copy of a length that is not known when it is compiled.
///
/// # Safety
///
/// `kernel` must be valid for `len` bytes.
#[inline]
pub(super) unsafe fn check_object(kernel: *const c_void, len: usize, to_user: bool) {
    #[cfg(CONFIG_HARDENED_USERCOPY)]
    // SAFETY: The function only looks where `kernel` points to, and stops the kernel if that is no
    // object of `len` bytes.
    unsafe {
        bindings::check_object_size(kernel, len, to_user)
    };
    #[cfg(not(CONFIG_HARDENED_USERCOPY))]
    let _ = (kernel, len, to_user);
}

/// Copies `len` bytes from user memory and returns how many could not be copied.
///
/// This is C's `_copy_from_user`. The underscore stands for leaving out the check that the kernel's
/// side of the copy lies within one object, which is [`check_object`]. May sleep.
///
/// # Safety
///
/// `to` must be valid for writes of `len` bytes. Others may access these bytes meanwhile, but not
/// through Rust references.
// Not inline, since it is needed in many places.
#[inline(never)]
pub(super) unsafe fn copy_from_user(to: *mut c_void, from: UserPtr, len: usize) -> usize {
    let from = from.as_const_ptr();
    if are_few_words(len, to.addr(), from.addr()) {
        // SAFETY: The caller promises that `to` is valid for writes of `len` bytes.
        if unsafe { bindings::get_user_words(to, from, len) } {
            return 0;
        }
        // Some of it cannot be read; the other copy finds out how much.
    }
    // SAFETY: The caller promises that `to` is valid for writes of `len` bytes.
    unsafe { bindings::_copy_from_user(to, from, len) }
}

/// Copies `len` bytes to user memory and returns how many could not be copied.
///
/// This is C's `_copy_to_user`; see [`copy_from_user`].
///
/// # Safety
///
/// `from` must be valid for reads of `len` bytes, all of which are initialised.
#[inline(never)]
pub(super) unsafe fn copy_to_user(to: UserPtr, from: *const c_void, len: usize) -> usize {
    let to = to.as_mut_ptr();
    if are_few_words(len, from.addr(), to.addr()) {
        // SAFETY: The caller promises that `from` is valid for reads of `len` bytes.
        if unsafe { bindings::put_user_words(to, from, len) } {
            return 0;
        }
    }
    // SAFETY: The caller promises that `from` is valid for reads of `len` bytes.
    unsafe { bindings::_copy_to_user(to, from, len) }
}
