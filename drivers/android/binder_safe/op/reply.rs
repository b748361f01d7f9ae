// SPDX-License-Identifier: GPL-2.0

//! `BC_REPLY`: answering the call that the thread handles.

use super::{
    finish::finish,
    nice,
    payload::{
        self,
        Recipient,
        Sender, //
    },
};
use crate::{
    diag::{
        history::{
            Call,
            Record, //
        },
        messages,
        report::{
            has_listeners,
            Report, //
        },
        trace, //
    },
    object::{
        error::Failure,
        thread::Thread,
        transaction::{
            Outcome,
            Reply,
            Transaction, //
        },
        work::Urgency,
    },
    proto::wire::{
        ExtendedError,
        TransactionData,
        TransactionDataSg, //
    },
    res::area::Kind,
};
use kernel::{
    prelude::*,
    task::Kuid,
    time::get_jiffies_64,
    uapi, //
};

/// Sends the reply. A thread that handles no call is told so.
///
/// A reply that cannot be delivered ends the call all the same: its caller is told, and the thread
/// that replied is not.
pub(crate) fn reply(sender: &mut Sender<'_>, message: &TransactionDataSg) -> Result {
    let thread = sender.thread;
    let debug_id = sender.own.ids.next();
    sender.own.extended_error = ExtendedError::accepted(debug_id);
    let Some(call) = thread.end_handled_call(sender.own) else {
        let failure = Failure::failed(EPROTO);
        sender.own.extended_error.command = failure.command;
        sender.own.extended_error.param = failure.param;
        record(
            debug_id,
            thread,
            &message.transaction_data,
            None,
            Some(failure),
        );
        explain(debug_id, thread, &message.transaction_data, None, failure);
        report(thread, &message.transaction_data, None, failure.command);
        return thread.fail(sender.own, failure.command);
    };
    nice::restore(&call);
    let outcome = match build(sender, &call, message) {
        Ok(reply) => {
            let from = call.from.as_deref();
            record(debug_id, thread, &message.transaction_data, from, None);
            Outcome::Reply(reply)
        }
        Err(failure) => {
            let from = call.from.as_deref();
            record(
                debug_id,
                thread,
                &message.transaction_data,
                from,
                Some(failure),
            );
            explain(debug_id, thread, &message.transaction_data, from, failure);
            report(thread, &message.transaction_data, from, failure.command);
            Outcome::failed(debug_id, failure)
        }
    };
    // The thread learns so after all that its reply made it learn.
    let accepted = thread.accept(sender.own);
    finish(call, outcome, Urgency::Sync);
    accepted
}

/// Copies the reply to the process that waits for it, where it becomes the call's.
fn build(
    sender: &mut Sender<'_>,
    call: &Transaction,
    message: &TransactionDataSg,
) -> Result<Reply, Failure> {
    let from = call.from.as_ref().ok_or(Failure::DIED)?;
    if from.is_dead() {
        return Err(Failure::DIED);
    }
    let data = &message.transaction_data;
    let recipient = Recipient {
        process: &from.process,
        node: None,
        kind: Kind::Call,
        accepts_files: call.flags & uapi::transaction_flags_TF_ACCEPT_FDS != 0,
    };
    let debug_id = sender.own.extended_error.id;
    trace::Transaction::trace(|| trace::Transaction {
        debug_id: debug_id as i32,
        target_node: 0,
        to_proc: from.process.task.pid(),
        to_thread: from.tid,
        reply: 1,
        code: data.code,
        flags: data.flags,
    });
    let (_, offset) = payload::copy(sender, message, recipient, &call.reply)?;
    Ok(Reply {
        debug_id,
        start: get_jiffies_64(),
        offset,
        code: data.code,
        flags: data.flags,
        euid: Kuid::current_euid(),
    })
}

/// Says who could not reply to whom.
#[cold]
fn explain(
    debug_id: u32,
    thread: &Thread,
    data: &TransactionData,
    caller: Option<&Thread>,
    failure: Failure,
) {
    let to = caller.map_or((0, 0), Thread::who);
    let what = fmt!(
        "reply {debug_id} to {}:{} failed: {}/{}, code {} size {}-{}",
        to.0,
        to.1,
        failure.command,
        failure.param,
        data.code,
        data.data_size,
        data.offsets_size
    );
    messages::About::Failure.tell(thread.who(), what);
    if failure.is_user_error() {
        messages::user_error(thread.who(), fmt!("made an error in reply {debug_id}"));
    }
}

/// Keeps for history what became of a reply to `caller`.
fn record(
    debug_id: u32,
    thread: &Thread,
    data: &TransactionData,
    caller: Option<&Thread>,
    failure: Option<Failure>,
) {
    let record = Record {
        call: Call::Reply,
        debug_id,
        from: (thread.process.task.pid(), thread.tid),
        to: caller.map_or((0, 0), |caller| (caller.process.task.pid(), caller.tid)),
        context: thread.process.context.id(),
        node: 0,
        handle: data.handle(),
        data_size: data.data_size as u32,
        offsets_size: data.offsets_size as u32,
        error: failure.map_or((0, 0), |failure| (failure.command, failure.param)),
    };
    record.keep();
}

/// Tells listeners that a reply to `caller` failed.
fn report(thread: &Thread, data: &TransactionData, caller: Option<&Thread>, error: u32) {
    if !has_listeners() {
        return;
    }
    let report = Report {
        error,
        context: &thread.process.context.name,
        from_pid: thread.process.task.pid(),
        from_tid: thread.tid,
        to_pid: caller.map(|caller| caller.process.task.pid()),
        to_tid: caller.map(|caller| caller.tid),
        is_reply: true,
        flags: data.flags,
        code: data.code,
        data_size: data.data_size,
    };
    report.send();
}
