// SPDX-License-Identifier: GPL-2.0

//! The end of threads and of processes, whatever they were doing.

use super::finish::finish_dead;
use crate::object::{
    process::Process,
    thread::Thread,
    work::Work, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// `BINDER_THREAD_EXIT`: forgets the thread and ends what it was doing.
pub(crate) fn exit_thread(thread: &Arc<Thread>) {
    let removed = thread.process.queue.lock().remove_thread(thread);
    drop(removed);
    end_thread(thread);
}

/// Ends all that a thread that was taken out of its process was doing.
fn end_thread(thread: &Arc<Thread>) {
    let mut queue = thread.process.queue.lock();
    thread.set_dead(&mut queue);
    let idle = queue.remove_idle(thread);
    drop(queue);
    drop(idle);

    // Nobody queues anything for a dead thread.
    while let Some(work) = pop_work(thread) {
        end_work(work, thread);
    }
    let stack = {
        let mut queue = thread.process.queue.lock();
        core::mem::take(&mut thread.state(&mut queue).stack)
    };
    // Calls below one that the thread made end when that one does.
    if let Some(call) = stack.last() {
        if !call.is_from(thread) {
            finish_dead(call.clone());
        }
    }
}

fn pop_work(thread: &Thread) -> Option<Work> {
    let mut queue = thread.process.queue.lock();
    thread.state(&mut queue).pop_if(true)
}

/// Ends what was to be read by `thread`.
fn end_work(work: Work, thread: &Thread) {
    match work {
        Work::Transaction(call) => finish_dead(call),
        Work::Outcome(_call) => {
            // The call is over, so it no longer keeps those below it on the stack from ending.
            let mut queue = thread.process.queue.lock();
            let frame = thread.state(&mut queue).stack.pop();
            drop(queue);
            drop(frame);
        }
        Work::Accepted(_) | Work::Failed(_) => {}
    }
}

/// Releases a process whose file was closed for the last time.
pub(crate) fn release_process(process: &Process) {
    process.context.remove(process);
    process.queue.lock().is_dead = true;
    loop {
        let thread = process.queue.lock().pop_thread();
        match thread {
            Some(thread) => end_thread(&thread),
            None => break,
        }
    }
    loop {
        let work = process.queue.lock().todo.pop();
        match work {
            Some(Work::Transaction(call)) => finish_dead(call),
            Some(_) => {}
            None => break,
        }
    }
    while let Some(held) = process.area.take_any() {
        drop(held);
    }
}
