// SPDX-License-Identifier: GPL-2.0

//! What a thread keeps for itself, and uses without a lock.

use super::{
    thread::{
        State,
        MAX_CAPACITY, //
    },
    transaction::Transaction, //
};
use crate::{
    diag::ids::Ids,
    proto::wire::ExtendedError, //
};
use core::mem::MaybeUninit;
use kernel::{
    prelude::*,
    sync::{
        Arc,
        UniqueArc, //
    }, //
};

/// What belongs to the task alone, while it is in an ioctl.
pub(crate) struct Own {
    /// Why the last transaction failed.
    pub(crate) extended_error: ExtendedError,
    /// The memory of a finished call, for the next one.
    pub(crate) spare: Option<UniqueArc<MaybeUninit<Transaction>>>,
    /// The next ids to give to what the thread makes.
    pub(crate) ids: Ids,
    /// A call that the thread has made, on its way to the stack. It gets there when the lock is
    /// taken next, at the end of the ioctl at the latest.
    call: Option<Arc<Transaction>>,
    /// How many calls are on the stack, and how many more it has room for.
    depth: usize,
    room: usize,
    /// Transactions that were accepted, and the thread has yet to be told. They come before all
    /// that is in its inbox.
    pub(crate) accepted: u32,
    /// One of them is worth a return of its own.
    pub(crate) is_ready: bool,
    /// The return that the last one was accepted is in the inbox.
    pub(super) is_behind: bool,
}

impl Own {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            extended_error: ExtendedError::none(),
            spare: None,
            ids: Ids::new(),
            call: None,
            depth: 0,
            room: 0,
            accepted: 0,
            is_ready: false,
            is_behind: false,
        }
    }

    /// Checks that the thread reads what it is told.
    pub(super) fn check_accepted(&self) -> Result {
        if self.accepted as usize >= MAX_CAPACITY {
            return Err(ENOMEM);
        }
        Ok(())
    }

    /// Whether the thread has made a call that is not on its stack yet.
    pub(crate) fn has_call(&self) -> bool {
        self.call.is_some()
    }

    /// Whether there is room for another call on the stack.
    pub(crate) fn has_frame(&self) -> bool {
        self.room > 0
    }

    /// Whether the thread has no call on its stack, and room for one.
    pub(crate) fn is_free_to_call(&self) -> bool {
        self.depth == 0 && self.has_frame()
    }

    /// Whether the thread waits for nothing.
    pub(crate) fn is_available(&self) -> bool {
        self.call.is_none() && self.accepted == 0
    }

    /// The thread has made a call, for which there is room on its stack.
    pub(crate) fn push_call(&mut self, call: Arc<Transaction>) {
        self.call = Some(call);
    }

    /// Somebody has put a call on the stack.
    pub(crate) fn note_push(&mut self) {
        self.depth += 1;
        self.room -= 1;
    }

    /// Somebody has taken a call off the stack.
    pub(crate) fn note_pop(&mut self) {
        self.depth -= 1;
        self.room += 1;
    }

    /// Puts the call that the thread has made on the stack, and looks how much room there is.
    pub(crate) fn settle(&mut self, state: &mut State) {
        if let Some(call) = self.call.take() {
            // There is room, so this cannot fail.
            let _ = state.stack.push_within_capacity(call);
        }
        self.depth = state.stack.len();
        self.room = state.stack.capacity() - self.depth;
    }
}
