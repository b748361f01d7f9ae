// SPDX-License-Identifier: GPL-2.0

//! What is measured.

mod beside;
mod calls;
mod crowd;
mod ending;
mod floor;
mod handles;
mod life;
mod objects;
mod prepare;
mod queue;

use std::{path::Path, time::Instant};

use anyhow::Result;

use crate::sys;

/// How many short runs come before those that count.
const SETTLING: u32 = 3;

/// Something to do again and again.
pub trait Operation {
    /// Does it once.
    fn once(&mut self) -> Result<()>;

    /// Does it so many times.
    fn run(&mut self, count: u32) -> Result<()> {
        (0..count).try_for_each(|_| self.once())
    }

    /// How many of what the row is about are in one [`Self::once`].
    fn size(&self) -> u32 {
        1
    }

    /// What comes before what counts.
    ///
    /// By then pages and slabs are warm, and the scheduler has settled, which takes it thousands of
    /// switches.
    fn settle(&mut self, count: u32) -> Result<()> {
        (0..SETTLING).try_for_each(|_| self.run(count))
    }

    /// The nanoseconds of one: what a run that is longer by so many takes more.
    fn each(&mut self, count: u32) -> Result<f64> {
        let mut time = |count| -> Result<u128> {
            let start = Instant::now();
            self.run(count)?;
            let time = start.elapsed().as_nanos();
            sys::mark();
            Ok(time)
        };
        let more = time(count)?;
        let more = time(2 * count)?.saturating_sub(more);
        Ok(more as f64 / f64::from(count * self.size()))
    }
}

/// How one row is made: the device, and the row's parameter.
pub type Make = fn(&Path, usize) -> Result<Box<dyn Operation>>;

/// A kind of row.
pub struct Kind {
    pub name: &'static str,
    /// One row for each.
    pub parameters: &'static [usize],
    /// The difference of the two run lengths.
    pub count: u32,
    pub make: Make,
}

const fn kind(name: &'static str, parameters: &'static [usize], count: u32, make: Make) -> Kind {
    Kind {
        name,
        parameters,
        count,
        make,
    }
}

const SIZES: &[usize] = &[4, 128, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10];
const HANDLES: &[usize] = &[1, 256, 4096, 32_768];
const CLIENTS: &[usize] = &[1, 2, 4, 8, 16];
const PAIRS: &[usize] = &[1, 2, 4, 8];
const HELD: &[usize] = &[0, 1000, 32_768, 262_144];
const OPENS: &[usize] = &[10, 1000, 16_000, 64_000];
const MANY: &[usize] = &[10, 1000, 16_000];

/// All of them; the floors are what the kernel offers without Binder.
pub const KINDS: &[Kind] = &[
    kind("two-way", SIZES, 500, calls::two_way),
    kind("oneway", &[128], 500, calls::oneway),
    kind("flood", &[128], 20, calls::flood),
    kind("node", &[1], 500, objects::node),
    kind("new-node", &[1], 500, objects::new_node),
    kind("handle", &[1], 500, objects::handle),
    kind("file", &[1], 500, objects::file),
    kind("file-array", &[8], 500, objects::file_array),
    kind("buffer", &[1 << 10], 500, objects::buffer),
    kind("handles", HANDLES, 500, handles::random),
    kind("nested", &[128], 500, calls::nested),
    kind("pool", CLIENTS, 300, crowd::pool),
    kind("pairs", PAIRS, 300, crowd::pairs),
    kind("thread", &[1], 100, life::thread),
    kind("looper", &[1], 500, life::looper),
    kind("process", &[1], 100, life::process),
    kind("open", &[1], 200, life::opened),
    kind("death", &[100], 5, life::death),
    kind("outstanding", &[10_000], 1, queue::outstanding),
    kind("held", HELD, 200, handles::held),
    kind("exit", OPENS, 1, ending::exit),
    kind("close-handles", MANY, 1, ending::handles),
    kind("close-deaths", MANY, 1, ending::deaths),
    kind("close-freezes", MANY, 1, ending::freezes),
    kind("umount", MANY, 1, ending::umount),
    kind("beside-exit", &[0, 64_000], 1, beside::exit),
    kind("beside-deaths", &[16_000], 1, beside::deaths),
    kind("beside-freezes", &[16_000], 1, beside::freezes),
    kind("beside-umount", &[16_000], 1, beside::umount),
    kind("pipe", &[128], 500, floor::pipe),
    kind("socket", &[128], 500, floor::socket),
    kind("futex", &[0], 500, floor::futex),
    kind("bare-thread", &[1], 100, floor::thread),
    kind("bare-process", &[1], 100, floor::process),
];
