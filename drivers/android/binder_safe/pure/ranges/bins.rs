// SPDX-License-Identifier: GPL-2.0

//! Lists of free blocks by size.
//!
//! Each power of two is cut into four bins, so that the blocks of one bin differ by a fifth at most
//! and a search for the best one looks at few that do not fit.

use super::NONE;

/// Each power of two is cut into 2 to the power of this many bins.
const STEPS_LOG2: u32 = 2;

/// Sizes have 32 bits.
const NR_BINS: usize = 32 << STEPS_LOG2;

/// The first block of each bin, and which bins have one.
pub(super) struct Bins {
    heads: [u32; NR_BINS],
    filled: u128,
}

const _: () = assert!(NR_BINS == u128::BITS as usize);

impl Bins {
    /// No free blocks.
    pub(super) const fn new() -> Self {
        Self {
            heads: [NONE; NR_BINS],
            filled: 0,
        }
    }

    /// The bin for blocks of `len` bytes, which is not 0. Larger blocks never have a lower bin.
    pub(super) fn of(len: u32) -> usize {
        let log2 = len.ilog2();
        let step = if log2 < STEPS_LOG2 {
            0
        } else {
            (len >> (log2 - STEPS_LOG2)) & ((1 << STEPS_LOG2) - 1)
        };
        ((log2 << STEPS_LOG2) + step) as usize
    }

    /// The first bin from `bin` on that has a block.
    pub(super) fn first_from(&self, bin: usize) -> Option<usize> {
        let rest = self.filled.checked_shr(bin as u32)?;
        (rest != 0).then(|| bin + rest.trailing_zeros() as usize)
    }

    /// The first block of a bin.
    pub(super) fn head(&self, bin: usize) -> u32 {
        self.heads[bin]
    }

    /// Puts a block first in its bin and gives the one that was first before.
    pub(super) fn push(&mut self, bin: usize, block: u32) -> u32 {
        let head = self.heads[bin];
        self.set_head(bin, block);
        head
    }

    /// Says which block is the first of a bin now.
    pub(super) fn set_head(&mut self, bin: usize, block: u32) {
        self.heads[bin] = block;
        if block == NONE {
            self.filled &= !(1 << bin);
        } else {
            self.filled |= 1 << bin;
        }
    }
}
