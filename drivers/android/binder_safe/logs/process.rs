// SPDX-License-Identifier: GPL-2.0

//! One process in the logs.

use super::{
    buffers,
    nodes::{
        self,
        Holders, //
    },
    work::{
        self,
        Stacked, //
    },
    Out,
    Part,
    Pointers, //
};
use crate::{
    process::{
        snapshot::Owner,
        subscription::Topic,
        Process, //
    },
    thread::Thread, //
};
use kernel::{
    fmt::Write,
    prelude::*,
    sync::{
        atomic::Relaxed,
        Arc, //
    }, //
};

/// Prints lines below a head that is left out if nothing comes below it.
pub(super) struct Headed<'a> {
    out: Out<'a>,
    /// The head, until it is printed.
    head: Option<&'a dyn Fn(Out<'_>) -> kernel::fmt::Result>,
}

impl Write for Headed<'_> {
    fn write_str(&mut self, text: &str) -> kernel::fmt::Result {
        if let Some(head) = self.head.take() {
            head(self.out)?;
        }
        self.out.write_str(text)
    }

    fn write_fmt(&mut self, args: kernel::fmt::Arguments<'_>) -> kernel::fmt::Result {
        self.write_str("")?;
        self.out.write_fmt(args)
    }
}

/// Prints a head, and what `body` prints. Without `always` a head without a body is left out.
fn headed(
    out: Out<'_>,
    always: bool,
    head: &dyn Fn(Out<'_>) -> kernel::fmt::Result,
    body: impl FnOnce(Out<'_>) -> Result,
) -> Result {
    let mut headed = Headed {
        out,
        head: Some(head),
    };
    if always {
        headed.write_str("")?;
    }
    body(&mut headed)
}

/// Prints a process.
pub(super) fn print(
    out: Out<'_>,
    process: &Process,
    holders: &Holders,
    part: Part,
    pointers: Pointers,
) -> Result {
    let head = |out: Out<'_>| {
        let name = &*process.context.name;
        out.write_fmt(fmt!("proc {}\ncontext {name}\n", process.pid))
    };
    headed(out, part == Part::All, &head, |out| {
        let mut stacked = Stacked::new();
        threads(out, process, part, pointers, &mut stacked)?;
        nodes::print_all(out, process, holders, part, pointers)?;
        if part == Part::All {
            nodes::print_refs(out, process)?;
        }
        buffers::print(out, process, &stacked)?;
        let owner = Owner::Process(&process.peer);
        work::print_queue(out, process, owner, "  ", pointers)?;
        if process.has_delivered(Topic::Death) {
            out.write_str("  has delivered dead binder\n")?;
        }
        if process.has_delivered(Topic::Freeze) {
            out.write_str("  has delivered freeze binder\n")?;
        }
        Ok(())
    })
}

fn threads(
    out: Out<'_>,
    process: &Process,
    part: Part,
    pointers: Pointers,
    stacked: &mut Stacked,
) -> Result {
    let mut above = i32::MIN;
    loop {
        let threads = process.threads_above(above)?;
        let Some(last) = threads.last() else {
            return Ok(());
        };
        above = last.tid;
        for thread in &threads {
            print_thread(out, process, thread, part, pointers, stacked)?;
        }
    }
}

fn print_thread(
    out: Out<'_>,
    process: &Process,
    thread: &Arc<Thread>,
    part: Part,
    pointers: Pointers,
    stacked: &mut Stacked,
) -> Result {
    let view = process.view_thread(thread);
    let head = |out: Out<'_>| {
        // Nobody but its own process holds a thread for a moment, hence the last number.
        out.write_fmt(fmt!(
            "  thread {}: l {:02x} need_return {} tr 0\n",
            view.tid,
            view.looper,
            u32::from(view.must_return)
        ))
    };
    headed(out, part == Part::All, &head, |out| {
        work::print_stack(out, process, thread, stacked)?;
        for _ in 0..thread.unread_completions.load(Relaxed) {
            out.write_str("    transaction complete\n")?;
        }
        let owner = Owner::Thread(thread);
        work::print_queue(out, process, owner, "    ", pointers)
    })
}
