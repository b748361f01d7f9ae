// SPDX-License-Identifier: GPL-2.0

//! The ids by which logs and errors name transactions.

use core::ops::Range;
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// How many ids a thread takes at once, so that threads do not fight for one cache line.
const BLOCK: u32 = 64;

/// Where ids come from.
pub(crate) struct Ids(Atomic<u32>);

impl Ids {
    /// Ids from 1 on.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(1))
    }

    /// The next id of those in `block`, which is refilled when it is empty.
    pub(crate) fn next(&self, block: &mut Range<u32>) -> u32 {
        if block.start == block.end {
            let start = self.0.fetch_add(BLOCK, Relaxed);
            *block = start..start.wrapping_add(BLOCK);
        }
        let id = block.start;
        block.start = id.wrapping_add(1);
        id
    }
}
