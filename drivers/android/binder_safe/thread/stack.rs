// SPDX-License-Identifier: GPL-2.0

//! The calls that a thread makes and handles, each on top of the one that it came after.
//!
//! A thread that waits for a call of its own may have to handle another one, which came back to it
//! on behalf of the first, and may make a call meanwhile, and so on: calls made and calls handled
//! take turns. They are linked in the transactions themselves: below a call that the thread made is
//! the one that it was handling, its `parent`, and a call that it handles has a link for the call
//! of its own below it.

use super::Thread;
use crate::{
    process::queue::Queue,
    transaction::Transaction, //
};
use kernel::sync::Arc;

/// The stack of a thread, protected by the lock of its process.
pub(crate) struct Stack {
    top: Option<Arc<Transaction>>,
    /// The thread handles the call at the top; it made it otherwise.
    is_handling: bool,
}

impl Stack {
    /// No calls.
    pub(super) const fn new() -> Self {
        Self {
            top: None,
            is_handling: false,
        }
    }

    /// Whether there are no calls.
    pub(crate) fn is_empty(&self) -> bool {
        self.top.is_none()
    }

    /// The call that the thread handles and has not replied to, if it waits for nothing.
    pub(crate) fn handled(&self) -> Option<&Arc<Transaction>> {
        self.top.as_ref().filter(|_| self.is_handling)
    }

    /// The call that the thread waits for.
    pub(crate) fn made(&self) -> Option<&Arc<Transaction>> {
        self.top.as_ref().filter(|_| !self.is_handling)
    }
}

impl Thread {
    /// The thread has made a call.
    #[inline]
    pub(super) fn push_made(&self, queue: &mut Queue, call: Arc<Transaction>) {
        let stack = &mut self.state(queue).stack;
        stack.is_handling = false;
        let below = stack.top.replace(call);
        queue.in_calls += usize::from(below.is_none());
        // `parent` of the new call is another reference to it.
        drop(below);
    }

    /// The thread is about to handle a call.
    #[inline]
    pub(super) fn push_handled(&self, queue: &mut Queue, call: Arc<Transaction>) {
        let stack = &mut self.state(queue).stack;
        stack.is_handling = true;
        let below = stack.top.replace(call.clone());
        queue.in_calls += usize::from(below.is_none());
        *call.below(queue) = below;
    }

    /// Takes the call off the stack that is at the top.
    #[inline(always)]
    pub(crate) fn pop_call(&self, queue: &mut Queue) -> Option<Arc<Transaction>> {
        let stack = &mut self.state(queue).stack;
        let call = stack.top.take()?;
        let was_handling = stack.is_handling;
        stack.is_handling = !was_handling;
        let below = if was_handling {
            call.below(queue).take()
        } else {
            call.parent.clone()
        };
        if below.is_some() {
            self.state(queue).stack.top = below;
        } else {
            queue.in_calls -= 1;
        }
        Some(call)
    }

    /// The call below `frame` on the stack of the thread; without one, the call at the top.
    ///
    /// A frame that has left the stack meanwhile has none below it, or one that may have left, too.
    pub(crate) fn frame_below(&self, queue: &mut Queue, frame: Option<&Frame>) -> Option<Frame> {
        let (call, is_handled) = match frame {
            None => {
                let Stack { top, is_handling } = &self.state(queue).stack;
                (top.clone(), *is_handling)
            }
            Some(Frame { call, is_handled }) if *is_handled => (call.below(queue).clone(), false),
            Some(Frame { call, .. }) => (call.parent.clone(), true),
        };
        call.map(|call| Frame { call, is_handled })
    }
}

/// A call on a stack.
pub(crate) struct Frame {
    pub(crate) call: Arc<Transaction>,
    /// The thread handles the call; it made it otherwise.
    pub(crate) is_handled: bool,
}
