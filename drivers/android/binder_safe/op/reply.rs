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
    diag::report::{
        has_listeners,
        Report, //
    },
    object::{
        contents::Parcel,
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
    uapi, //
};

/// Sends the reply. A thread that handles no call is told so.
///
/// A reply that cannot be delivered ends the call all the same: its caller is told, and the thread
/// that replied is not.
pub(crate) fn reply(sender: &mut Sender<'_>, message: &TransactionDataSg) -> Result {
    let thread = sender.thread;
    let debug_id = thread
        .process
        .context
        .instance
        .shared
        .ids
        .next(&mut sender.own.ids);
    sender.own.extended_error = ExtendedError::accepted(debug_id);
    let Some(call) = thread.end_handled_call()? else {
        let failure = Failure::failed(EPROTO);
        sender.own.extended_error.command = failure.command;
        sender.own.extended_error.param = failure.param;
        report(thread, &message.transaction_data, None, failure.command);
        return thread.fail(failure.command);
    };
    nice::restore(&call);
    let outcome = match build(sender, &call, message) {
        Ok(reply) => Outcome::Reply(reply),
        Err(failure) => {
            let from = call.from.as_deref();
            report(thread, &message.transaction_data, from, failure.command);
            Outcome::failed(debug_id, failure)
        }
    };
    finish(call, outcome, Urgency::Sync);
    Ok(())
}

/// Copies the reply to the process that waits for it.
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
    let (payload, _) = payload::copy(sender, message, recipient)?;
    Ok(Reply {
        code: data.code,
        flags: data.flags,
        euid: Kuid::current_euid(),
        parcel: Parcel::new(payload),
    })
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
