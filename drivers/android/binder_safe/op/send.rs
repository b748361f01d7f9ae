// SPDX-License-Identifier: GPL-2.0

//! `BC_TRANSACTION`: calling a node, or sending it a message.

use super::payload::{
    self,
    Recipient,
    Sender, //
};
use crate::{
    diag::{
        history::{
            Call,
            Record, //
        },
        messages,
        objects::{
            Counted,
            Kind as Object, //
        },
        report::{
            has_listeners,
            Report, //
        },
        trace, //
    },
    object::{
        contents::Parcel,
        error::Failure,
        node::{
            Node,
            NodePin, //
        },
        own::Own,
        post::{
            NotSent,
            Sent, //
        },
        thread::{
            Thread,
            COMPLETE, //
        },
        transaction::Transaction,
        work::Urgency, //
    },
    proto::wire::{
        ExtendedError,
        TransactionData,
        TransactionDataSg, //
    },
    res::area::{
        Kind,
        Load, //
    },
};
use core::{
    convert::Infallible,
    mem::MaybeUninit, //
};
use kernel::{
    prelude::*,
    security,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        SetOnce,
        UniqueArc, //
    },
    task::{
        Kuid,
        Pid, //
    },
    time::get_jiffies_64,
    uapi, //
};

/// The return for a oneway message whose receiver is frozen.
const PENDING_FROZEN: u32 = uapi::binder_driver_return_protocol_BR_TRANSACTION_PENDING_FROZEN;

/// The return for one whose sender fills the area of its receiver.
const SPAM_SUSPECT: u32 = uapi::binder_driver_return_protocol_BR_ONEWAY_SPAM_SUSPECT;

/// Sends a transaction. What goes wrong is put into the thread's inbox.
pub(crate) fn send(sender: &mut Sender<'_>, message: &TransactionDataSg) -> Result {
    let thread = sender.thread;
    let data = &message.transaction_data;
    let debug_id = sender.own.ids.next();
    sender.own.extended_error = ExtendedError::accepted(debug_id);
    let mut target = Target::default();
    let result = try_send(sender, message, &mut target);
    record(debug_id, thread, data, &target, &result);
    match result {
        Ok(ret) => {
            if ret == PENDING_FROZEN {
                report(thread, data, &target, ret);
            }
            Ok(())
        }
        Err(failure) => {
            explain(debug_id, thread, data, &target, failure);
            sender.own.extended_error.command = failure.command;
            sender.own.extended_error.param = failure.param;
            report(thread, data, &target, failure.command);
            thread.fail(sender.own, failure.command)
        }
    }
}

/// Who a transaction was to go to, as far as that became known.
#[derive(Default)]
struct Target {
    process: Option<Pid>,
    thread: Option<Pid>,
    /// The id of the node, or 0.
    node: u32,
}

/// Keeps for history what became of a transaction.
fn record(
    debug_id: u32,
    thread: &Thread,
    data: &TransactionData,
    target: &Target,
    result: &Result<u32, Failure>,
) {
    let record = Record {
        call: if data.is_oneway() {
            Call::Oneway
        } else {
            Call::TwoWay
        },
        debug_id,
        from: (thread.process.task.pid(), thread.tid),
        to: (target.process.unwrap_or(0), target.thread.unwrap_or(0)),
        context: thread.process.context.id(),
        node: target.node,
        handle: data.handle(),
        data_size: data.data_size as u32,
        offsets_size: data.offsets_size as u32,
        error: match result {
            Ok(_) => (0, 0),
            Err(failure) => (failure.command, failure.param),
        },
    };
    record.keep();
}

/// Says who could not send what.
#[cold]
fn explain(
    debug_id: u32,
    thread: &Thread,
    data: &TransactionData,
    target: &Target,
    failure: Failure,
) {
    let kind = if data.is_oneway() { "async" } else { "call" };
    let (process, to) = (target.process.unwrap_or(0), target.thread.unwrap_or(0));
    let what = fmt!(
        "{kind} {debug_id} to {process}:{to} failed: {}/{}, handle {} code {} size {}-{}",
        failure.command,
        failure.param,
        data.handle(),
        data.code,
        data.data_size,
        data.offsets_size
    );
    messages::About::Failure.tell(thread.who(), what);
    if failure.is_user_error() {
        messages::user_error(thread.who(), fmt!("made an error in {kind} {debug_id}"));
    }
}

/// Tells listeners what became of a transaction.
fn report(thread: &Thread, data: &TransactionData, target: &Target, error: u32) {
    if !has_listeners() {
        return;
    }
    let report = Report {
        error,
        context: &thread.process.context.name,
        from_pid: thread.process.task.pid(),
        from_tid: thread.tid,
        to_pid: target.process,
        to_tid: target.thread,
        is_reply: false,
        flags: data.flags,
        code: data.code,
        data_size: data.data_size,
    };
    report.send();
}

