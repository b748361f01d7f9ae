// SPDX-License-Identifier: GPL-2.0

//! A call that is not exported.

use crate::bindings;

/// Removes all that waits in a wait queue for poll and epoll, by `__wake_up_pollfree()`.
///
/// This function is neither generic nor inlined, so that the call is part of the kernel wherever
/// the destructors that use it are inlined, including a module.
///
/// # Safety
///
/// `head` must be valid and initialised.
#[inline(never)]
pub(super) unsafe fn wake_up_pollfree(head: *mut bindings::wait_queue_head) {
    // SAFETY: By the safety requirements.
    unsafe { bindings::__wake_up_pollfree(head) }
}
