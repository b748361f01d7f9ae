// SPDX-License-Identifier: GPL-2.0

//! How often each command was carried out, and each return was read.
//!
//! A thread counts for itself. What it counted is added to its process's when it goes, that of the
//! process to the driver's when the process goes, and the rest when somebody looks.

use super::names::{
    self,
    by_number, //
};
use kernel::{
    ioctl::_IOC_NR,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// Commands by their number.
const COMMANDS: [&str; 22] = by_number(names::COMMANDS);

/// Returns by their number.
const RETURNS: [&str; 23] = by_number(names::RETURNS);

/// What a command is called.
pub(crate) fn name(word: u32) -> &'static str {
    COMMANDS
        .get(_IOC_NR(word) as usize)
        .copied()
        .unwrap_or("BC_?")
}

/// What one thread has counted. Nobody else writes it.
pub(crate) struct Counters {
    commands: [Atomic<u32>; COMMANDS.len()],
    returns: [Atomic<u32>; RETURNS.len()],
}

impl Counters {
    /// Nothing was counted.
    pub(crate) const fn new() -> Self {
        Self {
            commands: [const { Atomic::new(0) }; COMMANDS.len()],
            returns: [const { Atomic::new(0) }; RETURNS.len()],
        }
    }

    /// The current thread has written this command, valid or not.
    pub(crate) fn count_command(&self, word: u32) {
        count(&self.commands, word);
    }

    /// The current thread reads this return.
    pub(crate) fn count_return(&self, word: u32) {
        count(&self.returns, word);
    }
}

fn count(counters: &[Atomic<u32>], word: u32) {
    if let Some(counter) = counters.get(_IOC_NR(word) as usize) {
        // The thread itself is the only one that writes.
        counter.store(counter.load(Relaxed).wrapping_add(1), Relaxed);
    }
}

/// What several threads have counted.
#[derive(Clone, Copy)]
pub(crate) struct Sums {
    commands: [u32; COMMANDS.len()],
    returns: [u32; RETURNS.len()],
}

impl Sums {
    /// Nothing was counted.
    pub(crate) const fn new() -> Self {
        Self {
            commands: [0; COMMANDS.len()],
            returns: [0; RETURNS.len()],
        }
    }

    /// Adds what a thread has counted.
    pub(crate) fn add(&mut self, counters: &Counters) {
        let load = |counter: &Atomic<u32>| counter.load(Relaxed);
        add(&mut self.commands, counters.commands.iter().map(load));
        add(&mut self.returns, counters.returns.iter().map(load));
    }

    /// Adds what others have counted.
    pub(crate) fn add_sums(&mut self, sums: &Sums) {
        add(&mut self.commands, sums.commands.iter().copied());
        add(&mut self.returns, sums.returns.iter().copied());
    }

    /// How often a return was read.
    pub(crate) fn returned(&self, word: u32) -> u32 {
        self.returns
            .get(_IOC_NR(word) as usize)
            .copied()
            .unwrap_or(0)
    }

    /// The names and counts of all commands and returns that occurred.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, u32)> + '_ {
        let commands = COMMANDS.into_iter().zip(self.commands);
        let returns = RETURNS.into_iter().zip(self.returns);
        Iterator::chain(commands, returns).filter(|(_, count)| *count > 0)
    }
}

fn add(sums: &mut [u32], counters: impl Iterator<Item = u32>) {
    for (sum, counter) in sums.iter_mut().zip(counters) {
        *sum = sum.wrapping_add(counter);
    }
}
