// SPDX-License-Identifier: GPL-2.0

//! Reading: a thread takes its work, or that of its process, and waits while there is none.

use super::{
    deliver::{
        Delivery,
        Got,
        Item, //
    },
    handoff::{
        Handoff,
        Taken, //
    },
    local::Local,
    looper,
    nice,
    wake::{
        Urgency,
        Wake, //
    },
    work::Work,
    Thread,
    COMPLETE, //
};
use crate::{
    diag::{
        messages::About,
        trace, //
    },
    process::{
        queue::Queue,
        Process, //
    },
    wire::returns::ReturnWriter, //
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
    process: &'a Process,
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

/// The next step of a read.
enum Next<'a> {
    /// An item is handled. With a second value, the read ends unless the item comes to nothing.
    Handle(Item, Option<Leave<'a>>),
    /// There is nothing more to read.
    Return(Leave<'a>),
    /// Completions are written, for which there is no room in kernel memory.
    WriteCompletions,
}

/// The lock of a process.
type QueueGuard<'a> = Guard<'a, Queue, SpinLockBackend>;

/// Why a thread does not sleep any more.
enum Woken<'a> {
    /// There is something to read.
    Ready(QueueGuard<'a>),
    /// It was handed something.
    HandedOver(Handoff),
}

/// The duties of a thread that leaves a read.
struct Leave<'a> {
    /// Ask for another thread.
    spawn: bool,
    /// Wake another thread for the work that is left.
    wake: Wake<'a>,
}

impl<'a, 'w> Reader<'a, 'w> {
    /// A read of the current thread.
    pub(crate) fn new(
        process: &'a Process,
        thread: &'a Arc<Thread>,
        local: &'a mut Local,
        writer: &'a mut ReturnWriter<'w>,
        nonblocking: bool,
    ) -> Self {
        Self {
            start: writer.consumed(),
            is_free: local.is_available(),
            is_ready: local.is_ready,
            process,
            to: Delivery {
                thread,
                local,
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
        let peer = &self.to.thread.process;
        let result = self.try_read();
        if result.is_err() {
            // Whatever this thread might have taken is for another one.
            let mut queue = peer.queue.lock();
            let wake = peer.rouse(&mut queue);
            drop(queue);
            wake.wake(Urgency::Plain);
        }
        result
    }

    fn try_read(&mut self) -> Result {
        let (process, thread) = (self.process, self.to.thread);
        nice::reset(process, || {
            let queue = thread.process.queue.lock();
            self.is_free && thread.state_ref(&queue).is_available()
        });
        loop {
            if self.is_ready {
                self.write_completions()?;
                if self.is_done() {
                    return self.to.writer.flush();
                }
            }
            // One call of each, so that both are part of this function.
            let leave = match self.next()? {
                Next::Handle(item, leave) => match (self.to.handle(item), leave) {
                    (Ok(Got::Something), Some(leave)) => leave,
                    (handled, leave) => {
                        // The thread goes on after all, or fails.
                        if let Some(leave) = leave {
                            self.stay(leave);
                        }
                        handled?;
                        continue;
                    }
                },
                Next::Return(leave) => leave,
                Next::WriteCompletions => {
                    self.write_completions()?;
                    continue;
                }
            };
            return self.leave(leave);
        }
    }

    /// Ends the read.
    fn leave(&mut self, leave: Leave<'_>) -> Result {
        let Leave { spawn, wake } = leave;
        wake.wake(Urgency::Plain);
        let flushed = self.to.writer.flush();
        if !spawn {
            return flushed;
        }
        flushed
            .and_then(|()| self.ask_for_looper())
            .inspect_err(|_| self.to.thread.process.take_back_request())
    }

    /// Does not end the read with a return for the process.
    #[cold]
    fn stay(&self, leave: Leave<'_>) {
        let Leave { spawn, wake } = leave;
        wake.wake(Urgency::Plain);
        if spawn {
            self.to.thread.process.take_back_request();
        }
    }

    /// Asks for another thread.
    #[cold]
    fn ask_for_looper(&mut self) -> Result {
        About::Threads.tell(self.to.thread.who(), fmt!("is asked for another thread"));
        self.to.writer.ask_for_looper()
    }

    /// Writes which transactions of the thread were accepted.
    fn write_completions(&mut self) -> Result {
        while self.to.local.completions > 0 && self.to.writer.has_room() {
            self.to.local.completions -= 1;
            self.to.local.is_ready &= self.to.local.completions > 0;
            self.to.writer.put(COMPLETE)?;
        }
        Ok(())
    }

    /// Whether the thread has read what was worth a return, and nothing else is there. It takes no
    /// lock to see that.
    fn is_done(&self) -> bool {
        self.is_ready
            && self.to.writer.consumed() > self.start
            && self.to.local.is_available()
            && !self.to.thread.is_alerted()
            && !self.to.thread.process.lacks_loopers()
    }

    /// Decides what to do next, and sleeps until there is something.
    fn next(&mut self) -> Result<Next<'a>> {
        let thread = self.to.thread;
        let mut queue = thread.process.queue.lock();
        self.to.local.flush_call(thread, &mut queue);
        loop {
            if !self.has_begun {
                queue = match self.wait(queue)? {
                    Woken::Ready(queue) => queue,
                    Woken::HandedOver(handoff) => return Ok(self.accept(handoff)),
                };
                self.has_begun = true;
            }
            let has_room = self.to.writer.has_room();
            if has_room && self.to.local.completions > 0 {
                if !self.to.writer.stage(COMPLETE) {
                    return Ok(Next::WriteCompletions);
                }
                self.to.local.completions -= 1;
                continue;
            }
            let state = thread.state(&mut queue);
            let own = state.pop_if(has_room);
            let alert = !state.inbox.is_empty() || state.must_return;
            thread.set_alert(&mut queue, alert);
            let item = match own {
                None if has_room && self.takes_any => queue.todo.pop_front(),
                own => own,
            };
            if let Some(item) = item {
                let work = match item.into_work() {
                    // Nothing but a few bytes in kernel memory, so there is no need to unlock.
                    Work::Returns(returns) if self.to.writer.stage(returns.code()) => {
                        Thread::recycle_return(self.to.local, returns);
                        continue;
                    }
                    work => work,
                };
                let item = Item::take(thread, &mut queue, work);
                self.to.local.note_stack(&thread.state(&mut queue).stack);
                let leave = item.ends_read().then(|| self.duties(&mut queue));
                return Ok(Next::Handle(item, leave));
            }
            let is_empty = self.to.writer.consumed() == self.start;
            if !is_empty || !has_room || thread.must_return(&mut queue) {
                return Ok(Next::Return(self.duties(&mut queue)));
            }
            // All there was to read came to nothing, so begin anew.
            self.has_begun = false;
            self.is_free = self.to.local.is_available();
            self.is_ready = false;
        }
    }

    /// Sleeps until there is something to read, or the thread was handed something.
    fn wait<'q>(&mut self, queue: QueueGuard<'q>) -> Result<Woken<'q>>
    where
        'a: 'q,
    {
        let thread = self.to.thread;
        let mut queue = queue;
        let mut is_interrupted = false;
        trace_wait(thread, &queue);
        loop {
            let must_return = thread.must_return(&mut queue);
            let state = thread.state(&mut queue);
            self.takes_any = self.is_free && state.is_available();
            let is_ready = self.is_ready || state.is_ready || must_return;
            if is_ready || self.takes_any && !queue.todo.is_empty() {
                return Ok(Woken::Ready(queue));
            }
            if is_interrupted {
                return Err(EINTR);
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
            let completions = self.to.local.completions;
            state.has_room = self.to.writer.has_room_behind(completions);
            // Both are gathered in kernel memory.
            state.takes_handoff = state.has_room && completions <= 1;
            state.can_ask = state.is_looper() && self.to.writer.can_ask_for_looper();
            is_interrupted = queue.sleep_interruptible_freezable();
            if let Some(handoff) = thread.take_handoff() {
                return Ok(Woken::HandedOver(handoff));
            }
            queue = thread.process.queue.lock();
            // Nobody that takes the lock after this hands the thread anything.
            if let Some(handoff) = thread.take_handoff() {
                return Ok(Woken::HandedOver(handoff));
            }
            // The waker took these. If nobody did, they are not the last ones.
            let _thread = queue.remove_idle(thread);
            let state = thread.state(&mut queue);
            state.looper &= !looper::WAITING;
            state.takes_handoff = false;
            let _task = state.sleeper.take();
        }
    }

    /// Takes the item that the thread was handed, which ends the read.
    fn accept(&mut self, handoff: Handoff) -> Next<'a> {
        self.has_begun = true;
        while self.to.local.completions > 0 && self.to.writer.stage(COMPLETE) {
            self.to.local.completions -= 1;
        }
        let Handoff { taken, spawn } = handoff;
        // What is below a call that the thread made is its parent.
        self.to.local.set_has_stack(match &taken {
            Taken::Transaction(transaction) => !transaction.is_oneway(),
            Taken::Outcome(call) => call.parent.is_some(),
        });
        let leave = Leave {
            spawn,
            wake: Wake::nobody(),
        };
        Next::Handle(taken.into(), Some(leave))
    }

    /// Looks after the rest of the process before the thread is busy.
    fn duties(&self, queue: &mut Queue) -> Leave<'a> {
        let thread = self.to.thread;
        let wake = thread.process.rouse(queue);
        thread.has_returned(queue);
        let state = thread.state(queue);
        let alert = !state.inbox.is_empty();
        let can_ask = state.is_looper() && self.to.writer.can_ask_for_looper();
        thread.set_alert(queue, alert);
        let spawn = can_ask && thread.process.request_looper(queue);
        Leave { spawn, wake }
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
