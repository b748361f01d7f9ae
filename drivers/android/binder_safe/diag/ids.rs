// SPDX-License-Identifier: GPL-2.0

//! The ids by which events, logs and errors name transactions, nodes and references.

use core::ops::Range;
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// How many ids a thread takes at once, so that threads do not fight for one cache line.
const BLOCK: u32 = 64;

/// The next id that nobody has taken.
static NEXT: Atomic<u32> = Atomic::new(1);

/// Ids that nobody else gives out.
pub(crate) struct Ids(Range<u32>);

impl Ids {
    /// None yet: the first ones are taken when they are needed.
    pub(crate) const fn new() -> Self {
        Self(0..0)
    }

    /// An id that nothing else has.
    pub(crate) fn next(&mut self) -> u32 {
        if self.0.is_empty() {
            let start = NEXT.fetch_add(BLOCK, Relaxed);
            self.0 = start..start.wrapping_add(BLOCK);
        }
        let id = self.0.start;
        self.0.start = id.wrapping_add(1);
        id
    }
}
