// SPDX-License-Identifier: GPL-2.0

//! The end of threads and of processes, whatever they were doing.

use super::{
    peer::Peer,
    subscription::Topic,
    Process, //
};
use crate::{
    diag::messages::About,
    thread::{
        wake::Urgency,
        work::{
            Queued,
            Work, //
        },
        Thread, //
    },
    transaction::{
        finish::finish_dead,
        free,
        Transaction, //
    }, //
};
use kernel::{
    prelude::*,
    sync::Arc,
    task::Pid, //
};

/// `BINDER_THREAD_EXIT`: forgets the thread and ends what it was doing.
pub(crate) fn exit_thread(process: &Process, thread: &Arc<Thread>) {
    About::Threads.tell(thread.who(), fmt!("exits"));
    process.forget(thread);
    let removed = process.queue.lock().remove_thread(thread);
    drop(removed);
    end_thread(thread);
}

/// Ends all that a thread that was taken out of its process was doing.
pub(super) fn end_thread(thread: &Arc<Thread>) {
    let mut queue = thread.process.queue.lock();
    thread.set_dead(&mut queue);
    let idle = queue.remove_idle(thread);
    drop(queue);
    drop(idle);

    // Nobody queues anything for a dead thread.
    while let Some(work) = pop_work(thread) {
        end_own_work(work, thread);
    }
    end_stack(thread);
}

fn pop_work(thread: &Thread) -> Option<Work> {
    let mut queue = thread.process.queue.lock();
    let item = thread.state(&mut queue).inbox.pop_front();
    drop(queue);
    item.map(Queued::into_work)
}

/// Ends what was to be read by `thread`.
fn end_own_work(work: Work, thread: &Thread) {
    let peer = &thread.process;
    match work {
        Work::Transaction(transaction) => end_transaction(peer, thread.tid, transaction),
        Work::Outcome(call) => {
            let what = fmt!(
                "ends before it has read the outcome of call {}",
                call.debug_id
            );
            About::Unread.tell(thread.who(), what);
            // The call is over, so it no longer keeps those below it on the stack from ending.
            let frame = thread.pop_call(&mut peer.queue.lock());
            drop(frame);
        }
        Work::Node(node) => {
            let wake = node.pass_on(&mut peer.queue.lock());
            wake.wake(Urgency::Plain);
        }
        Work::Notice(subscription) => {
            let wake = subscription.enqueue(&mut peer.queue.lock());
            wake.wake(Urgency::Plain);
        }
        Work::Returns(_) | Work::Failed(_) => {}
    }
}

/// Takes all calls off the stack of a dead thread, and ends the one that it was handling.
fn end_stack(thread: &Thread) {
    let mut queue = thread.process.queue.lock();
    // Calls below one that the thread made end when that one does.
    let waits_for = thread.state(&mut queue).stack.made().cloned();
    let handles = thread.state(&mut queue).stack.handled().cloned();
    drop(queue);
    let call = waits_for.as_ref().or(handles.as_ref());
    if let Some(call) = call {
        let verb = if handles.is_some() {
            "handles"
        } else {
            "waits for"
        };
        About::Unread.tell(
            thread.who(),
            fmt!("ends while it {verb} call {}", call.debug_id),
        );
    }
    // One by one, so that no call is the last to refer to a long chain of others.
    loop {
        let mut queue = thread.process.queue.lock();
        let is_handled = thread.state(&mut queue).stack.handled().is_some();
        let call = thread.pop_call(&mut queue);
        drop(queue);
        match call {
            // The process has nothing to do with it any more, also where it ends later.
            Some(call) if is_handled => call.conclude(),
            Some(call) => drop(call),
            None => break,
        }
    }
    if let Some(call) = handles {
        finish_dead(call);
    }
}

/// Ends a transaction that nobody will read.
fn end_transaction(peer: &Peer, tid: Pid, transaction: Arc<Transaction>) {
    let (id, sender) = (transaction.debug_id, transaction.sender);
    let what = fmt!("ends before it has read transaction {id} of {sender}");
    About::Unread.tell((peer.pid, tid), what);
    if !transaction.is_oneway() {
        finish_dead(transaction);
        return;
    }
    let node = transaction.node.clone();
    drop(transaction);
    let wake = node.advance(&mut peer.queue.lock());
    wake.wake(Urgency::Plain);
}

/// Releases a process whose file was closed for the last time.
pub(crate) fn release_process(process: &Arc<Process>) {
    // It counts as there until the end.
    let counted = process.context.instance.remove(process);
    if process.context.dismiss(process) {
        let what = fmt!("ends, and was the manager of {}", &*process.context.name);
        About::DeadNode.tell((process.pid, 0), what);
    }
    process.set_dead();
    process.refs.lock().is_dead = true;
    // From here on, nobody new comes to send to the process.
    let own = process.set_process(None);
    drop(own);
    process.forget_all();
    loop {
        let popped = process.queue.lock().pop_thread();
        let Some((thread, listed)) = popped else {
            break;
        };
        drop(listed);
        end_thread(&thread);
    }
    release_nodes(process);
    loop {
        let subscriber = process.queue.lock().subscribers.pop();
        match subscriber {
            Some(subscriber) if subscriber.topic == Topic::Death => subscriber.announce(),
            Some(_) => {}
            None => break,
        }
    }
    release_refs(process);
    loop {
        let item = process.queue.lock().todo.pop_front();
        match item.map(Queued::into_work) {
            Some(Work::Transaction(transaction)) => end_transaction(process, 0, transaction),
            Some(_) => {}
            None => break,
        }
    }
    // Those that were cleared, and not confirmed, have no handle any more.
    loop {
        let delivered = process.queue.lock().delivered.pop_front();
        match delivered {
            Some(subscription) => drop(subscription),
            None => break,
        }
    }
    while let Some(freed) = process.area.free_any() {
        free::end(process, freed);
    }
    drop(counted);
}

/// Takes all nodes from their owner. Those who hold references keep them as dead ones.
fn release_nodes(peer: &Peer) {
    loop {
        let popped = peer.queue.lock().pop_node();
        let Some((node, listed)) = popped else {
            break;
        };
        drop(listed);
        let what = fmt!("ends, and with it node {}", node.debug_id);
        About::DeadNode.tell((peer.pid, 0), what);
        loop {
            let parked = node.state(&mut peer.queue.lock()).parked.pop_front();
            match parked {
                Some(parked) => drop(parked),
                None => break,
            }
        }
    }
}

/// Drops all references that a process has.
fn release_refs(process: &Process) {
    let capacity = process.refs.lock().table.capacity();
    for handle in 0..capacity as u32 {
        process.drop_ref(handle);
    }
}
