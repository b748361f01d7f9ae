// SPDX-License-Identifier: GPL-2.0

//! The calls of hooks that are not exported.
//!
//! These functions are neither generic nor inlined, so that the calls are part of the kernel
//! wherever the safe functions that use them are inlined, including a module.

use crate::{
    bindings,
    ffi::c_int, //
};

/// Calls `security_binder_set_context_mgr()`.
///
/// # Safety
///
/// `mgr` must be valid.
#[inline(never)]
pub(super) unsafe fn security_binder_set_context_mgr(mgr: *const bindings::cred) -> c_int {
    // SAFETY: By the safety requirements.
    unsafe { bindings::security_binder_set_context_mgr(mgr) }
}

/// Calls `security_binder_transaction()`.
///
/// # Safety
///
/// `from` and `to` must be valid.
#[inline(never)]
pub(super) unsafe fn security_binder_transaction(
    from: *const bindings::cred,
    to: *const bindings::cred,
) -> c_int {
    // SAFETY: By the safety requirements.
    unsafe { bindings::security_binder_transaction(from, to) }
}

/// Calls `security_binder_transfer_binder()`.
///
/// # Safety
///
/// `from` and `to` must be valid.
#[inline(never)]
pub(super) unsafe fn security_binder_transfer_binder(
    from: *const bindings::cred,
    to: *const bindings::cred,
) -> c_int {
    // SAFETY: By the safety requirements.
    unsafe { bindings::security_binder_transfer_binder(from, to) }
}

/// Calls `security_binder_transfer_file()`.
///
/// # Safety
///
/// `from`, `to` and `file` must be valid.
#[inline(never)]
pub(super) unsafe fn security_binder_transfer_file(
    from: *const bindings::cred,
    to: *const bindings::cred,
    file: *const bindings::file,
) -> c_int {
    // SAFETY: By the safety requirements.
    unsafe { bindings::security_binder_transfer_file(from, to, file) }
}
