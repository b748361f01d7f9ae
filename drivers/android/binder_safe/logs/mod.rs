// SPDX-License-Identifier: GPL-2.0

//! The log files, in which one sees what the driver and its clients are doing.
//!
//! Programs read them, so the columns are those of the C driver.

mod buffers;
pub(crate) mod debug;
pub(crate) mod files;
mod history;
pub(crate) mod mount_place;
pub(crate) mod mounted;
mod nodes;
mod process;
mod stats;
mod work;

use crate::{
    context::global::Global,
    diag::history::Which, //
};
use kernel::{
    fmt::{
        Display,
        Formatter,
        Write, //
    },
    prelude::*,
    sync::Arc,
    task::Pid, //
};
use nodes::Holders;

/// Where a log is printed.
type Out<'a> = &'a mut dyn Write;

/// How pointers of user space are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pointers {
    Plain,
    Hashed,
}

/// How much of a process is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    All,
    /// What it is doing, or has to do.
    Busy,
}

/// What a log file shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Log {
    State(Pointers),
    Stats,
    Transactions(Pointers),
    History(Which),
    Process(Pid),
}

/// What each mount with logs has, besides one file for each process.
const FILES: [(&CStr, Log); 7] = [
    (c"state", Log::State(Pointers::Plain)),
    (c"state_hashed", Log::State(Pointers::Hashed)),
    (c"stats", Log::Stats),
    (c"transactions", Log::Transactions(Pointers::Plain)),
    (c"transactions_hashed", Log::Transactions(Pointers::Hashed)),
    (c"transaction_log", Log::History(Which::All)),
    (c"failed_transaction_log", Log::History(Which::Failed)),
];

/// A log file.
pub(crate) struct LogFile {
    global: Arc<Global>,
    log: Log,
}

impl LogFile {
    /// Prints all of it. May sleep.
    fn print(&self, out: Out<'_>) -> Result {
        let global = &*self.global;
        match self.log {
            Log::State(pointers) => state(out, global, pointers),
            Log::Stats => stats::print(out, global),
            Log::Transactions(pointers) => transactions(out, global, pointers),
            Log::History(which) => history::print(out, global, which),
            Log::Process(pid) => one(out, global, pid),
        }
    }
}

fn state(out: Out<'_>, global: &Global, pointers: Pointers) -> Result {
    out.write_str("binder state:\n")?;
    let processes = global.registry.processes(None)?;
    let holders = Holders::collect(&processes)?;
    holders.print_dead(out, pointers)?;
    for process in &processes {
        process::print(out, process, &holders, Part::All, pointers)?;
    }
    Ok(())
}

fn transactions(out: Out<'_>, global: &Global, pointers: Pointers) -> Result {
    out.write_str("binder transactions:\n")?;
    let processes = global.registry.processes(None)?;
    let holders = Holders::collect(&processes)?;
    for process in &processes {
        process::print(out, process, &holders, Part::Busy, pointers)?;
    }
    Ok(())
}

/// The processes of one thread group: all the devices that it has open.
fn one(out: Out<'_>, global: &Global, pid: Pid) -> Result {
    let holders = Holders::collect(&global.registry.processes(None)?)?;
    for process in &global.registry.processes(Some(pid))? {
        out.write_str("binder proc state:\n")?;
        process::print(out, process, &holders, Part::All, Pointers::Plain)?;
    }
    Ok(())
}

/// A number that is a pointer, without `0x`: as it is, or hashed as the kernel hashes its own.
struct Address(u64, Pointers);

impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> kernel::fmt::Result {
        match self.1 {
            Pointers::Plain => f.write_fmt(fmt!("{:016x}", self.0)),
            Pointers::Hashed => {
                let pointer = core::ptr::without_provenance::<u8>(self.0 as usize);
                SkipPrefix(f, 2).write_fmt(fmt!("{:p}", pointer))
            }
        }
    }
}

/// Leaves out the first bytes of what is written.
struct SkipPrefix<'a, 'f>(&'a mut Formatter<'f>, usize);

impl Write for SkipPrefix<'_, '_> {
    fn write_str(&mut self, text: &str) -> kernel::fmt::Result {
        let skipped = self.1.min(text.len());
        self.1 -= skipped;
        self.0.write_str(text.get(skipped..).unwrap_or(""))
    }
}