fn try_send(
    sender: &mut Sender<'_>,
    message: &TransactionDataSg,
    known: &mut Target,
) -> Result<u32, Failure> {
    let thread = sender.thread;
    let data = &message.transaction_data;
    let pin = find_target(thread, data.handle())?;
    let node = (*pin).clone();
    let target = &node.owner;
    known.process = Some(target.task.pid());
    known.node = node.debug_id;
    security::binder_transaction(&thread.process.cred, &target.cred)
        .map_err(|_| Failure::failed(EPERM))?;
    let (kind, parent) = if data.is_oneway() {
        (Kind::Oneway(thread.process.task.pid() as u32), None)
    } else {
        (Kind::Call, thread.begin_call(sender.own)?)
    };
    let to_thread = parent
        .as_ref()
        .and_then(|call| call.waiting_in(target))
        .cloned();
    known.thread = to_thread.as_ref().map(|thread| thread.tid);
    let handler = known.thread.unwrap_or(0);
    let transaction = compose(sender, data, node.clone(), parent, handler)?;
    trace::Transaction::trace(|| trace::Transaction {
        debug_id: sender.own.extended_error.id as i32,
        target_node: node.debug_id as i32,
        to_proc: target.task.pid(),
        to_thread: handler,
        reply: 0,
        code: data.code,
        flags: data.flags,
    });
    let recipient = Recipient {
        process: target,
        accepts_files: node.accepts_files(),
        node: Some(pin),
        kind,
    };
    let (load, offset) = payload::copy(sender, message, recipient, &transaction.request)?;
    transaction.offset.store(offset, Relaxed);
    if matches!(load, Load::Suspect) {
        // Whether the sender wants to know or not.
        report(thread, data, known, SPAM_SUSPECT);
    }
    if data.is_oneway() {
        oneway(sender, &node, transaction, load)
    } else {
        call(sender, &node, transaction, to_thread.as_ref())
    }
}

/// The transaction that `data` asks for, without its message; thread `handler` gets it, or any.
fn compose(
    sender: &mut Sender<'_>,
    data: &TransactionData,
    node: Arc<Node>,
    parent: Option<Arc<Transaction>>,
    handler: Pid,
) -> Result<Arc<Transaction>, Failure> {
    let thread = sender.thread;
    let from = (!data.is_oneway()).then(|| thread.clone());
    let debug_id = sender.own.extended_error.id;
    // Made in place: it is large.
    let transaction = memory(sender.own)?.write_init(init!(Transaction {
        debug_id,
        counted: Counted::new(Object::Transaction),
        start: get_jiffies_64(),
        offset: Atomic::new(0),
        code: data.code,
        flags: data.flags,
        from,
        parent,
        node,
        euid: Kuid::current_euid(),
        sender: thread.process.task.pid(),
        sender_tid: thread.tid,
        handler: Atomic::new(handler),
        nice: current!().nice(),
        saved_nice: Atomic::new(0),
        request: Parcel::new(),
        reply: Parcel::new(),
        is_outstanding: Atomic::new(false),
        outcome: SetOnce::new(),
    }));
    match transaction {
        Ok(transaction) => Ok(Arc::from(transaction)),
        Err::<_, Infallible>(never) => match never {},
    }
}

/// The node that `handle` names, pinned. Its owner was alive.
fn find_target(thread: &Thread, handle: u32) -> Result<NodePin, Failure> {
    let process = &thread.process;
    let pin = match handle {
        0 => process.context.pin_manager().ok_or(Failure::dead(EINVAL))?,
        _ => process.pin_target(handle).map_err(Failure::failed)?,
    };
    // A manager that called itself would wait for ever.
    if handle == 0 && pin.owner.task == process.task {
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
) -> Result<u32, Failure> {
    let thread = sender.thread;
    let is_behind = thread.accept_behind(sender.own).map_err(Failure::failed)?;
    match node.owner.send(node, to, call.clone()) {
        Ok((_, wake)) => {
            sender.own.push_call(call);
            sender.own.accepted += u32::from(!is_behind);
            wake.wake(Urgency::Sync);
            Ok(COMPLETE)
        }
        Err(NotSent { transaction, error }) => {
            if is_behind {
                thread.amend_behind(None);
            }
            trace::FailedBufferRelease::of(|| transaction.request.label().numbers());
            drop(transaction);
            Err(not_sent(error))
        }
    }
}

/// Queues a message that expects no reply.
fn oneway(
    sender: &mut Sender<'_>,
    node: &Arc<Node>,
    message: Arc<Transaction>,
    load: Load,
) -> Result<u32, Failure> {
    let thread = sender.thread;
    thread.accept(sender.own).map_err(Failure::failed)?;
    match node.owner.send(node, None, message) {
        Ok((sent, wake)) => {
            wake.wake(Urgency::Plain);
            let wants_to_know = thread.process.detects_spam.load(Relaxed);
            let ret = match (sent, load) {
                (Sent::ToFrozen, _) => PENDING_FROZEN,
                (Sent::Normally, Load::Suspect) if wants_to_know => SPAM_SUSPECT,
                (Sent::Normally, _) => COMPLETE,
            };
            if ret != COMPLETE {
                thread.amend_accepted(sender.own, Some(ret));
            }
            Ok(ret)
        }
        Err(NotSent { transaction, error }) => {
            trace::FailedBufferRelease::of(|| transaction.request.label().numbers());
            thread.amend_accepted(sender.own, None);
            Err(not_sent(error))
        }
    }
}

/// Why a transaction that was ready to go did not go.
fn not_sent(error: Error) -> Failure {
    match error {
        ESRCH => Failure::DIED,
        EAGAIN => Failure::FROZEN,
        _ => Failure::failed(error),
    }
}

/// Memory for a transaction, if possible that of the thread's last one.
fn memory(own: &mut Own) -> Result<UniqueArc<MaybeUninit<Transaction>>, Failure> {
    match own.spare.take() {
        Some(memory) => Ok(memory),
        None => UniqueArc::new_uninit(GFP_KERNEL_ACCOUNT).map_err(|_| Failure::failed(ENOMEM)),
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
