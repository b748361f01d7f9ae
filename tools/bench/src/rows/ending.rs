// SPDX-License-Identifier: GPL-2.0

//! What the end of many things costs, by the thing.
//!
//! Drivers leave part of it to workers, so everything counts that this CPU does until it has no
//! more to do.

use std::{path::Path, time::Instant};

use anyhow::Result;

use super::{
    prepare::{self, Prepare},
    Operation,
};
use crate::sys;

/// Work of ours between two looks at the clock, a million instructions or so.
const SPIN: u32 = 300_000;

/// A spin that takes so many nanoseconds more than it should was disturbed; by the timer's interrupt
/// it is by less.
const SLACK: u64 = 20_000;

/// After so many spins on end that nothing disturbs, there is no more to do: the workers have the
/// CPU before us, and what waits for RCU has come.
const QUIET: u32 = 40;

/// As many spins find out how long one takes.
const TRIES: u32 = 20;

/// For few things the end is measured several times, so that this many have ended, or this often.
const THINGS: usize = 1000;
const ROUNDS: usize = 3;

fn spin() -> u64 {
    let start = Instant::now();
    for at in 0..SPIN {
        std::hint::black_box(at);
    }
    start.elapsed().as_nanos() as u64
}

/// Finds out what this CPU does besides running us.
struct Meter {
    /// The nanoseconds of one spin.
    spin: u64,
}

impl Meter {
    fn new() -> Self {
        let all = (0..TRIES).map(|_| spin());
        Self {
            spin: all.min().unwrap_or(0),
        }
    }

    /// Returns when nobody else wants the CPU any more; gives the nanoseconds that were spent in vain.
    fn settle(&self) -> Result<u64> {
        sys::set_idle(true)?;
        let (mut quiet, mut vain) = (0, 0);
        while quiet < QUIET {
            let took = spin();
            // The timer's interrupts are no part of what ends.
            (quiet, vain) = match took > self.spin + SLACK {
                true => (0, vain + self.spin),
                false => (quiet + 1, vain + took),
            };
        }
        sys::set_idle(false)?;
        Ok(vain)
    }

    /// The nanoseconds that it takes until `end` and all that comes of it are over.
    fn cost(&self, end: prepare::End) -> Result<u64> {
        self.settle()?;
        let start = Instant::now();
        let rest = end()?;
        let vain = self.settle()?;
        let cost = (start.elapsed().as_nanos() as u64).saturating_sub(vain);
        sys::mark();
        drop(rest);
        Ok(cost)
    }
}

/// The end of so many things, less the end of none.
struct Ending {
    path: Box<Path>,
    prepare: Prepare,
    number: usize,
    meter: Meter,
}

impl Ending {
    fn cost(&self, number: usize) -> Result<u64> {
        self.meter.cost((self.prepare)(&self.path, number)?)
    }
}

impl Operation for Ending {
    fn once(&mut self) -> Result<()> {
        self.cost(self.number).map(drop)
    }

    fn size(&self) -> u32 {
        self.number as u32
    }

    fn settle(&mut self, _: u32) -> Result<()> {
        self.cost(self.number.min(THINGS)).map(drop)
    }

    fn each(&mut self, _: u32) -> Result<f64> {
        let rounds = (THINGS / self.number).clamp(1, ROUNDS);
        let mut all = 0.0;
        for _ in 0..rounds {
            all += self.cost(self.number)? as f64 - self.cost(0)? as f64;
        }
        Ok(all / (rounds * self.number) as f64)
    }
}

fn ending(path: &Path, number: usize, prepare: Prepare) -> Result<Box<dyn Operation>> {
    Ok(Box::new(Ending {
        path: path.into(),
        prepare,
        number,
        meter: Meter::new(),
    }))
}

pub fn exit(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    ending(path, number, prepare::exit)
}

pub fn handles(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    ending(path, number, prepare::handles)
}

pub fn deaths(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    ending(path, number, prepare::deaths)
}

pub fn freezes(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    ending(path, number, prepare::freezes)
}

pub fn umount(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    ending(path, number, prepare::umount)
}
