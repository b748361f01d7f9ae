// SPDX-License-Identifier: GPL-2.0

//! `BC_TRANSACTION`: calling a node, or sending it a message.

use super::{
    dispatch::Dispatch,
    failure::Failure,
    message::{
        Recipient,
        Sender, //
    },
    payload,
    submit::{
        NotSent,
        Sent, //
    },
    NewTransaction,
    Transaction, //
};
use crate::{
    diag::{
        history::Call,
        trace, //
    },
    memory::area::{
        Kind,
        SpamCheck, //
    },
    process::{
        node::{
            Node,
            NodePin, //
        },
        Process, //
    },
    thread::{
        local::Local,
        wake::Urgency,
        Thread,
        COMPLETE, //
    },
    wire::structs::TransactionDataSg, //
};
use core::{
    convert::Infallible,
    mem::MaybeUninit, //
};
use kernel::{
    prelude::*,
    security,
    sync::{
        atomic::Relaxed,
        Arc,
        UniqueArc, //
    },
    uapi, //
};

/// The return for a oneway message whose receiver is frozen.
const PENDING_FROZEN: u32 = uapi::binder_driver_return_protocol_BR_TRANSACTION_PENDING_FROZEN;

/// The return for one whose sender fills the area of its receiver.
const SPAM_SUSPECT: u32 = uapi::binder_driver_return_protocol_BR_ONEWAY_SPAM_SUSPECT;

/// Sends a transaction. A failure is put into the thread's inbox.
pub(crate) fn send(sender: &mut Sender<'_>, message: &TransactionDataSg) {
    let data = &message.transaction_data;
    let call = if data.is_oneway() {
        Call::Oneway
    } else {
        Call::TwoWay
    };
    let mut dispatch = Dispatch::new(sender, call, data);
    let result = try_send(sender, message, &mut dispatch);
    dispatch.finish(result);
    if let Err(failure) = result {
        sender.local.extended_error.command = failure.command;
        sender.local.extended_error.param = failure.param;
        sender.thread.fail(failure.command);
    }
}

fn try_send(
    sender: &mut Sender<'_>,
    message: &TransactionDataSg,
    dispatch: &mut Dispatch<'_>,
) -> Result<(), Failure> {
    let (process, thread) = (sender.process, sender.thread);
    let data = dispatch.data;
    let pin = find_target(process, data.handle())?;
    let node = (*pin).clone();
    let target = node.owner.process().ok_or(Failure::dead(EINVAL))?;
    dispatch.set_node(&node);
    security::binder_transaction(&process.cred, &target.cred)
        .map_err(|_| Failure::failed(EPERM))?;
    let (kind, parent) = if data.is_oneway() {
        (Kind::Oneway(process.pid as u32), None)
    } else {
        (Kind::Call, thread.begin_call(sender.local)?)
    };
    let to_thread = parent
        .as_ref()
        .and_then(|call| call.waiting_in(&node.owner))
        .cloned();
    let handler = to_thread.as_ref().map(|thread| thread.tid);
    dispatch.set_receiver(node.owner.pid, handler);
    let transaction = compose(sender, dispatch, node.clone(), parent)?;
    transaction.set_handler(handler.unwrap_or(0));
    dispatch.trace();
    let recipient = Recipient {
        process: &target,
        accepts_files: node.accepts_files(),
        node: Some(pin),
        kind,
    };
    let (check, offset) = payload::copy(sender, message, recipient, &transaction.request)?;
    transaction.offset.store(offset, Relaxed);
    if matches!(check, SpamCheck::Suspected) {
        // Whether the sender wants to know or not.
        dispatch.report(SPAM_SUSPECT);
    }
    if !data.is_oneway() {
        return call(sender, &node, transaction, to_thread.as_ref());
    }
    if oneway(sender, &node, transaction, check)? == PENDING_FROZEN {
        dispatch.report(PENDING_FROZEN);
    }
    Ok(())
}

