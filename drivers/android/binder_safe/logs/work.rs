// SPDX-License-Identifier: GPL-2.0

//! Transactions and other work in the logs.

use super::{
    Address,
    Out,
    Pointers, //
};
use crate::{
    process::{
        snapshot::{
            Owner,
            WorkView, //
        },
        subscription::{
            Notice,
            Topic, //
        },
        Process, //
    },
    thread::{
        stack::Frame,
        work::Work,
        Thread, //
    },
    transaction::{
        Outcome,
        Reply,
        Transaction, //
    }, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::Relaxed,
        Arc, //
    },
    task::Pid,
    time::{
        get_jiffies_64,
        jiffies_64_to_msecs, //
    },
    uapi, //
};

/// The calls that threads of a process handle, whose buffers are in use.
pub(super) struct Stacked(KVVec<u32>);

impl Stacked {
    pub(super) const fn new() -> Self {
        Self(KVVec::new())
    }

    /// Whether the transaction is among them.
    pub(super) fn contains(&self, debug_id: u32) -> bool {
        self.0.contains(&debug_id)
    }
}

/// What a line about a transaction or a reply says.
struct Line {
    debug_id: u32,
    pointer: usize,
    from: (Pid, Pid),
    to: (Pid, Pid),
    code: u32,
    flags: u32,
    nice: i32,
    is_oneway: bool,
    is_reply: bool,
    start: u64,
}

/// Prints what a thread is doing, the latest first.
pub(super) fn print_stack(
    out: Out<'_>,
    process: &Process,
    thread: &Arc<Thread>,
    stacked: &mut Stacked,
) -> Result {
    let mut above = None;
    loop {
        let mut frames = process.view_stack(thread, above)?;
        for Frame { call, is_handled } in &frames {
            if *is_handled {
                stacked.0.push(call.debug_id, GFP_KERNEL)?;
                print_transaction(out, process, "    incoming transaction", call)?;
            } else {
                print_transaction(out, process, "    outgoing transaction", call)?;
            }
        }
        above = frames.pop();
        if above.is_none() {
            return Ok(());
        }
    }
}

/// Prints what waits to be done for `process`.
pub(super) fn print_queue(
    out: Out<'_>,
    process: &Process,
    owner: Owner<'_>,
    indent: &str,
    pointers: Pointers,
) -> Result {
    let mut last = None;
    loop {
        let mut views = owner.work_behind(last.as_ref())?;
        for view in &views {
            print_work(out, process, owner, indent, view, pointers)?;
        }
        last = views.pop().map(|view| view.item);
        if last.is_none() {
            return Ok(());
        }
    }
}

fn print_work(
    out: Out<'_>,
    process: &Process,
    owner: Owner<'_>,
    indent: &str,
    view: &WorkView,
    pointers: Pointers,
) -> Result {
    match &view.item.clone().into_work() {
        Work::Transaction(transaction) => {
            let prefix = match (owner, indent.len()) {
                (Owner::Node(_), _) => "    pending async transaction",
                (_, 2) => "  pending transaction",
                _ => "    pending transaction",
            };
            print_transaction(out, process, prefix, transaction)
        }
        Work::Outcome(call) => print_outcome(out, process, call),
        Work::Node(node) => {
            let ptr = Address(node.ptr, pointers);
            let cookie = Address(node.cookie, pointers);
            let id = node.debug_id;
            Ok(out.write_fmt(fmt!("{indent}node work {id}: u{ptr} c{cookie}\n"))?)
        }
        Work::Notice(subscription) => {
            let what = match (view.notice, subscription.topic) {
                (None, _) => return Ok(()),
                (Some(Notice::Dead), _) => "dead binder",
                (Some(Notice::Frozen(_)), _) => "frozen binder",
                (Some(Notice::Cleared), Topic::Death) => "cleared death notification",
                (Some(Notice::Cleared), Topic::Freeze) => "cleared freeze notification",
            };
            Ok(out.write_fmt(fmt!("{indent}has {what}\n"))?)
        }
        Work::Returns(returns) => {
            for _ in 0..returns.count() {
                out.write_fmt(fmt!("{indent}transaction complete\n"))?;
            }
            Ok(())
        }
        Work::Failed(thread) => {
            let ret = thread.failure().unwrap_or_default();
            Ok(out.write_fmt(fmt!("{indent}transaction error: {ret}\n"))?)
        }
    }
}

