// SPDX-License-Identifier: GPL-2.0

//! Boots a kernel in QEMU with programs of ours and tells the caller what they print.

mod accel;
mod check;
mod cpio;
mod guest;
pub mod image;
mod initramfs;
pub mod ktap;
mod qemu;
pub mod results;
mod session;
pub mod shell;
mod tsc;

use std::{path::PathBuf, time::Duration};

pub use accel::{resolve as accel, Accel};
pub use guest::{build as programs, cargo as static_cargo, TARGET};
pub use session::boot;

/// One program for the VM to run.
#[derive(Clone, Debug)]
pub struct Program {
    /// What reports call it; no blanks.
    pub name: String,
    /// Path in the VM, and arguments.
    pub argv: Vec<String>,
    /// Added to a small fixed environment.
    pub env: Vec<(String, String)>,
    /// It is killed when this is over; zero means never.
    pub limit: Duration,
    /// It talks to the user's terminal instead of to us.
    pub console: bool,
}

impl Program {
    /// A program with arguments and nothing special about it.
    pub fn new(name: &str, argv: &[&str], limit: Duration) -> Self {
        Self {
            name: name.to_string(),
            argv: argv.iter().map(|arg| arg.to_string()).collect(),
            env: Vec::new(),
            limit,
            console: false,
        }
    }
}

/// How time passes in the VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// As the emulator gets along.
    Real,
    /// One nanosecond an executed instruction: exact and repeatable, with one CPU.
    Instructions,
}

/// A VM: what it boots, on what, with what inside.
#[derive(Clone, Debug)]
pub struct Vm {
    /// Names the log.
    pub name: String,
    /// The kernel, a bzImage.
    pub image: PathBuf,
    /// Emulation or hardware.
    pub accel: Accel,
    /// How time passes.
    pub clock: Clock,
    /// Virtual CPUs.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory: u32,
    /// Added to the kernel's command line.
    pub cmdline: String,
    /// Files for the initramfs besides our own programs: path in the VM, path here.
    pub files: Vec<(String, PathBuf)>,
    /// What runs, in this order.
    pub programs: Vec<Program>,
    /// The kernel has kmemleak, so there must be a report of it in the end.
    pub leak_check: bool,
    /// A plugin for QEMU, with its arguments after commas.
    pub plugin: Option<String>,
    /// Time for the kernel to come up, before any program starts.
    pub boot_limit: Duration,
}

impl Vm {
    /// A VM with the usual size that runs nothing yet.
    pub fn new(name: &str, image: PathBuf) -> Self {
        Self {
            name: name.to_string(),
            image,
            accel: Accel::Auto,
            clock: Clock::Real,
            cpus: 2,
            memory: 1024,
            cmdline: String::new(),
            files: Vec::new(),
            programs: Vec::new(),
            leak_check: false,
            plugin: None,
            boot_limit: Duration::from_secs(120),
        }
    }
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It exited.
    Code(i32),
    /// A signal killed it.
    Signal(i32),
    /// It ran over its time limit; the word says whether it could be killed.
    Timeout(String),
    /// It could not be started.
    Fault(String),
    /// The VM went away before it ended or even started.
    Lost,
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit status {code}"),
            Self::Signal(signal) => write!(f, "killed by signal {signal}"),
            Self::Timeout(how) => write!(f, "ran over its time limit and was {how}"),
            Self::Fault(why) => write!(f, "could not be started: {why}"),
            Self::Lost => write!(f, "the VM went away before it ended"),
        }
    }
}

/// What a VM tells while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A line of the kernel log, time stamp removed.
    Kernel(String),
    /// A program starts.
    Start(String),
    /// A line that the running program printed.
    Output(String),
    /// A program ended.
    End(String, End),
}

/// What is left when the VM is gone.
#[derive(Debug)]
pub struct Outcome {
    /// Everything the VM printed.
    pub log: PathBuf,
    /// What went wrong outside the programs, one entry a finding, with its lines of the log.
    pub problems: Vec<String>,
    /// It had to be ended because nothing happened any more.
    pub hung: bool,
}
