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
    diag::{
        messages::About,
        trace, //
    },
    object::{
        gift::Gift,
        own::Own,
        queue::Queue,
        thread::{
            looper,
            Thread,
            COMPLETE, //
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
    /// The thread had nothing of its own to read when it began.
    is_free: bool,
    /// It had something that is worth a return.
    is_ready: bool,
}

/// What a thread does next.
enum Next {
    /// It handles an item. The item ends the read if it says what to do then.
    Handle(Item, Option<Leave>),
    /// It has read all there is.
    Return(Leave),
    /// It is told first what was accepted, for which there is no room in kernel memory.
    WriteAccepted,
    /// It cannot take a call before its stack has more room.
    GrowStack((usize, usize)),
}

/// The lock of a process.
type QueueGuard<'a> = Guard<'a, Queue, SpinLockBackend>;

/// Why a thread does not sleep any more.
enum Woken<'a> {
    /// There is something to read.
    Ready(QueueGuard<'a>),
    /// It was given something.
    Given(Gift),
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
            is_free: own.is_available(),
            is_ready: own.is_ready,
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
            self.is_free && thread.state_ref(&queue).is_available()
        });
        loop {
            if self.is_ready {
                self.write_accepted()?;
                if self.is_done() {
                    return self.to.writer.flush();
                }
            }
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
                Next::WriteAccepted => {
                    self.write_accepted()?;
                    continue;
                }
                Next::GrowStack(sizes) => {
                    self.to.thread.grow(sizes)?;
                    continue;
                }
            };
            leave.wake.wake(Urgency::Plain);
            self.to.writer.flush()?;
            if leave.spawn {
                self.ask_for_looper()?;
            }
            return Ok(());
        }
    }

    /// Asks for another thread.
    #[cold]
    fn ask_for_looper(&mut self) -> Result {
        About::Threads.tell(self.to.thread.who(), fmt!("is asked for another thread"));
        self.to.writer.ask_for_looper()
    }

    /// Writes which transactions of the thread were accepted.
    fn write_accepted(&mut self) -> Result {
        while self.to.own.accepted > 0 && self.to.writer.has_room() {
            self.to.own.accepted -= 1;
            self.to.own.is_ready &= self.to.own.accepted > 0;
            self.to.writer.put(COMPLETE)?;
        }
        Ok(())
    }

    /// Whether the thread has read what was worth a return, and nothing else is there. It takes no
    /// lock to see that.
    fn is_done(&self) -> bool {
        self.is_ready
            && self.to.writer.consumed() > self.start
            && self.to.own.is_available()
            && !self.to.thread.is_alerted()
            && !self.to.thread.process.lacks_loopers()
    }

    /// Decides what to do next, and sleeps until there is something.
    fn next(&mut self) -> Result<Next> {
        let thread = self.to.thread;
        let mut queue = thread.process.queue.lock();
        let state = thread.state(&mut queue);
        self.to.own.settle(state);
        if !self.to.own.has_frame() {
            return Ok(Next::GrowStack(state.sizes()));
        }
        loop {
            if !self.has_begun {
                queue = match self.wait(queue)? {
                    Woken::Ready(queue) => queue,
                    Woken::Given(gift) => return Ok(self.accept(gift)),
                };
                self.has_begun = true;
            }
            let has_room = self.to.writer.has_room();
            if has_room && self.to.own.accepted > 0 {
                if !self.to.writer.stage(COMPLETE) {
                    return Ok(Next::WriteAccepted);
                }
                self.to.own.accepted -= 1;
                continue;
            }
            let state = thread.state(&mut queue);
            let own = state.pop_if(has_room);
            let alert = !state.inbox.is_empty() || state.must_return;
            thread.set_alert(&mut queue, alert);
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
                self.to.own.settle(thread.state(&mut queue));
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
            self.is_free = self.to.own.is_available();
            self.is_ready = false;
        }
    }

    /// Sleeps until there is something to read, or the thread was given something.
    fn wait<'q>(&mut self, queue: QueueGuard<'q>) -> Result<Woken<'q>>
    where
        'a: 'q,
    {
        let thread = self.to.thread;
        let mut queue = queue;
        trace_wait(thread, &queue);
        loop {
            let state = thread.state(&mut queue);
            self.takes_any = self.is_free && state.is_available();
            let is_ready = self.is_ready || state.is_ready || state.must_return;
            if is_ready || self.takes_any && !queue.todo.is_empty() {
                return Ok(Woken::Ready(queue));
            }
            if self.nonblocking {
                return Err(EAGAIN);
            }
            if self.takes_any {
                queue.push_idle(thread);
            }
            let state = thread.state(&mut queue);
            state.looper |= looper::WAITING;
            state.sleeper = Some((&**current!()).into());
            // Besides the gift there must be room for what was accepted before.
            state.takes_gifts = self.to.writer.has_room() && self.to.own.accepted <= 1;
            state.can_ask = state.is_looper() && self.to.writer.can_ask_for_looper();
            let is_interrupted = queue.sleep_interruptible_freezable();
            if let Some(gift) = thread.take_gift() {
                return Ok(Woken::Given(gift));
            }
            queue = thread.process.queue.lock();
            // Whoever takes the lock after this sees that the thread does not sleep.
            if let Some(gift) = thread.take_gift() {
                return Ok(Woken::Given(gift));
            }
            // Whoever woke the thread took these. If nobody did, they are not the last ones.
            let _thread = queue.remove_idle(thread);
            let state = thread.state(&mut queue);
            state.looper &= !looper::WAITING;
            state.takes_gifts = false;
            let _task = state.sleeper.take();
            if is_interrupted {
                return Err(EINTR);
            }
        }
    }

    /// Takes what the thread was given, which ends the read.
    fn accept(&mut self, gift: Gift) -> Next {
        self.has_begun = true;
        while self.to.own.accepted > 0 && self.to.writer.stage(COMPLETE) {
            self.to.own.accepted -= 1;
        }
        let leave = Leave {
            spawn: gift.spawn,
            wake: Wake::NOBODY,
        };
        Next::Handle(Item::given(self.to.own, gift.given), Some(leave))
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
        let alert = !state.inbox.is_empty();
        self.to.thread.set_alert(queue, alert);
        let state = self.to.thread.state(queue);
        let can_ask = state.is_looper() && self.to.writer.can_ask_for_looper();
        let spawn = can_ask && queue.request_looper(&self.to.thread.process);
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
            let process = &self.to.thread.process;
            let mut queue = process.queue.lock();
            queue.loopers.take_back();
            process.note_loopers(&queue);
        }
        leave.wake.wake(Urgency::Plain);
    }
}

/// Traces that `thread` is about to wait.
#[inline(always)]
fn trace_wait(thread: &Thread, queue: &Queue) {
    trace::WaitForWork::trace(|| {
        let state = thread.state_ref(queue);
        trace::WaitForWork {
            proc_work: state.is_available(),
            transaction_stack: !state.stack.is_empty(),
            thread_todo: !state.inbox.is_empty(),
        }
    });
}
