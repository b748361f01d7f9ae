// SPDX-License-Identifier: GPL-2.0

//! `BC_TRANSACTION`: calling a node, or sending it a message.

use super::payload;
use crate::{
    object::{
        error::Failure,
        node::Node,
        process::NotSent,
        thread::{
            Own,
            Thread, //
        },
        transaction::Transaction,
        work::{
            Urgency,
            Work, //
        },
    },
    proto::wire::{
        ExtendedError,
        TransactionDataSg, //
    },
    res::area::Kind,
};
use core::mem::MaybeUninit;
use kernel::{
    prelude::*,
    security,
    sync::{
        Arc,
        SetOnce,
        UniqueArc, //
    },
    task::Kuid,
    uapi, //
};

/// The return for a transaction that was accepted.
const COMPLETE: u32 = uapi::binder_driver_return_protocol_BR_TRANSACTION_COMPLETE;

/// Sends a transaction. What goes wrong is put into the thread's inbox.
pub(crate) fn send(thread: &Arc<Thread>, own: &mut Own, message: &TransactionDataSg) -> Result {
    let debug_id = thread.process.context.shared.ids.next(&mut own.ids);
    own.extended_error = ExtendedError::accepted(debug_id);
    let Err(failure) = try_send(thread, own, message, debug_id) else {
        return Ok(());
    };
    own.extended_error.command = failure.command;
    own.extended_error.param = failure.param;
    thread.fail(failure.command)
}

fn try_send(
    thread: &Arc<Thread>,
    own: &mut Own,
    message: &TransactionDataSg,
    debug_id: u32,
) -> Result<(), Failure> {
    let data = &message.transaction_data;
    let node = target(thread, data.handle())?;
    let target = node.owner.clone();
    security::binder_transaction(&thread.process.cred, &target.cred)
        .map_err(|_| Failure::failed(EPERM))?;
    let kind = if data.is_oneway() {
        Kind::Oneway
    } else {
        Kind::Call
    };
    let parent = match kind {
        Kind::Call => thread.begin_call()?,
        Kind::Oneway => None,
    };
    let memory = match own.spare.take() {
        Some(memory) => memory,
        None => UniqueArc::new_uninit(GFP_KERNEL_ACCOUNT).map_err(|_| Failure::failed(ENOMEM))?,
    };
    let request = payload::copy(&target.area, message, kind, Some(node.clone()))?;
    let to_thread = parent.as_ref().and_then(|call| call.waiting_in(&target)).cloned();
    let transaction = Transaction {
        debug_id,
        code: data.code,
        flags: data.flags,
        from: (kind == Kind::Call).then(|| thread.clone()),
        parent,
        to: target,
        node,
        euid: Kuid::current_euid(),
        request,
        outcome: SetOnce::new(),
    };
    let transaction = Arc::from(memory.write(transaction));
    match kind {
        Kind::Call => call(thread, transaction, to_thread.as_ref()),
        Kind::Oneway => oneway(thread, transaction),
    }
}

/// The node that `handle` names.
fn target(thread: &Thread, handle: u32) -> Result<Arc<Node>, Failure> {
    let process = &thread.process;
    if handle != 0 {
        return Err(Failure::failed(EINVAL));
    }
    let node = process
        .context
        .manager()
        .ok_or(Failure::dead(EINVAL))?;
    // A manager that called itself would wait for ever.
    if node.owner.task == process.task {
        return Err(Failure::failed(EINVAL));
    }
    Ok(node)
}

/// Queues a call for `to`, or for any thread of the target.
fn call(
    thread: &Arc<Thread>,
    call: Arc<Transaction>,
    to: Option<&Arc<Thread>>,
) -> Result<(), Failure> {
    let target = call.to.clone();
    thread.push_call(call.clone()).map_err(Failure::failed)?;
    match target.send(to, Work::Transaction(call)) {
        Ok(wake) => {
            wake.wake(Urgency::Sync);
            Ok(())
        }
        Err(NotSent { work, error }) => {
            let _call = thread.pop_call();
            drop(work);
            Err(not_sent(error))
        }
    }
}

/// Queues a message that expects no reply.
fn oneway(thread: &Arc<Thread>, message: Arc<Transaction>) -> Result<(), Failure> {
    let target = message.to.clone();
    match target.send(None, Work::Transaction(message)) {
        Ok(wake) => {
            wake.wake(Urgency::Plain);
            thread.accept(COMPLETE).map_err(Failure::failed)
        }
        Err(NotSent { error, .. }) => Err(not_sent(error)),
    }
}

/// Why a transaction that was ready to go did not go: the target died at the last moment.
fn not_sent(error: Error) -> Failure {
    if error == ESRCH {
        Failure::DIED
    } else {
        Failure::failed(error)
    }
}

/// Keeps the memory of a finished transaction for the thread's next one.
pub(crate) fn recycle(own: &mut Own, transaction: Arc<Transaction>) {
    if own.spare.is_none() {
        if let Some(unique) = Arc::into_unique_or_drop(transaction) {
            let memory: UniqueArc<MaybeUninit<Transaction>> =
                UniqueArc::drop_contents(Pin::into_inner(unique));
            own.spare = Some(memory);
        }
    }
}
