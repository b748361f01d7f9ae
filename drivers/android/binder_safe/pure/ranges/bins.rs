// SPDX-License-Identifier: GPL-2.0

//! Lists of free blocks by size.
//!
//! Small blocks have a bin for each size. Above, each power of two is cut into four bins, in which
//! a search for the best block also meets some that do not fit; but an area has no room for many
//! that large, so nobody can make the search long.

use super::{
    Blocks,
    ALIGN,
    NONE, //
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// Blocks of fewer bytes than 2 to the power of this have a bin for each size.
const SMALL_LOG2: u32 = 12;

const NR_SMALL: usize = (1 << SMALL_LOG2) / ALIGN;

/// Each greater power of two is cut into 2 to the power of this many bins.
const STEPS_LOG2: u32 = 2;

/// Sizes have 32 bits.
const NR_BINS: usize = NR_SMALL + (((u32::BITS - SMALL_LOG2) as usize) << STEPS_LOG2);

const WORD_BITS: usize = u64::BITS as usize;

/// The first block of each bin, and which bins have one.
pub(super) struct Bins {
    heads: KVVec<u32>,
    filled: [u64; NR_BINS.div_ceil(WORD_BITS)],
    /// The words of `filled` that are not 0.
    words: u64,
}

impl Bins {
    /// No free blocks yet.
    pub(super) fn new() -> Result<Self, AllocError> {
        Ok(Self {
            heads: KVVec::from_elem(NONE, NR_BINS, GFP_KERNEL_ACCOUNT)?,
            filled: [0; NR_BINS.div_ceil(WORD_BITS)],
            words: 0,
        })
    }

    /// The first bin from `bin` on that has a block.
    fn first_from(&self, bin: usize) -> Option<usize> {
        let mut word = bin / WORD_BITS;
        let mut bits = *self.filled.get(word)? & (u64::MAX << (bin % WORD_BITS));
        if bits == 0 {
            // There are far fewer words than bits in one.
            let later = self.words & (u64::MAX << (word + 1));
            word = later.trailing_zeros() as usize;
            bits = *self.filled.get(word)?;
        }
        Some(word * WORD_BITS + bits.trailing_zeros() as usize)
    }

    /// The bin for blocks of `len` bytes, which is not 0. Larger blocks never have a lower bin.
    fn of(len: u32) -> usize {
        let log2 = len.ilog2();
        if log2 < SMALL_LOG2 {
            return len as usize / ALIGN;
        }
        let step = (len >> (log2 - STEPS_LOG2)) & ((1 << STEPS_LOG2) - 1);
        NR_SMALL + (((log2 - SMALL_LOG2) << STEPS_LOG2) + step) as usize
    }

    /// The smallest block of at least `len` bytes.
    pub(super) fn best<T>(&self, blocks: &Blocks<T>, len: u32) -> Option<u32> {
        let mut bin = Self::of(len);
        loop {
            bin = self.first_from(bin)?;
            let mut best: Option<(u32, u32)> = None;
            let mut block = self.heads[bin];
            while block != NONE {
                let entry = blocks.at(block);
                if entry.len >= len && best.is_none_or(|(least, _)| entry.len < least) {
                    best = Some((entry.len, block));
                    if entry.len == len || bin < NR_SMALL {
                        break;
                    }
                }
                block = entry.links[1];
            }
            if let Some((_, block)) = best {
                return Some(block);
            }
            bin += 1;
        }
    }

    /// Files a free block by size.
    pub(super) fn enter<T>(&mut self, blocks: &mut Blocks<T>, block: u32) {
        let entry = blocks.at_mut(block);
        let bin = Self::of(entry.len);
        let head = core::mem::replace(&mut self.heads[bin], block);
        entry.links = [NONE, head];
        if head == NONE {
            self.filled[bin / WORD_BITS] |= 1 << (bin % WORD_BITS);
            self.words |= 1 << (bin / WORD_BITS);
        } else {
            blocks.at_mut(head).links[0] = block;
        }
    }

    /// Takes a free block out of its bin.
    pub(super) fn leave<T>(&mut self, blocks: &mut Blocks<T>, block: u32) {
        let entry = blocks.at(block);
        let (bin, [prev, next]) = (Self::of(entry.len), entry.links);
        if next != NONE {
            blocks.at_mut(next).links[0] = prev;
        }
        if prev != NONE {
            blocks.at_mut(prev).links[1] = next;
            return;
        }
        self.heads[bin] = next;
        if next == NONE {
            let word = &mut self.filled[bin / WORD_BITS];
            *word &= !(1 << (bin % WORD_BITS));
            if *word == 0 {
                self.words &= !(1 << (bin / WORD_BITS));
            }
        }
    }
}