/// Prints what became of a call, which its caller has not read.
fn print_outcome(out: Out<'_>, process: &Process, call: &Transaction) -> Result {
    match call.outcome.as_ref() {
        Some(Outcome::Reply(reply)) => {
            Line::of_reply(call, reply).print(out, "    pending transaction")?;
            print_buffer(out, process, reply.debug_id, reply.offset)
        }
        Some(Outcome::Failure(failure)) => {
            let ret = failure.command;
            Ok(out.write_fmt(fmt!("    transaction error: {ret}\n"))?)
        }
        None => Ok(()),
    }
}

fn print_transaction(
    out: Out<'_>,
    process: &Process,
    prefix: &str,
    transaction: &Transaction,
) -> Result {
    Line::of(transaction).print(out, prefix)?;
    if !Arc::ptr_eq(&transaction.node.owner, &process.peer) {
        return Ok(out.write_str("\n")?);
    }
    let offset = transaction.offset.load(Relaxed);
    if has_buffer(process, transaction.debug_id, offset) {
        out.write_fmt(fmt!(" node {}", transaction.node.debug_id))?;
    }
    print_buffer(out, process, transaction.debug_id, offset)
}

fn has_buffer(process: &Process, debug_id: u32, offset: u32) -> bool {
    let buffer = process.area.buffer_at(offset);
    buffer.is_some_and(|buffer| buffer.label.debug_id == debug_id)
}

fn print_buffer(out: Out<'_>, process: &Process, debug_id: u32, offset: u32) -> Result {
    match process.area.buffer_at(offset) {
        Some(buffer) if buffer.label.debug_id == debug_id => {
            let (data, offsets) = (buffer.label.data_size, buffer.label.offsets_size);
            Ok(out.write_fmt(fmt!(" size {data}:{offsets} offset {offset:x}\n"))?)
        }
        _ => Ok(out.write_str(" buffer free\n")?),
    }
}

impl Line {
    fn of(transaction: &Transaction) -> Self {
        Self {
            debug_id: transaction.debug_id,
            pointer: core::ptr::from_ref(transaction).addr(),
            from: (transaction.sender, transaction.sender_tid),
            to: (transaction.node.owner.pid, transaction.handler()),
            code: transaction.code,
            flags: transaction.flags,
            nice: transaction.nice,
            is_oneway: transaction.is_oneway(),
            is_reply: false,
            start: transaction.start,
        }
    }

    fn of_reply(call: &Transaction, reply: &Reply) -> Self {
        Self {
            debug_id: reply.debug_id,
            pointer: core::ptr::from_ref(reply).addr(),
            from: (call.node.owner.pid, call.handler()),
            to: (call.sender, call.sender_tid),
            code: reply.code,
            flags: reply.flags,
            nice: call.nice,
            is_oneway: reply.flags & uapi::transaction_flags_TF_ONE_WAY != 0,
            is_reply: true,
            start: reply.start,
        }
    }

    /// Prints the line without its end.
    fn print(&self, out: Out<'_>, prefix: &str) -> Result {
        let elapsed = get_jiffies_64().saturating_sub(self.start);
        Ok(out.write_fmt(fmt!(
            "{prefix} {}: {} from {}:{} to {}:{} code {:x} flags {:x} pri {} a{} r{} elapsed {}ms",
            self.debug_id,
            Address(self.pointer as u64, Pointers::Hashed),
            self.from.0,
            self.from.1,
            self.to.0,
            self.to.1,
            self.code,
            self.flags,
            self.nice,
            u32::from(self.is_oneway),
            u32::from(self.is_reply),
            jiffies_64_to_msecs(elapsed)
        ))?)
    }
}
