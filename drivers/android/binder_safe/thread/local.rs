// SPDX-License-Identifier: GPL-2.0

//! Data that a thread keeps for itself, and uses without a lock.

use super::{
    stack::Stack,
    work::Return,
    Thread, //
};
use crate::{
    diag::ids::Ids,
    process::queue::Queue,
    transaction::Transaction,
    wire::structs::ExtendedError, //
};
use core::mem::MaybeUninit;
use kernel::{
    sync::{
        Arc,
        UniqueArc, //
    }, //
};

/// Data of the task alone, while it is in an ioctl.
pub(crate) struct Local {
    /// Why the last transaction failed.
    pub(crate) extended_error: ExtendedError,
    /// The memory of a finished call, for the next one.
    pub(crate) spare: Option<UniqueArc<MaybeUninit<Transaction>>>,
    /// The memory of a return that was read, for the next one.
    pub(super) spare_return: Option<UniqueArc<Return>>,
    /// The next ids to give to what the thread makes.
    pub(crate) ids: Ids,
    /// A call that the thread has made, on its way to the stack. It gets there when the lock is
    /// taken next, at the end of the ioctl at the latest.
    call: Option<Arc<Transaction>>,
    /// There are calls on the stack.
    has_stack: bool,
    /// Transactions that were accepted, of which the thread has yet to be told. They come before
    /// all that is in its inbox.
    pub(crate) completions: u32,
    /// One of them is worth a return of its own.
    pub(crate) is_ready: bool,
    /// The last completion is queued in the inbox, where other items come before it.
    pub(super) queued: Option<Arc<Return>>,
}

impl Local {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self {
            extended_error: ExtendedError::none(),
            spare: None,
            spare_return: None,
            ids: Ids::new(),
            call: None,
            has_stack: false,
            completions: 0,
            is_ready: false,
            queued: None,
        }
    }

    /// Whether the thread has made a call that is not on its stack yet.
    pub(super) fn has_call(&self) -> bool {
        self.call.is_some()
    }

    /// Whether there are calls on the stack.
    pub(super) fn has_stack(&self) -> bool {
        self.has_stack
    }

    /// Whether the thread waits for nothing.
    pub(crate) fn is_available(&self) -> bool {
        self.call.is_none() && self.completions == 0
    }

    /// The thread has made a call.
    pub(crate) fn set_call(&mut self, call: Arc<Transaction>) {
        self.call = Some(call);
    }

    /// Puts the call that `thread`, which this belongs to, has made on its stack.
    pub(super) fn flush_call(&mut self, thread: &Thread, queue: &mut Queue) {
        if let Some(call) = self.call.take() {
            self.has_stack = true;
            thread.push_made(queue, call);
        }
    }

    /// The stack has changed.
    pub(super) fn note_stack(&mut self, stack: &Stack) {
        self.has_stack = !stack.is_empty();
    }

    /// Whether there are calls on the stack was found out without a look at it.
    pub(super) fn set_has_stack(&mut self, has_stack: bool) {
        self.has_stack = has_stack;
    }
}
