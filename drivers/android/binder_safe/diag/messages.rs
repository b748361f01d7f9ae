// SPDX-License-Identifier: GPL-2.0

//! Messages in the kernel log.
//!
//! Which there are is up to two masks that are module parameters. All are throttled, since whoever
//! has a device open can cause as many as they like. What happens in each call has no messages, so
//! that nobody pays for looking at the masks there; trace events show it.

use crate::module_parameters::{
    alloc_debug_mask,
    debug_mask,
    stop_on_user_error, //
};
use kernel::{
    fmt::Arguments,
    pr_info_ratelimited,
    prelude::*,
    print::RateLimit,
    task::Pid, //
};

/// What a message is about: a bit of `debug_mask`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// Somebody did something that makes no sense.
    UserError = 0,
    /// A transaction or a reply failed.
    Failure = 1,
    /// Something will not be read, since its reader is gone.
    Unread = 2,
    /// A device was opened, mapped or closed.
    OpenClose = 3,
    /// A node or a manager is gone with its process.
    DeadNode = 4,
    /// A process asked for news about nodes, or got some.
    News = 5,
    /// A thread came or went, or was asked for.
    Threads = 8,
}

/// The first bit of `alloc_debug_mask`, the only one that does something here.
const NO_ROOM: u32 = 1 << 0;

/// A value of `stop_on_user_error`: there was an error, so nobody goes on.
const STOPPED: u32 = 2;

/// How many messages there are about each; a flood of one kind does not hide the others.
static LIMITS: [RateLimit; About::Threads as usize + 1] =
    [const { RateLimit::new() }; About::Threads as usize + 1];

/// A thread group and a thread of it.
pub(crate) type Who = (Pid, Pid);

impl About {
    /// Whether somebody wants such messages.
    pub(crate) fn is_wanted(self) -> bool {
        debug_mask.load() & 1 << self as u32 != 0
    }

    /// `who` did or met what the message says.
    #[cold]
    pub(crate) fn tell(self, who: Who, what: Arguments<'_>) {
        if self.is_wanted() && LIMITS[self as usize].allow(c"binder messages") {
            pr_info!("{}:{} {what}\n", who.0, who.1);
        }
    }
}

/// `who` did something that makes no sense.
#[cold]
pub(crate) fn user_error(who: Who, what: Arguments<'_>) {
    About::UserError.tell(who, what);
    if stop_on_user_error.load() != 0 {
        stop_on_user_error.store(STOPPED);
    }
}

/// There was no room for a message in the area of thread group `pid`.
#[cold]
pub(crate) fn no_room(pid: Pid, what: Arguments<'_>) {
    if alloc_debug_mask.load() & NO_ROOM != 0 {
        pr_info_ratelimited!("{}: {}\n", pid, what);
    }
}

/// Whether an error has stopped everybody, until somebody writes less than 2 to
/// `stop_on_user_error`.
pub(crate) fn is_stopped() -> bool {
    stop_on_user_error.load() >= STOPPED
}
