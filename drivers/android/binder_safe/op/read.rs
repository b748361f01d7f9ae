// SPDX-License-Identifier: GPL-2.0

//! Reading: a thread takes its work, or that of its process, and waits while there is none.

use super::{
    deliver::{
        Delivery,
        Got,
        Item, //
    },
    nice,
};
use crate::{
    object::{
        queue::Queue,
        thread::{
            looper,
            Own,
            Thread, //
        },
        work::{
            Urgency,
            Wake,
            Work, //
        },
    },
    proto::returns::ReturnWriter,
};
use kernel::{
    prelude::*,
    sync::{
        lock::{
            spinlock::SpinLockBackend,
            Guard, //
        },
        Arc, //
    }, //
};

/// One read of one thread.
pub(crate) struct Reader<'a, 'w> {
    to: Delivery<'a, 'w>,
    nonblocking: bool,
    /// Something was there to read; what is taken from now on may be nothing to wake up for.
    has_begun: bool,
    /// The thread was free when it began, so it takes work of the process too.
    takes_any: bool,
    /// How much had been written before the first item.
    start: u64,
}

/// What a thread does next.
enum Next {
    /// It handles an item. The item ends the read if it says what to do then.
    Handle(Item, Option<Leave>),
    /// It has read all there is.
    Return(Leave),
    /// It cannot take a call before its stack has more room.
    GrowStack((usize, usize)),
}

/// What is to be done for the process when a thread leaves.
struct Leave {
    /// Ask for another thread.
    spawn: bool,
    /// Wake another thread for the work that is left.
    wake: Wake<'static>,
}

impl<'a, 'w> Reader<'a, 'w> {
    /// A read of the current thread.
    pub(crate) fn new(
        thread: &'a Arc<Thread>,
        own: &'a mut Own,
        writer: &'a mut ReturnWriter<'w>,
        nonblocking: bool,
    ) -> Self {
        Self {
            start: writer.consumed(),
            to: Delivery {
                thread,
                own,
                writer,
            },
            nonblocking,
            has_begun: false,
            takes_any: false,
        }
    }

    /// Reads until there is nothing more, no room, or a transaction.
    ///
    /// Fails with `EAGAIN` if there is nothing and the file does not block, with `EINTR` if a
    /// signal came, and with `EFAULT` if the buffer cannot be written.
    pub(crate) fn read(mut self) -> Result {
        let thread = self.to.thread;
        nice::reset(&thread.process, || {
            let queue = thread.process.queue.lock();
            thread.state_ref(&queue).is_available()
        });
        loop {
            let leave = match self.next()? {
                Next::Handle(item, leave) => match (self.to.handle(item)?, leave) {
                    (Got::Something, Some(leave)) => leave,
                    (Got::Nothing, Some(leave)) => {
                        self.stay(leave);
                        continue;
                    }
                    (_, None) => continue,
                },
                Next::Return(leave) => leave,
                Next::GrowStack(sizes) => {
                    self.to.thread.grow(sizes)?;
                    continue;
                }
            };
            leave.wake.wake(Urgency::Plain);
            self.to.writer.flush()?;
            if leave.spawn {
                self.to.writer.ask_for_looper()?;
            }
            return Ok(());
        }
    }

    /// Decides what to do next, and sleeps until there is something.
    fn next(&mut self) -> Result<Next> {
        let thread = self.to.thread;
        let mut queue = thread.process.queue.lock();
        loop {
            if !self.has_begun {
                self.wait(&mut queue)?;
                self.has_begun = true;
            }
            let has_room = self.to.writer.has_room();
            let state = thread.state(&mut queue);
            if !state.has_frame() {
                return Ok(Next::GrowStack(state.sizes()));
            }
            let own = state.pop_if(has_room);
            let is_own = own.is_some();
            let work = match own {
                None if has_room && self.takes_any => queue.todo.pop(),
                own => own,
            };
            if let Some(work) = work {
                // Nothing but a few bytes in kernel memory, so there is no need to unlock.
                if matches!(work, Work::Accepted(ret) if self.to.writer.stage(ret)) {
                    continue;
                }
                let item = Item::take(thread, &mut queue, work, is_own);
                let leave = item.ends_read().then(|| self.leave(&mut queue));
                return Ok(Next::Handle(item, leave));
            }
            let state = thread.state(&mut queue);
            let is_empty = self.to.writer.consumed() == self.start;
            if !is_empty || !has_room || state.must_return {
                return Ok(Next::Return(self.leave(&mut queue)));
            }
            // All there was to read came to nothing, so begin anew.
            self.has_begun = false;
        }
    }

    /// Sleeps until there is something to read.
    fn wait(&mut self, queue: &mut Guard<'_, Queue, SpinLockBackend>) -> Result {
        let thread = self.to.thread;
        loop {
            let state = thread.state(queue);
            self.takes_any = state.is_available();
            if state.is_ready || state.must_return {
                return Ok(());
            }
            if self.takes_any && !queue.todo.is_empty() {
                return Ok(());
            }
            if self.nonblocking {
                return Err(EAGAIN);
            }
            if self.takes_any {
                queue.push_idle(thread);
            }
            let state = thread.state(queue);
            state.looper |= looper::WAITING;
            state.sleeper = Some((&**current!()).into());
            let is_interrupted = queue.sleep_interruptible_freezable();
            // Whoever woke the thread took these. If nobody did, they are not the last ones.
            let _thread = queue.remove_idle(thread);
            let state = thread.state(queue);
            state.looper &= !looper::WAITING;
            let _task = state.sleeper.take();
            if is_interrupted {
                return Err(EINTR);
            }
        }
    }

    /// Looks after the rest of the process before the thread is busy.
    fn leave(&self, queue: &mut Queue) -> Leave {
        let idle = if queue.todo.is_empty() {
            None
        } else {
            queue.pop_idle()
        };
        let task = idle.and_then(|idle| idle.state(queue).sleeper.take());
        let state = self.to.thread.state(queue);
        state.must_return = false;
        let is_looper = state.looper & (looper::REGISTERED | looper::ENTERED) != 0;
        let spawn = is_looper
            && self.to.writer.can_ask_for_looper()
            && queue.nobody_is_idle()
            && queue.loopers.request();
        Leave {
            spawn,
            wake: Wake {
                task,
                pollers: None,
            },
        }
    }

    /// The thread goes on after all.
    fn stay(&self, leave: Leave) {
        if leave.spawn {
            self.to.thread.process.queue.lock().loopers.take_back();
        }
        leave.wake.wake(Urgency::Plain);
    }
}
