// SPDX-License-Identifier: GPL-2.0

//! Messages in the kernel log about what clients do wrong.
//!
//! Which there are is up to two masks that are module parameters. All are throttled, since whoever
//! has a device open can cause as many as they like.

use crate::module_parameters::{
    alloc_debug_mask,
    debug_mask,
    stop_on_user_error, //
};
use kernel::{
    fmt::Arguments,
    pr_info_ratelimited,
    prelude::*,
    task::Pid, //
};

/// The bits of `debug_mask` that do something here, and of `alloc_debug_mask` the first one.
pub(crate) const USER_ERROR: u32 = 1 << 0;
const FAILED_TRANSACTION: u32 = 1 << 1;
const OPEN_CLOSE: u32 = 1 << 3;

/// A value of `stop_on_user_error`: there was an error, so nobody goes on.
const STOPPED: u32 = 2;

/// A thread group and a thread of it.
pub(crate) type Who = (Pid, Pid);

/// `who` did something that makes no sense.
#[cold]
pub(crate) fn user_error(who: Who, what: Arguments<'_>) {
    if debug_mask.load() & USER_ERROR != 0 {
        pr_info_ratelimited!("{}:{} {}\n", who.0, who.1, what);
    }
    if stop_on_user_error.load() != 0 {
        stop_on_user_error.store(STOPPED);
    }
}

/// A transaction or a reply of `who` failed.
#[cold]
pub(crate) fn failed(who: Who, what: Arguments<'_>) {
    if debug_mask.load() & FAILED_TRANSACTION != 0 {
        pr_info_ratelimited!("{}:{} {}\n", who.0, who.1, what);
    }
}

/// There was no room for a message in the area of thread group `pid`.
#[cold]
pub(crate) fn no_room(pid: Pid, what: Arguments<'_>) {
    if alloc_debug_mask.load() & USER_ERROR != 0 {
        pr_info_ratelimited!("{}: {}\n", pid, what);
    }
}

/// `who` opened or closed a device.
pub(crate) fn open_close(who: Who, what: &str, device: &CStr) {
    if debug_mask.load() & OPEN_CLOSE != 0 {
        pr_info_ratelimited!("{}:{} {what} {device}\n", who.0, who.1);
    }
}

/// Whether an error has stopped everybody, until somebody writes less than 2 to
/// `stop_on_user_error`.
pub(crate) fn is_stopped() -> bool {
    stop_on_user_error.load() >= STOPPED
}
