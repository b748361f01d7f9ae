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

/// How many records are shown.
pub(crate) const LEN: usize = 32;

/// How many rings the records of all transactions are spread over.
const SHARDS: usize = 16;

/// How many words a record takes, without the time: with it, less than a cache line.
const WORDS: usize = 12;

static ALL: [Ring; SHARDS] = [const { Ring::new() }; SHARDS];
static FAILED: [Ring; 1] = [Ring::new()];

/// What kind of transaction a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    TwoWay,
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
    /// When it was written.
    pub(crate) time: u64,
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
    words: [Atomic<u32>; WORDS],
    /// 0 while the record is written.
    time: Atomic<u64>,
}

/// A time that puts records in order: that of the CPU or, where it has none, ticks.
fn now() -> u64 {
    match get_cycles() {
        0 => get_jiffies_64().max(1),
        cycles => cycles,
    }
}

impl Record {
    /// Keeps the record.
    pub(crate) fn keep(&self) {
        ALL[CpuId::current().as_u32() as usize % SHARDS].put(self);
        if self.error.0 != 0 {
            FAILED[0].put(self);
        }
    }

    fn to_words(self) -> [u32; WORDS] {
        [
            self.debug_id,
            self.context << 2 | self.call as u32,
            self.from.0 as u32,
            self.from.1 as u32,
            self.to.0 as u32,
            self.to.1 as u32,
            self.node,
            self.handle,
            self.data_size,
            self.offsets_size,
            self.error.0,
            self.error.1 as u32,
        ]
    }

    fn from_words(words: [u32; WORDS]) -> Self {
        Self {
            debug_id: words[0],
            call: match words[1] & 3 {
                0 => Call::TwoWay,
                1 => Call::Oneway,
                _ => Call::Reply,
            },
            context: words[1] >> 2,
            from: (words[2] as Pid, words[3] as Pid),
            to: (words[4] as Pid, words[5] as Pid),
            node: words[6],
            handle: words[7],
            data_size: words[8],
            offsets_size: words[9],
            error: (words[10], words[11] as i32),
        }
    }
}

impl Which {
    /// The last [`LEN`] records and perhaps older ones, in any order. May sleep.
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
            time: Atomic::new(0),
        }
    }

    fn put(&self, record: &Record) {
        self.time.store(0, Relaxed);
        smp_mb(Write);
        for (slot, word) in self.words.iter().zip(record.to_words()) {
            slot.store(word, Relaxed);
        }
        self.time.store(now(), Release);
    }

    /// What the slot holds, if it was ever written.
    fn get(&self) -> Option<Entry> {
        let time = self.time.load(Acquire);
        let mut words = [0; WORDS];
        for (word, slot) in words.iter_mut().zip(&self.words) {
            *word = slot.load(Relaxed);
        }
        smp_mb(Read);
        let record = Record::from_words(words);
        (time > 0 || record.debug_id > 0).then(|| Entry {
            time,
            record,
            is_complete: time > 0 && self.time.load(Relaxed) == time,
        })
    }
}
