// SPDX-License-Identifier: GPL-2.0

//! Counts in the logs.

use super::{
    buffers,
    nodes::for_each_ref,
    Out, //
};
use crate::{
    context::global::Global,
    diag::{
        commands::Sums,
        objects::{
            Count,
            Kind, //
        }, //
    },
    process::{
        snapshot::{
            Owner,
            PIECE, //
        },
        Process, //
    },
    thread::work::Work, //
};
use kernel::{
    prelude::*,
    sync::atomic::Relaxed,
    uapi, //
};

/// The returns for a transaction that was accepted.
const ACCEPTED: [u32; 3] = [
    uapi::binder_driver_return_protocol_BR_TRANSACTION_COMPLETE,
    uapi::binder_driver_return_protocol_BR_ONEWAY_SPAM_SUSPECT,
    uapi::binder_driver_return_protocol_BR_TRANSACTION_PENDING_FROZEN,
];

/// Prints the counts of the driver and of each process.
pub(super) fn print(out: Out<'_>, global: &Global) -> Result {
    let (processes, mut sums) = global.registry.counted()?;
    let mut unread = 0;
    for process in &processes {
        sums.add_sums(&process.sums()?);
        unread += unread_completions(process)?;
    }
    out.write_str("binder stats:\n")?;
    print_sums(out, "", &sums)?;
    let read = |sum: u32, ret| sum.wrapping_add(sums.returned(ret));
    let complete = Count {
        active: unread as i32,
        total: ACCEPTED.into_iter().fold(unread, read),
    };
    for (name, count) in [
        ("proc", Kind::Process.count()),
        ("thread", Kind::Thread.count()),
        ("node", Kind::Node.count()),
        ("ref", Kind::Ref.count()),
        ("death", Kind::Death.count()),
        ("transaction", Kind::Transaction.count()),
        ("transaction_complete", complete),
        ("freeze", Kind::Freeze.count()),
    ] {
        let Count { active, total } = count;
        if active != 0 || total != 0 {
            out.write_fmt(fmt!("{name}: active {active} total {total}\n"))?;
        }
    }
    for process in &processes {
        print_process(out, process)?;
    }
    Ok(())
}

fn print_sums(out: Out<'_>, indent: &str, sums: &Sums) -> Result {
    for (name, count) in sums.iter() {
        out.write_fmt(fmt!("{indent}{name}: {count}\n"))?;
    }
    Ok(())
}

/// How many of its transactions a process has not read yet that they were accepted.
fn unread_completions(process: &Process) -> Result<u32> {
    let mut count = 0;
    let mut above = i32::MIN;
    loop {
        let threads = process.threads_above(above)?;
        let Some(last) = threads.last() else {
            return Ok(count);
        };
        above = last.tid;
        for thread in &threads {
            count += thread.unread_completions.load(Relaxed);
            count += count_work(Owner::Thread(thread), |work| match work {
                Work::Returns(returns) => returns.count(),
                _ => 0,
            })?;
        }
    }
}

fn count_work(owner: Owner<'_>, weight: impl Fn(&Work) -> u32) -> Result<u32> {
    let (mut count, mut last) = (0u32, None);
    loop {
        let mut views = owner.work_behind(last.as_ref())?;
        for view in &views {
            count = count.saturating_add(weight(&view.item.clone().into_work()));
        }
        last = views.pop().map(|view| view.item);
        if last.is_none() {
            return Ok(count);
        }
    }
}

fn print_process(out: Out<'_>, process: &Process) -> Result {
    let name = &*process.context.name;
    let pid = process.pid;
    out.write_fmt(fmt!("proc {pid}\ncontext {name}\n"))?;
    let numbers = process.numbers();
    let (requested, started, max) = (numbers.requested, numbers.started, numbers.max);
    out.write_fmt(fmt!("  threads: {}\n", numbers.threads))?;
    out.write_fmt(fmt!("  requested threads: {requested}+{started}/{max}\n"))?;
    out.write_fmt(fmt!("  ready threads {}\n", numbers.idle))?;
    let free = process.area.free_oneway();
    out.write_fmt(fmt!("  free async space {free}\n"))?;
    out.write_fmt(fmt!("  nodes: {}\n", count_nodes(process)?))?;
    let (mut refs, mut strong, mut weak) = (0, 0, 0);
    for_each_ref(process, |entry| {
        refs += 1;
        strong += entry.strong;
        weak += entry.weak;
        Ok(())
    })?;
    out.write_fmt(fmt!("  refs: {refs} s {strong} w {weak}\n"))?;
    let mut buffers = 0;
    buffers::for_each(process, |_| {
        buffers += 1;
        Ok(())
    })?;
    out.write_fmt(fmt!("  buffers: {buffers}\n"))?;
    let pages = process.area.page_counts();
    let (active, lru, free) = (pages.active, pages.lru, pages.free);
    out.write_fmt(fmt!("  pages: {active}:{lru}:{free}\n"))?;
    out.write_fmt(fmt!("  pages high watermark: {}\n", pages.high))?;
    let pending = count_work(Owner::Process(&process.peer), |work| {
        u32::from(matches!(work, Work::Transaction(_)))
    })?;
    out.write_fmt(fmt!("  pending transactions: {pending}\n"))?;
    print_sums(out, "  ", &process.sums()?)
}

fn count_nodes(process: &Process) -> Result<usize> {
    let mut count = 0;
    let mut from = Some(0);
    while let Some(ptr) = from {
        let nodes = process.nodes_from(ptr)?;
        count += nodes.len();
        let last = nodes.last().filter(|_| nodes.len() == PIECE);
        from = last.and_then(|view| view.node.ptr.checked_add(1));
    }
    Ok(count)
}
