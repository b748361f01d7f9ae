// SPDX-License-Identifier: GPL-2.0

//! How many objects of each kind there are, and were made.
//!
//! Whoever makes or ends an object may be on any CPU, so the counts are in several parts, and a CPU
//! writes one that it rarely shares. Only their sums mean something.

use kernel::{
    cpu::CpuId,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Process,
    Thread,
    Node,
    Ref,
    Death,
    Freeze,
    Transaction,
}

const KINDS: usize = Kind::Transaction as usize + 1;

/// How many parts the counts have; CPUs with the same remainder share one.
const SHARDS: usize = 16;

/// One part of the counts, which wrap around.
#[repr(align(64))]
struct Shard {
    made: [Atomic<u32>; KINDS],
    ended: [Atomic<u32>; KINDS],
}

static COUNTS: [Shard; SHARDS] = [const {
    Shard {
        made: [const { Atomic::new(0) }; KINDS],
        ended: [const { Atomic::new(0) }; KINDS],
    }
}; SHARDS];

fn shard() -> &'static Shard {
    &COUNTS[CpuId::current().as_u32() as usize % SHARDS]
}

/// The objects of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) active: i32,
    pub(crate) total: u32,
}

impl Kind {
    /// There is one more.
    pub(crate) fn begin(self) {
        shard().made[self as usize].add(1u32, Relaxed);
    }

    /// There is one less.
    pub(crate) fn end(self) {
        shard().ended[self as usize].add(1u32, Relaxed);
    }

    /// How many there are.
    pub(crate) fn count(self) -> Count {
        // What has ended was made before, so it is summed up first.
        let sum = |part: fn(&Shard) -> &[Atomic<u32>; KINDS]| {
            let of = |shard| part(shard)[self as usize].load(Relaxed);
            COUNTS.iter().map(of).fold(0, u32::wrapping_add)
        };
        let ended = sum(|shard| &shard.ended);
        let total = sum(|shard| &shard.made);
        Count {
            active: total.wrapping_sub(ended) as i32,
            total,
        }
    }
}

/// An object counts as long as it has one of these.
pub(crate) struct Counted(Kind);

impl Counted {
    /// There is one more.
    pub(crate) fn new(kind: Kind) -> Self {
        kind.begin();
        Self(kind)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.end();
    }
}
