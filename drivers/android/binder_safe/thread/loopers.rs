// SPDX-License-Identifier: GPL-2.0

//! Threads that join and leave the pool of their process.

use super::{
    looper,
    Thread, //
};
use crate::diag::messages::About;
use kernel::prelude::*;

/// `BC_REGISTER_LOOPER`: a thread that the driver asked for is there.
///
/// Returns whether it was asked for.
pub(crate) fn register(thread: &Thread) -> bool {
    About::Threads.tell(
        thread.who(),
        fmt!("registers as a thread that was asked for"),
    );
    let mut queue = thread.process.queue.lock();
    let was_requested = queue.loopers.register().is_ok();
    thread.process.note_loopers(&queue);
    let state = thread.state(&mut queue);
    let is_valid = was_requested && state.looper & looper::ENTERED == 0;
    if !is_valid {
        state.looper |= looper::INVALID;
    }
    state.looper |= looper::REGISTERED;
    is_valid
}

/// `BC_ENTER_LOOPER`: a thread comes by itself. Returns whether it may.
pub(crate) fn enter(thread: &Thread) -> bool {
    About::Threads.tell(thread.who(), fmt!("enters the loop"));
    let mut queue = thread.process.queue.lock();
    let state = thread.state(&mut queue);
    let is_valid = state.looper & looper::REGISTERED == 0;
    if !is_valid {
        state.looper |= looper::INVALID;
    }
    state.looper |= looper::ENTERED;
    is_valid
}

/// `BC_EXIT_LOOPER`: a thread leaves.
pub(crate) fn exit(thread: &Thread) {
    About::Threads.tell(thread.who(), fmt!("leaves the loop"));
    let mut queue = thread.process.queue.lock();
    thread.state(&mut queue).looper |= looper::EXITED;
}
