// SPDX-License-Identifier: GPL-2.0

//! The last transactions, and the last that failed.
//!
//! A record is written without a lock, into memory that its CPU rarely shares with others. Whoever
//! reads it while it is written sees that it is incomplete.

use kernel::{
    cpu::CpuId,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        barrier::{
            smp_mb,
            Read,
            Write, //
        }, //
    },
    task::Pid,
    time::{
        get_cycles,
        get_jiffies_64, //
    }, //
};

/// How many records are kept.
const LEN: usize = 32;

/// How many rings the records of all transactions are spread over.
const SHARDS: usize = 16;

/// How many words a record takes, without the time: with it, a cache line.
const WORDS: usize = 6;

static ALL: [Ring; SHARDS] = [const { Ring::new() }; SHARDS];
static FAILED: [Ring; 1] = [Ring::new()];

/// What kind of transaction a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Call,
    Oneway,
    Reply,
}

/// A transaction and what became of it when it was sent. What was not known is 0.
#[derive(Clone, Copy)]
pub(crate) struct Record {
    pub(crate) call: Call,
    pub(crate) debug_id: u32,
    /// The thread group and the thread.
    pub(crate) from: (Pid, Pid),
    pub(crate) to: (Pid, Pid),
    /// The id of the context, of 30 bits.
    pub(crate) context: u32,
    pub(crate) node: u32,
    pub(crate) handle: u32,
    pub(crate) data_size: u32,
    pub(crate) offsets_size: u32,
    /// The return that tells of a failure, and the reason.
    pub(crate) error: (u32, i32),
}

/// What was read of a record.
pub(crate) struct Entry {
    /// When it was written, in jiffies and in cycles of a CPU.
    time: (u64, u64),
    pub(crate) record: Record,
    /// It was not written again meanwhile.
    pub(crate) is_complete: bool,
}

/// Which records to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    Failed,
}

/// The last records of some CPUs.
#[repr(align(64))]
struct Ring {
    slots: [Slot; LEN],
    next: Atomic<u32>,
}

#[repr(align(64))]
struct Slot {
    words: [Atomic<u64>; WORDS],
    cycles: Atomic<u64>,
    /// 0 while the record is written.
    jiffies: Atomic<u64>,
}

impl Record {
    /// Keeps the record.
    pub(crate) fn keep(&self) {
        ALL[CpuId::current().as_u32() as usize % SHARDS].put(self);
        if self.error.0 != 0 {
            FAILED[0].put(self);
        }
    }

    fn to_words(self) -> [u64; WORDS] {
        [
            join(self.debug_id, self.context << 2 | self.call as u32),
            join(self.from.0 as u32, self.from.1 as u32),
            join(self.to.0 as u32, self.to.1 as u32),
            join(self.node, self.handle),
            join(self.data_size, self.offsets_size),
            join(self.error.0, self.error.1 as u32),
        ]
    }

    fn from_words(words: [u64; WORDS]) -> Self {
        let [id, from, to, target, sizes, error] = words.map(split);
        Self {
            call: match id.1 & 3 {
                0 => Call::Call,
                1 => Call::Oneway,
                _ => Call::Reply,
            },
            debug_id: id.0,
            from: (from.0 as Pid, from.1 as Pid),
            to: (to.0 as Pid, to.1 as Pid),
            context: id.1 >> 2,
            node: target.0,
            handle: target.1,
            data_size: sizes.0,
            offsets_size: sizes.1,
            error: (error.0, error.1 as i32),
        }
    }
}

fn join(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

fn split(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

impl Which {
    /// The last records, oldest first. May sleep.
    pub(crate) fn last(self) -> Result<KVVec<Entry>> {
        let rings = match self {
            Self::All => &ALL[..],
            Self::Failed => &FAILED[..],
        };
        let mut entries = KVVec::with_capacity(rings.len() * LEN, GFP_KERNEL)?;
        for slot in rings.iter().flat_map(|ring| &ring.slots) {
            if let Some(entry) = slot.get() {
                entries.push_within_capacity(entry)?;
            }
        }
        entries
            .as_mut_slice()
            .sort_unstable_by_key(|entry| entry.time);
        // Each ring keeps as many, so the last ones of all are among them.
        let surplus = entries.len().saturating_sub(LEN);
        entries.as_mut_slice().rotate_left(surplus);
        entries.truncate(LEN.min(entries.len()));
        Ok(entries)
    }
}

impl Ring {
    const fn new() -> Self {
        Self {
            slots: [const { Slot::new() }; LEN],
            next: Atomic::new(0),
        }
    }

    fn put(&self, record: &Record) {
        let at = self.next.fetch_add(1u32, Relaxed) as usize % LEN;
        self.slots[at].put(record);
    }
}

impl Slot {
    const fn new() -> Self {
        Self {
            words: [const { Atomic::new(0) }; WORDS],
            cycles: Atomic::new(0),
            jiffies: Atomic::new(0),
        }
    }

    fn put(&self, record: &Record) {
        self.jiffies.store(0, Relaxed);
        smp_mb(Write);
        for (slot, word) in self.words.iter().zip(record.to_words()) {
            slot.store(word, Relaxed);
        }
        self.cycles.store(get_cycles(), Relaxed);
        self.jiffies.store(get_jiffies_64().max(1), Release);
    }

    /// What the slot holds, if it was ever written.
    fn get(&self) -> Option<Entry> {
        let jiffies = self.jiffies.load(Acquire);
        let mut words = [0; WORDS];
        for (word, slot) in words.iter_mut().zip(&self.words) {
            *word = slot.load(Relaxed);
        }
        let cycles = self.cycles.load(Relaxed);
        smp_mb(Read);
        let record = Record::from_words(words);
        (jiffies > 0 || record.debug_id > 0).then(|| Entry {
            time: (jiffies, cycles),
            record,
            is_complete: jiffies > 0 && self.jiffies.load(Relaxed) == jiffies,
        })
    }
}
