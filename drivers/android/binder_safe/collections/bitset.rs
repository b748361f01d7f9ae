// SPDX-License-Identifier: GPL-2.0

//! A set of small numbers in which the next one is found without a look at all between.
//!
//! A bit for each number is not enough: full words would have to be skipped one by one. So above
//! each 64 words there is one that says which of them have a bit, and so on up to a single word.
//! The words lie level by level, the single one first; those below word `n` start at `64 * n + 1`.

use kernel::{
    alloc::AllocError,
    prelude::*, //
};

const WORD_BITS: usize = u64::BITS as usize;

/// The set.
pub(crate) struct Bitset {
    words: KVVec<u64>,
    /// Where the level starts that has a bit for each number.
    leaves: usize,
}

impl Bitset {
    /// A set that nothing can be put in.
    pub(crate) const fn empty() -> Self {
        Self {
            words: KVVec::new(),
            leaves: 0,
        }
    }

    /// A set for numbers below `size`, with none in it. May sleep.
    pub(crate) fn new(size: usize) -> Result<Self, AllocError> {
        let nr_leaves = size.div_ceil(WORD_BITS);
        let (mut leaves, mut width) = (0, 1);
        while width < nr_leaves {
            leaves += width;
            width *= WORD_BITS;
        }
        Ok(Self {
            words: KVVec::from_elem(0, leaves + nr_leaves, GFP_KERNEL_ACCOUNT)?,
            leaves,
        })
    }

    /// Puts a number in.
    pub(crate) fn insert(&mut self, number: usize) {
        let (mut word, mut bit) = (self.leaves + number / WORD_BITS, number % WORD_BITS);
        loop {
            let bits = &mut self.words[word];
            let was_empty = *bits == 0;
            *bits |= 1 << bit;
            if !was_empty || word == 0 {
                return;
            }
            (word, bit) = above(word);
        }
    }

    /// Takes a number out.
    pub(crate) fn remove(&mut self, number: usize) {
        let (mut word, mut bit) = (self.leaves + number / WORD_BITS, number % WORD_BITS);
        loop {
            let bits = &mut self.words[word];
            *bits &= !(1 << bit);
            if *bits != 0 || word == 0 {
                return;
            }
            (word, bit) = above(word);
        }
    }

    /// The lowest number in the set that is not below `number`.
    pub(crate) fn next(&self, number: usize) -> Option<usize> {
        let (mut word, mut bit) = (self.leaves + number / WORD_BITS, number % WORD_BITS);
        loop {
            // Of the last word of a level, the bit behind may not exist.
            let rest = u64::MAX.checked_shl(bit as u32).unwrap_or(0);
            let bits = self.words.get(word)? & rest;
            if bits != 0 {
                bit = bits.trailing_zeros() as usize;
                break;
            }
            if word == 0 {
                return None;
            }
            (word, bit) = above(word);
            bit += 1;
        }
        while word < self.leaves {
            word = word * WORD_BITS + 1 + bit;
            bit = self.words[word].trailing_zeros() as usize;
        }
        Some((word - self.leaves) * WORD_BITS + bit)
    }
}

/// The word above a word that is not the first, and its bit for that one.
fn above(word: usize) -> (usize, usize) {
    ((word - 1) / WORD_BITS, (word - 1) % WORD_BITS)
}
