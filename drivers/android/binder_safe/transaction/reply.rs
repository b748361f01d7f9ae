// SPDX-License-Identifier: GPL-2.0

//! `BC_REPLY`: answering the call that the thread handles.

use super::{
    dispatch::Dispatch,
    failure::Failure,
    finish::finish,
    message::{
        Recipient,
        Sender, //
    },
    payload,
    Outcome,
    Reply,
    Transaction, //
};
use crate::{
    diag::history::Call,
    memory::area::Kind,
    thread::{
        nice,
        wake::Urgency, //
    },
    wire::structs::TransactionDataSg, //
};
use kernel::{
    prelude::*,
    task::Kuid,
    time::get_jiffies_64,
    uapi, //
};

/// Sends the reply. A thread that handles no call reads a failure.
///
/// A reply that cannot be delivered ends the call all the same: its caller is told, and the thread
/// that replied is not.
pub(crate) fn reply(sender: &mut Sender<'_>, message: &TransactionDataSg) {
    let mut dispatch = Dispatch::new(sender, Call::Reply, &message.transaction_data);
    let Some(call) = sender.thread.end_handled_call(sender.local) else {
        let failure = Failure::failed(EPROTO);
        sender.local.extended_error.command = failure.command;
        sender.local.extended_error.param = failure.param;
        dispatch.finish(Err(failure));
        sender.thread.fail(failure.command);
        return;
    };
    nice::restore(&call);
    if let Some(from) = &call.from {
        dispatch.set_receiver(from.process.pid, Some(from.tid));
    }
    let built = build(sender, &call, message, &dispatch);
    dispatch.finish(built.as_ref().map(drop).map_err(|failure| *failure));
    let outcome = match built {
        Ok(reply) => Outcome::Reply(reply),
        Err(failure) => Outcome::failed(dispatch.id, failure),
    };
    // The thread learns so after all that its reply made it learn.
    sender.thread.complete(sender.local);
    finish(call, outcome, Urgency::Sync);
}

/// Copies the reply to the process that waits for it, where it becomes the call's.
fn build(
    sender: &mut Sender<'_>,
    call: &Transaction,
    message: &TransactionDataSg,
    dispatch: &Dispatch<'_>,
) -> Result<Reply, Failure> {
    let from = call.from.as_ref().ok_or(Failure::DIED)?;
    if from.is_dead() {
        return Err(Failure::DIED);
    }
    let process = from.process.process().ok_or(Failure::DIED)?;
    let recipient = Recipient {
        process: &process,
        node: None,
        kind: Kind::Call,
        accepts_files: call.flags & uapi::transaction_flags_TF_ACCEPT_FDS != 0,
    };
    dispatch.trace();
    let (_, offset) = payload::copy(sender, message, recipient, &call.reply)?;
    Ok(Reply {
        debug_id: dispatch.id,
        start: get_jiffies_64(),
        offset,
        code: dispatch.data.code,
        flags: dispatch.data.flags,
        euid: Kuid::current_euid(),
    })
}
