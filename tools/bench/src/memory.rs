// SPDX-License-Identifier: GPL-2.0

//! How much memory the kernel holds for each thing that a process can have of a driver.

use std::{
    fs,
    path::Path,
    sync::{Arc, Barrier},
    thread,
    time::Duration,
};

use anyhow::{bail, Context, Result};
use binder::{
    proto::{self, Object},
    slab,
    sys::Device,
};

use crate::{server, wire::Wire};

/// Time for RCU and delayed work to give back what is on its way out.
const SETTLE: Duration = Duration::from_millis(300);

/// How many of each are made: enough for the slabs and pages that are half full not to count.
const PROCESSES: usize = 500;
const THREADS: usize = 500;
const NODES: usize = 8000;

/// The names of what is measured, for `--only`.
pub const KIND: &str = "memory";

/// Memory in use, in bytes.
#[derive(Clone, Copy)]
struct Used {
    slab: u64,
    all: u64,
}

/// Bytes that `/proc/meminfo` calls free.
fn free() -> Result<u64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemFree:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(1024 * kib.context("/proc/meminfo has no MemFree")?)
}

impl Used {
    fn now() -> Result<Self> {
        thread::sleep(SETTLE);
        Ok(Self {
            slab: slab::bytes()?,
            all: u64::MAX / 2 - free()?,
        })
    }
}

/// Growth for each of `number`, bytes in slabs and bytes in all.
struct Each(f64, f64);

impl Each {
    fn of(before: Used, after: Used, number: usize) -> Self {
        let each = |before: u64, after: u64| (after as f64 - before as f64) / number as f64;
        Self(each(before.slab, after.slab), each(before.all, after.all))
    }

    /// Prints `memory NAME NUMBER`, the bytes in slabs and the bytes in all.
    fn print(&self, name: &str, number: usize) {
        println!("memory {name} {number} {:.1} {:.1}", self.0, self.1);
    }
}

/// Open files with a mapping and no thread.
fn processes(path: &Path) -> Result<()> {
    let mut open = Vec::with_capacity(PROCESSES);
    open.push(Device::open(path)?);
    let before = Used::now()?;
    for _ in 1..PROCESSES {
        open.push(Device::open(path)?);
    }
    Each::of(before, Used::now()?, PROCESSES - 1).print("process", PROCESSES - 1);
    Ok(())
}

/// Threads that have offered themselves; without what they cost before.
fn threads(path: &Path) -> Result<()> {
    let device = Wire::open(path)?.device;
    let barrier = Arc::new(Barrier::new(THREADS + 1));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (device, barrier) = (device.clone(), barrier.clone());
            let thread = move || {
                barrier.wait();
                barrier.wait();
                let end = device.write_read(&proto::BC_ENTER_LOOPER.to_ne_bytes(), &mut []);
                barrier.wait();
                barrier.wait();
                end
            };
            thread::Builder::new().stack_size(32 << 10).spawn(thread)
        })
        .collect::<Result<_, _>>()?;
    barrier.wait();
    let before = Used::now()?;
    barrier.wait();
    barrier.wait();
    let each = Each::of(before, Used::now()?, THREADS);
    barrier.wait();
    for thread in threads {
        thread.join().ok().context("a thread panicked")??;
    }
    each.print("thread", THREADS);
    Ok(())
}

/// Nodes with one reference each, then a second reference to each.
fn nodes(path: &Path) -> Result<()> {
    let _server = server::start(path, 1)?;
    let (mut owner, mut holder, mut other) =
        (Wire::open(path)?, Wire::open(path)?, Wire::open(path)?);
    let to_holder = server::introduce(&mut owner, &mut holder)?;
    let to_other = server::introduce(&mut holder, &mut other)?;
    let node = |ptr| Object::Binder { ptr, cookie: ptr };
    let nodes: Vec<Object> = (2..NODES as u64 + 2).map(node).collect();
    let before = Used::now()?;
    let handles = server::hand_over(&mut owner, &mut holder, to_holder, &nodes)?;
    let between = Used::now()?;
    let objects: Vec<Object> = handles.into_iter().map(Object::Handle).collect();
    let kept = server::hand_over(&mut holder, &mut other, to_other, &objects)?;
    let after = Used::now()?;
    if kept.len() != NODES {
        bail!("{} of {NODES} handles arrived", kept.len());
    }
    let reference = Each::of(between, after, NODES);
    let both = Each::of(before, between, NODES);
    let node = Each(both.0 - reference.0, both.1 - reference.1);
    node.print("node", NODES);
    reference.print("reference", NODES);
    Ok(())
}

/// Measures all.
pub fn run(path: &Path) -> Result<()> {
    processes(path)?;
    threads(path)?;
    nodes(path)
}
