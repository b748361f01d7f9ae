// SPDX-License-Identifier: GPL-2.0

//! An area as a list of blocks in the order of their addresses, searched from end to end.

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Free,
    Reserved,
    Held(u32),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) offset: usize,
    pub(super) len: usize,
    pub(super) usage: Use,
    pub(super) tag: u32,
}

pub(super) struct Model {
    pub(super) blocks: Vec<Block>,
    /// Where the block is that was released last, and is not free yet.
    spare: Option<usize>,
}

impl Model {
    pub(super) fn new(size: usize) -> Self {
        let all = Block {
            offset: 0,
            len: size,
            usage: Use::Free,
            tag: 0,
        };
        let is_some = size > 0;
        Self {
            blocks: is_some.then_some(all).into_iter().collect(),
            spare: None,
        }
    }

    /// The bytes of the smallest free block of at least `len`.
    pub(super) fn best(&self, len: usize) -> Option<usize> {
        let free = self.blocks.iter().filter(|block| block.usage == Use::Free);
        free.map(|block| block.len).filter(|is| *is >= len).min()
    }

    /// Reserves the spare block if it has `len` bytes, and frees it otherwise. Gives where it is.
    pub(super) fn reserve_spare(&mut self, len: usize, tag: u32) -> Option<usize> {
        let spare = self.spare.take()?;
        let at = self.at(spare).unwrap();
        if self.blocks[at].len != len {
            self.free(at);
            return None;
        }
        self.blocks[at].tag = tag;
        Some(spare)
    }

    /// Cuts `len` bytes from the low end of the free block at `offset`. Gives what that had.
    pub(super) fn reserve(&mut self, offset: usize, len: usize, tag: u32) -> usize {
        let at = self.at(offset).expect("a reserved buffer starts a block");
        let had = self.blocks[at];
        assert_eq!(had.usage, Use::Free, "{had:?} was not free");
        assert!(had.len >= len, "{had:?} has no room for {len}");
        self.blocks[at] = Block {
            offset,
            len,
            usage: Use::Reserved,
            tag,
        };
        if had.len > len {
            let rest = Block {
                offset: offset + len,
                len: had.len - len,
                ..had
            };
            self.blocks.insert(at + 1, rest);
        }
        had.len
    }

    /// Makes a block the spare one, and frees the one that was.
    pub(super) fn release(&mut self, offset: usize) {
        let at = self.at(offset).unwrap();
        self.blocks[at].tag = 0;
        if let Some(last) = self.spare.replace(offset) {
            self.free(self.at(last).unwrap());
        }
    }

    /// Makes a block free and joins all that are free and touch.
    fn free(&mut self, at: usize) {
        self.blocks[at].usage = Use::Free;
        self.blocks.dedup_by(|next, block| {
            let is_one = next.usage == Use::Free && block.usage == Use::Free;
            block.len += if is_one { next.len } else { 0 };
            is_one
        });
    }

    /// The block that starts at `offset`.
    pub(super) fn at(&self, offset: usize) -> Option<usize> {
        self.blocks.iter().position(|block| block.offset == offset)
    }

    /// Those that logs show.
    pub(super) fn listed(&self) -> impl Iterator<Item = &Block> {
        let is_spare = |block: &Block| Some(block.offset) == self.spare;
        let blocks = self.blocks.iter();
        blocks.filter(move |block| block.usage != Use::Free && !is_spare(block))
    }

    pub(super) fn tagged(&self, tag: u32) -> (usize, usize) {
        let busy = self.blocks.iter().filter(|block| block.usage != Use::Free);
        let its: Vec<usize> = busy.filter(|b| b.tag == tag).map(|b| b.len).collect();
        (its.len(), its.iter().sum())
    }
}
