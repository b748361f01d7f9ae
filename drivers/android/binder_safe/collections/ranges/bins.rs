// SPDX-License-Identifier: GPL-2.0

//! Lists of free blocks by size.
//!
//! Small blocks have a bin for each size. Above, each power of two is cut into four bins, in which
//! a search for the best block also meets some that do not fit; but an area has no room for many
//! that large, so nobody can make the search long.

use super::{
    Block,
    Ranges,
    State,
    ALIGN, //
    NONE,
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// Blocks of fewer bytes than 2 to the power of this have a bin for each size.
const SMALL_LOG2: u32 = 10;

const NR_SMALL: usize = (1 << SMALL_LOG2) / ALIGN;

/// Each greater power of two is cut into 2 to the power of this many bins.
const STEPS_LOG2: u32 = 2;

/// Sizes have 32 bits.
const NR_BINS: usize = NR_SMALL + (((u32::BITS - SMALL_LOG2) as usize) << STEPS_LOG2);

const WORD_BITS: usize = u64::BITS as usize;

/// The first block of each bin, and which bins have one.
pub(super) struct Bins {
    heads: KVec<u32>,
    filled: [u64; NR_BINS.div_ceil(WORD_BITS)],
}

impl Bins {
    /// No free blocks, for ever.
    pub(super) const fn empty() -> Self {
        Self {
            heads: KVec::new(),
            filled: [0; NR_BINS.div_ceil(WORD_BITS)],
        }
    }

    /// No free blocks yet.
    pub(super) fn new() -> Result<Self, AllocError> {
        Ok(Self {
            heads: KVec::from_elem(NONE, NR_BINS, GFP_KERNEL_ACCOUNT)?,
            ..Self::empty()
        })
    }

    /// The bin for blocks of `len` bytes, which is not 0. Larger blocks never have a lower bin.
    pub(super) fn of(len: u32) -> usize {
        let log2 = len.ilog2();
        if log2 < SMALL_LOG2 {
            return len as usize / ALIGN;
        }
        let step = (len >> (log2 - STEPS_LOG2)) & ((1 << STEPS_LOG2) - 1);
        NR_SMALL + (((log2 - SMALL_LOG2) << STEPS_LOG2) + step) as usize
    }

    /// The first bin from `bin` on that has a block.
    pub(super) fn first_from(&self, bin: usize) -> Option<usize> {
        let mut word = bin / WORD_BITS;
        let mut bits = *self.filled.get(word)? & (u64::MAX << (bin % WORD_BITS));
        while bits == 0 {
            word += 1;
            bits = *self.filled.get(word)?;
        }
        Some(word * WORD_BITS + bits.trailing_zeros() as usize)
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
        let (word, bit) = (bin / WORD_BITS, 1 << (bin % WORD_BITS));
        if block == NONE {
            self.filled[word] &= !bit;
        } else {
            self.filled[word] |= bit;
        }
    }
}

impl<T> Ranges<T> {
    /// Marks a block free and files it by size.
    pub(super) fn make_free(&mut self, block: u32) {
        let bin = Bins::of(self.at(block).len);
        let head = self.bins.push(bin, block);
        let entry = self.at_mut(block);
        entry.state = State::Free;
        entry.bin_prev = NONE;
        entry.bin_next = head;
        if head != NONE {
            self.at_mut(head).bin_prev = block;
        }
    }

    /// Takes a free block out of its bin.
    pub(super) fn unbin(&mut self, block: u32) {
        let Block {
            len,
            bin_prev,
            bin_next,
            ..
        } = *self.at(block);
        if bin_prev == NONE {
            self.bins.set_head(Bins::of(len), bin_next);
        } else {
            self.at_mut(bin_prev).bin_next = bin_next;
        }
        if bin_next != NONE {
            self.at_mut(bin_next).bin_prev = bin_prev;
        }
    }
}
