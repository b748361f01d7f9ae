// SPDX-License-Identifier: GPL-2.0

//! Threads that join and leave the pool of their process.

use crate::object::thread::{
    looper,
    Thread, //
};

/// `BC_REGISTER_LOOPER`: a thread that the driver asked for is there.
pub(crate) fn register(thread: &Thread) {
    let mut queue = thread.process.queue.lock();
    let was_requested = queue.loopers.register().is_ok();
    let state = thread.state(&mut queue);
    if !was_requested || state.looper & looper::ENTERED != 0 {
        state.looper |= looper::INVALID;
    }
    state.looper |= looper::REGISTERED;
}

/// `BC_ENTER_LOOPER`: a thread comes by itself.
pub(crate) fn enter(thread: &Thread) {
    let mut queue = thread.process.queue.lock();
    let state = thread.state(&mut queue);
    if state.looper & looper::REGISTERED != 0 {
        state.looper |= looper::INVALID;
    }
    state.looper |= looper::ENTERED;
}

/// `BC_EXIT_LOOPER`: a thread leaves.
pub(crate) fn exit(thread: &Thread) {
    let mut queue = thread.process.queue.lock();
    thread.state(&mut queue).looper |= looper::EXITED;
}
