// SPDX-License-Identifier: GPL-2.0

//! The end of threads and of processes, whatever they were doing.

use super::{
    finish::finish_dead,
    free, //
};
use crate::{
    diag::messages::About,
    object::{
        node::Node,
        process::Process,
        subscription::{
            Subscription,
            Topic, //
        },
        thread::Thread,
        transaction::Transaction,
        work::Work, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc,
    task::Pid, //
};

/// `BINDER_THREAD_EXIT`: forgets the thread and ends what it was doing.
pub(crate) fn exit_thread(thread: &Arc<Thread>) {
    About::Threads.tell(thread.who(), fmt!("exits"));
    thread.process.forget(thread);
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
        end_own_work(work, thread);
    }
    let stack = {
        let mut queue = thread.process.queue.lock();
        core::mem::take(&mut thread.state(&mut queue).stack)
    };
    // Calls below one that the thread made end when that one does.
    if let Some(call) = stack.last() {
        let is_from = call.is_from(thread);
        let verb = if is_from { "waits for" } else { "handles" };
        About::Unread.tell(
            thread.who(),
            fmt!("ends while it {verb} call {}", call.debug_id),
        );
        if !is_from {
            finish_dead(call.clone());
        }
    }
}

fn pop_work(thread: &Thread) -> Option<Work> {
    let mut queue = thread.process.queue.lock();
    thread.state(&mut queue).pop_if(true)
}

/// Ends what was to be read by `thread`.
fn end_own_work(work: Work, thread: &Thread) {
    let process = &thread.process;
    match work {
        Work::Transaction(transaction) => end_transaction(process, thread.tid, transaction),
        Work::Outcome(call) => {
            let what = fmt!(
                "ends before it has read the outcome of call {}",
                call.debug_id
            );
            About::Unread.tell(thread.who(), what);
            // The call is over, so it no longer keeps those below it on the stack from ending.
            let mut queue = process.queue.lock();
            let frame = thread.state(&mut queue).stack.pop();
            drop(queue);
            drop(frame);
        }
        Work::Node(node) => {
            let posted = node.pass_on(&mut process.queue.lock(), thread.tid);
            process.wake_posted(posted);
        }
        Work::Notice(subscription) => {
            subscription.deliver(&mut process.queue.lock());
        }
        Work::Accepted(_) | Work::Failed(_) => {}
    }
}

/// Ends a transaction that nobody will read.
fn end_transaction(process: &Process, tid: Pid, transaction: Arc<Transaction>) {
    let (id, sender) = (transaction.debug_id, transaction.sender);
    let what = fmt!("ends before it has read transaction {id} of {sender}");
    About::Unread.tell((process.task.pid(), tid), what);
    if !transaction.is_oneway() {
        finish_dead(transaction);
        return;
    }
    let node = transaction.node.clone();
    drop(transaction);
    let posted = node.advance(&mut process.queue.lock());
    process.wake_posted(posted);
}

/// Releases a process whose file was closed for the last time.
pub(crate) fn release_process(process: &Arc<Process>) {
    // It counts as there until the end.
    let open = process.context.instance.remove(process);
    if process.context.dismiss(process) {
        let what = fmt!("ends, and was the manager of {}", &*process.context.name);
        About::DeadNode.tell((process.task.pid(), 0), what);
    }
    process.set_dead();
    process.forget_all();
    loop {
        let thread = process.queue.lock().pop_thread();
        match thread {
            Some(thread) => end_thread(&thread),
            None => break,
        }
    }
    release_nodes(process);
    release_refs(process);
    loop {
        let work = process.queue.lock().todo.pop();
        match work {
            Some(Work::Transaction(transaction)) => end_transaction(process, 0, transaction),
            Some(_) => {}
            None => break,
        }
    }
    // Those that were cleared, and not confirmed, have no handle any more.
    while let Some(subscription) = pop_subscription(process) {
        drop(subscription);
    }
    while let Some(freed) = process.area.free_any() {
        free::end(process, freed);
    }
    drop(open);
}

/// Takes all nodes from their owner. Those who hold references keep them as dead ones.
fn release_nodes(process: &Process) {
    loop {
        let listed = process.queue.lock().pop_node();
        let Some((node, listed)) = listed else {
            break;
        };
        drop(listed);
        let what = fmt!("ends, and with it node {}", node.debug_id);
        About::DeadNode.tell((process.task.pid(), 0), what);
        while let Some(subscriber) = pop_subscriber(process, &node) {
            if subscriber.topic == Topic::Death {
                subscriber.announce();
            }
        }
        while let Some(parked) = pop_parked(process, &node) {
            drop(parked);
        }
    }
}

fn pop_parked(process: &Process, node: &Node) -> Option<Arc<Transaction>> {
    let mut queue = process.queue.lock();
    node.state(&mut queue).parked.pop()
}

fn pop_subscriber(process: &Process, node: &Node) -> Option<Arc<Subscription>> {
    let mut queue = process.queue.lock();
    node.state(&mut queue).subscribers.pop()
}

fn pop_subscription(process: &Process) -> Option<Arc<Subscription>> {
    process.queue.lock().delivered.pop()
}

/// Drops all references that a process has.
fn release_refs(process: &Process) {
    let capacity = process.refs.lock().table.capacity();
    for handle in 0..capacity as u32 {
        process.drop_ref(handle);
    }
}
