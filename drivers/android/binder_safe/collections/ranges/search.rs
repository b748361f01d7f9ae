// SPDX-License-Identifier: GPL-2.0

//! Finding blocks: by size, by address, and by tag.

use super::{
    bins::Bins,
    index::Index,
    Block,
    Range,
    Ranges,
    State,
    NONE, //
};

/// How many blocks [`Ranges::tagged`] looks at.
const NEAR: usize = 512;

/// Means to find one of many blocks.
pub(super) struct Search {
    pub(super) bins: Bins,
    pub(super) index: Index,
}

impl<T> Ranges<T> {
    /// The smallest free block of at least `len` bytes.
    pub(super) fn find_free(&self, len: u32) -> Option<u32> {
        if let Some(search) = &self.search {
            return search.bins.best(&self.blocks, len);
        }
        let mut best: Option<(u32, u32)> = None;
        let mut block = self.first();
        while let Some(entry) = self.blocks.get_first(block) {
            let fits = entry.len >= len && matches!(entry.state, State::Free);
            if fits && best.is_none_or(|(least, _)| entry.len < least) {
                best = Some((entry.len, block));
            }
            block = entry.next;
        }
        best.map(|(_, block)| block)
    }

    /// The buffer that starts at `offset`.
    pub(super) fn find(&self, offset: u32) -> Option<u32> {
        if let Some(search) = &self.search {
            return search.index.find(&self.blocks, offset);
        }
        let mut block = self.first();
        loop {
            // Behind the last one there is none.
            let entry = self.blocks.get_first(block)?;
            if entry.offset >= offset {
                return (entry.offset == offset).then_some(block);
            }
            block = entry.next;
        }
    }

    /// The first buffer that starts at `offset` or behind it. Of few blocks, it may be a free one.
    pub(super) fn first_from(&self, offset: u32) -> u32 {
        if let Some(search) = &self.search {
            let found = search.index.first_from(&self.blocks, offset);
            return found.unwrap_or(NONE);
        }
        let mut block = self.first();
        while block != NONE && self.at(block).offset < offset {
            block = self.at(block).next;
        }
        block
    }

    /// How many buffers were reserved with the tag of the one in `range`, which has one, and are
    /// not free again, and their bytes.
    ///
    /// Of many blocks, only those near that one count. A buffer that follows others of its sender
    /// lies next to them, so a flood is seen there, but not all that somebody has far away.
    pub(crate) fn tagged(&self, range: Range) -> (usize, usize) {
        let Block { tag, next, .. } = *self.at(range.block);
        let (mut count, mut bytes) = (0, 0);
        let (mut block, mut is_behind) = (range.block, false);
        for _ in 0..NEAR {
            if block == NONE && !is_behind {
                (block, is_behind) = (next, true);
            }
            if block == NONE {
                break;
            }
            let entry = self.at(block);
            if entry.tag == tag {
                count += 1;
                bytes += entry.len as usize;
            }
            block = if is_behind { entry.next } else { entry.prev };
        }
        (count, bytes)
    }
}
