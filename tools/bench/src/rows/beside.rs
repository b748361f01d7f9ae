// SPDX-License-Identifier: GPL-2.0

//! How long another process waits for the driver while much ends on another CPU.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use binder::sys::Device;

use super::{
    prepare::{self, Prepare},
    Operation,
};
use crate::sys::{self, Child, Word};

/// Where the other process runs, and where much ends.
const OTHER: usize = 0;
const OURS: usize = 1;

/// What the other process is told.
const WAIT: u32 = 0;
const GO: u32 = 1;
const STOP: u32 = 2;

/// How often it is seen whether a CPU is idle, and how often on end it must be to be done.
const LOOK: Duration = Duration::from_millis(100);
const LOOKS: u32 = 3;

/// The part of that time that it must be idle for.
const IDLE: f64 = 0.8;

/// Opens, maps and closes the device until it is told to stop; gives the longest time.
fn probe(path: &Path, order: &Word, worst: &Word) -> Result<()> {
    sys::pin(OTHER)?;
    drop(Device::open(path)?);
    order.wait_while(WAIT);
    while order.get() == GO {
        let start = Instant::now();
        drop(Device::open(path)?);
        worst.raise(start.elapsed().as_micros().try_into().unwrap_or(u32::MAX));
    }
    Ok(())
}

/// Returns when the CPU on which much ends has no more to do.
fn settle() -> Result<()> {
    let mut looks = 0;
    while looks < LOOKS {
        let (before, start) = (sys::idle(OURS)?, Instant::now());
        thread::sleep(LOOK);
        let idle = (sys::idle(OURS)? - before).as_secs_f64();
        looks = match idle > IDLE * start.elapsed().as_secs_f64() {
            true => looks + 1,
            false => 0,
        };
    }
    Ok(())
}

/// The row is about the worst time of the other process, not about one of so many things.
struct Beside {
    path: Box<Path>,
    prepare: Prepare,
    number: usize,
}

impl Beside {
    /// Gives microseconds.
    fn worst(&self) -> Result<u32> {
        let (order, worst) = (Word::shared()?, Word::shared()?);
        // It comes first, so that it has no copy of what is to end.
        let probe = Child::start(|| {
            let end = probe(&self.path, &order, &worst);
            if let Err(error) = &end {
                eprintln!("error: {error:#}");
            }
            end.is_err().into()
        })?;
        let end = (self.prepare)(&self.path, self.number)?;
        settle()?;
        order.set_and_wake(GO);
        let rest = end()?;
        settle()?;
        order.set_and_wake(STOP);
        probe.wait().context("the other process")?;
        drop(rest);
        settle()?;
        Ok(worst.get())
    }
}

impl Operation for Beside {
    fn once(&mut self) -> Result<()> {
        self.worst().map(drop)
    }

    fn settle(&mut self, _: u32) -> Result<()> {
        Ok(sys::pin(OURS)?)
    }

    fn each(&mut self, _: u32) -> Result<f64> {
        Ok(1000.0 * f64::from(self.worst()?))
    }
}

fn beside(path: &Path, number: usize, prepare: Prepare) -> Result<Box<dyn Operation>> {
    Ok(Box::new(Beside {
        path: path.into(),
        prepare,
        number,
    }))
}

pub fn exit(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    beside(path, number, prepare::exit)
}

pub fn deaths(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    beside(path, number, prepare::deaths)
}

pub fn freezes(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    beside(path, number, prepare::freezes)
}

pub fn umount(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    beside(path, number, prepare::umount)
}