/// The transaction that `dispatch` asks for, without its message.
fn compose(
    sender: &mut Sender<'_>,
    dispatch: &Dispatch<'_>,
    node: Arc<Node>,
    parent: Option<Arc<Transaction>>,
) -> Result<Arc<Transaction>, Failure> {
    let new = NewTransaction {
        debug_id: dispatch.id,
        code: dispatch.data.code,
        flags: dispatch.data.flags,
        from: sender.thread,
        parent,
        node,
    };
    // Made in place: it is large.
    match memory(sender.local)?.write_init(new.init()) {
        Ok(transaction) => Ok(Arc::from(transaction)),
        Err::<_, Infallible>(never) => match never {},
    }
}

/// The node that `handle` names, pinned. Its owner was alive.
fn find_target(process: &Process, handle: u32) -> Result<NodePin, Failure> {
    let pin = match handle {
        0 => process.context.pin_manager().ok_or(Failure::dead(EINVAL))?,
        _ => process.pin_target(handle).map_err(Failure::failed)?,
    };
    // A manager that called itself would wait for ever.
    if handle == 0 && pin.owner.pid == process.pid {
        return Err(Failure::failed(EINVAL));
    }
    if pin.owner.is_dead() {
        return Err(Failure::dead(EINVAL));
    }
    Ok(pin)
}

/// Queues a call for `to`, or for any thread of the target.
fn call(
    sender: &mut Sender<'_>,
    node: &Arc<Node>,
    call: Arc<Transaction>,
    to: Option<&Arc<Thread>>,
) -> Result<(), Failure> {
    let (thread, local) = (sender.thread, &mut *sender.local);
    let is_behind = thread.complete_behind(local);
    match node.owner.submit_call(to, call.clone()) {
        Ok(wake) => {
            local.set_call(call);
            local.completions += u32::from(!is_behind);
            wake.wake(Urgency::Sync);
            Ok(())
        }
        Err(not_sent) => {
            if is_behind {
                thread.amend_completion(local, None);
            }
            Err(not_sent.into_failure())
        }
    }
}

/// Queues a message that expects no reply, and gives the return that its sender reads.
fn oneway(
    sender: &mut Sender<'_>,
    node: &Arc<Node>,
    message: Arc<Transaction>,
    check: SpamCheck,
) -> Result<u32, Failure> {
    let (thread, local) = (sender.thread, &mut *sender.local);
    thread.complete(local);
    let (sent, wake) = match node.owner.submit_oneway(node, message) {
        Ok(submitted) => submitted,
        Err(not_sent) => {
            thread.amend_completion(local, None);
            return Err(not_sent.into_failure());
        }
    };
    wake.wake(Urgency::Plain);
    let wants_to_know = sender.process.detects_spam.load(Relaxed);
    let ret = match (sent, check) {
        (Sent::ToFrozen, _) => PENDING_FROZEN,
        (Sent::Normally, SpamCheck::Suspected) if wants_to_know => SPAM_SUSPECT,
        (Sent::Normally, _) => COMPLETE,
    };
    if ret != COMPLETE {
        thread.amend_completion(local, Some(ret));
    }
    Ok(ret)
}

impl NotSent {
    /// Why a transaction that was ready to go did not go. The transaction ends.
    fn into_failure(self) -> Failure {
        trace::FailedBufferRelease::of(|| self.transaction.request.label().numbers());
        match self.error {
            ESRCH => Failure::DIED,
            EAGAIN => Failure::FROZEN,
            error => Failure::failed(error),
        }
    }
}

/// Memory for a transaction, if possible that of the thread's last one.
fn memory(local: &mut Local) -> Result<UniqueArc<MaybeUninit<Transaction>>, Failure> {
    match local.spare.take() {
        Some(memory) => Ok(memory),
        None => UniqueArc::new_uninit(GFP_KERNEL_ACCOUNT).map_err(|_| Failure::failed(ENOMEM)),
    }
}

/// Keeps the memory of a finished transaction for the thread's next one.
pub(crate) fn recycle(local: &mut Local, transaction: Arc<Transaction>) {
    if local.spare.is_none() {
        if let Some(unique) = Arc::into_unique_or_drop(transaction) {
            let memory: UniqueArc<MaybeUninit<Transaction>> =
                UniqueArc::drop_contents(Pin::into_inner(unique));
            local.spare = Some(memory);
        }
    }
}
