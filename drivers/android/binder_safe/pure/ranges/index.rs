// SPDX-License-Identifier: GPL-2.0

//! Finding a buffer by its address.
//!
//! The area is cut into chunks. The buffers that start in a chunk are a tree in which each bit of
//! the offset, from the highest down, says on which side of a buffer another one is. As there are
//! 512 places at which one can start, no way through a tree is longer than ten, however the
//! buffers came and went, so trees need no balance.

use super::{
    Blocks,
    NONE, //
};
use crate::pure::bitset::Bitset;
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

const CHUNK_LOG2: u32 = 12;

/// The first bit of an offset that tells buffers of one chunk apart.
const TOP_BIT: u32 = 1 << (CHUNK_LOG2 - 1);

/// The root of the tree of each chunk, and which chunks have one.
pub(super) struct Index {
    roots: KVVec<u32>,
    filled: Bitset,
}

/// The chunk of an offset.
fn chunk(offset: u32) -> usize {
    (offset >> CHUNK_LOG2) as usize
}

/// On which side of a buffer the one at `offset` is, if it is below it by `bit`.
fn side(offset: u32, bit: u32) -> usize {
    usize::from(offset & bit != 0)
}

impl Index {
    /// An index of no buffers in an area of `size` bytes.
    pub(super) fn new(size: u32) -> Result<Self, AllocError> {
        let nr_chunks = size.div_ceil(1 << CHUNK_LOG2) as usize;
        Ok(Self {
            roots: KVVec::from_elem(NONE, nr_chunks, GFP_KERNEL_ACCOUNT)?,
            filled: Bitset::new(nr_chunks)?,
        })
    }

    /// The buffer that starts at `offset`.
    #[inline(never)]
    pub(super) fn find<T>(&self, blocks: &Blocks<T>, offset: u32) -> Option<u32> {
        let mut block = *self.roots.get(chunk(offset))?;
        let mut bit = TOP_BIT;
        while block != NONE {
            let entry = blocks.at(block);
            if entry.offset == offset {
                return Some(block);
            }
            block = entry.links[side(offset, bit)];
            bit >>= 1;
        }
        None
    }

    /// The first buffer that starts at `offset` or behind it.
    pub(super) fn first_from<T>(&self, blocks: &Blocks<T>, offset: u32) -> Option<u32> {
        let here = chunk(offset);
        let root = self.roots.get(here).copied().unwrap_or(NONE);
        self.least(blocks, root, offset).or_else(|| {
            let later = self.filled.next(here + 1)?;
            self.least(blocks, self.roots[later], (later as u32) << CHUNK_LOG2)
        })
    }

    /// The first buffer of a chunk's tree that starts at `offset` or behind it.
    fn least<T>(&self, blocks: &Blocks<T>, root: u32, offset: u32) -> Option<u32> {
        let mut least: Option<(u32, u32)> = None;
        let mut look = |block| {
            let at = blocks.at(block).offset;
            if at >= offset && least.is_none_or(|(first, _)| at < first) {
                least = Some((at, block));
            }
            blocks.at(block).links
        };
        // On the way to `offset`, all in a tree to the right are behind it, and those that branch
        // off later come first.
        let (mut block, mut bit, mut right) = (root, TOP_BIT, NONE);
        while block != NONE {
            let [low, high] = look(block);
            if side(offset, bit) == 0 && high != NONE {
                right = high;
            }
            block = [low, high][side(offset, bit)];
            bit >>= 1;
        }
        while right != NONE {
            let [low, high] = look(right);
            right = if low == NONE { high } else { low };
        }
        least.map(|(_, block)| block)
    }

    /// Enters a buffer.
    pub(super) fn enter<T>(&mut self, blocks: &mut Blocks<T>, block: u32) {
        let entry = blocks.at_mut(block);
        entry.links = [NONE; 2];
        let offset = entry.offset;
        let here = chunk(offset);
        let mut next = self.roots[here];
        if next == NONE {
            self.roots[here] = block;
            self.filled.insert(here);
            return;
        }
        let mut bit = TOP_BIT;
        loop {
            let link = &mut blocks.at_mut(next).links[side(offset, bit)];
            if *link == NONE {
                *link = block;
                return;
            }
            next = *link;
            bit >>= 1;
        }
    }

    /// Takes a buffer out.
    pub(super) fn leave<T>(&mut self, blocks: &mut Blocks<T>, block: u32) {
        let entry = blocks.at(block);
        let (offset, links) = (entry.offset, entry.links);
        let heir = if links == [NONE; 2] {
            NONE
        } else {
            take_leaf(blocks, block)
        };
        let here = chunk(offset);
        let mut next = self.roots[here];
        if next == block {
            self.roots[here] = heir;
            if heir == NONE {
                self.filled.remove(here);
            }
            return;
        }
        let mut bit = TOP_BIT;
        loop {
            let link = &mut blocks.at_mut(next).links[side(offset, bit)];
            if *link == block {
                *link = heir;
                return;
            }
            next = *link;
            bit >>= 1;
        }
    }
}

/// Cuts any leaf off the tree below a buffer, and hangs the rest of that tree below it. It can take
/// the place of that buffer, since it shares all bits that led there.
fn take_leaf<T>(blocks: &mut Blocks<T>, block: u32) -> u32 {
    let (mut above, mut leaf) = (block, block);
    loop {
        let [low, high] = blocks.at(leaf).links;
        let below = if low == NONE { high } else { low };
        if below == NONE {
            break;
        }
        above = leaf;
        leaf = below;
    }
    let [low, high] = &mut blocks.at_mut(above).links;
    *(if *low == leaf { low } else { high }) = NONE;
    blocks.at_mut(leaf).links = blocks.at(block).links;
    leaf
}
