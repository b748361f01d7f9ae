// SPDX-License-Identifier: GPL-2.0

//! Finding a block by its address.

use super::{
    Ranges,
    NONE, //
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// The index has one entry for each so many bytes.
const CHUNK_SHIFT: u32 = 12;

/// The first block that starts in each chunk; nothing as long as there are few blocks.
pub(super) type Index = KVVec<u32>;

/// An index of no blocks for an area of `size` bytes.
pub(super) fn with_room(size: usize) -> Result<Index, AllocError> {
    Index::from_elem(NONE, size.div_ceil(1 << CHUNK_SHIFT), GFP_KERNEL_ACCOUNT)
}

/// The chunk of an offset.
fn chunk(offset: u32) -> usize {
    (offset >> CHUNK_SHIFT) as usize
}

impl<T> Ranges<T> {
    /// The block that starts at `offset`.
    pub(super) fn find(&self, offset: u32) -> Option<u32> {
        let mut block = self.first_from(offset);
        while block != NONE && self.at(block).offset < offset {
            block = self.at(block).next;
        }
        (block != NONE && self.at(block).offset == offset).then_some(block)
    }

    /// The first block that starts in the chunk of `offset` or behind it; without an index, the
    /// first of all.
    pub(super) fn first_behind(&self, offset: u32) -> u32 {
        let mut later = self.index.iter().skip(chunk(offset)).copied();
        match later.find(|block| *block != NONE) {
            None if self.index.is_empty() => self.first(),
            found => found.unwrap_or(NONE),
        }
    }

    /// Enters a block into the index, if there is one.
    pub(super) fn enter(&mut self, block: u32) {
        let offset = self.at(block).offset;
        let here = chunk(offset);
        match self.index.get(here).copied() {
            Some(first) if first == NONE || self.at(first).offset > offset => {
                self.index[here] = block;
            }
            _ => {}
        }
    }

    /// The block at the start of the area, which never changes.
    pub(super) fn first(&self) -> u32 {
        if self.blocks.is_empty() {
            NONE
        } else {
            0
        }
    }

    /// Where to look for the block that starts at `offset`: a block in front of it, not far away.
    pub(super) fn first_from(&self, offset: u32) -> u32 {
        if self.index.is_empty() {
            return self.first();
        }
        self.index.get(chunk(offset)).copied().unwrap_or(NONE)
    }

    /// Takes a block out of the index, if there is one.
    pub(super) fn leave(&mut self, block: u32) {
        let (offset, next) = (self.at(block).offset, self.at(block).next);
        let here = chunk(offset);
        if self.index.get(here) == Some(&block) {
            let stays = next != NONE && chunk(self.at(next).offset) == here;
            self.index[here] = if stays { next } else { NONE };
        }
    }
}
