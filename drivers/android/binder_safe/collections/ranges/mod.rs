// SPDX-License-Identifier: GPL-2.0

//! Which bytes of an area hold which buffer.
//!
//! The area is a row of blocks, free or busy, that touch each other and never stand free side by
//! side. A buffer is cut from the smallest free block that holds it, at the block's low end. Blocks
//! live in a table and are linked in the order of their addresses; free ones are linked once more
//! by size. Nothing here allocates: like a ring, a full table says so and is grown from outside.

mod bins;
mod index;
mod list;
#[cfg(CONFIG_ANDROID_BINDER_SAFE_KUNIT_TEST)]
mod tests;

use bins::Bins;
use index::Index;
use kernel::{
    alloc::AllocError,
    prelude::*, //
};
pub(crate) use list::{
    BufferInfo,
    Listed, //
};

/// Buffers start and end at multiples of this.
pub(crate) const ALIGN: usize = size_of::<u64>();

/// How many blocks there is room for at first, which need no index.
const FEW: usize = 8;

/// The index of no block.
const NONE: u32 = u32::MAX;

/// The tag of what nobody counts.
pub(crate) const NO_TAG: u32 = 0;

/// How many blocks one reservation may use up: the rest of the block it is cut from.
const SLACK: usize = 1;

/// A block's use.
enum State<T> {
    /// The entry describes no block; it waits to be used again.
    Vacant,
    /// Nobody's bytes.
    Free,
    /// A buffer that is being filled, is on its way, or is being cleaned up; or the spare block.
    Reserved,
    /// A buffer that its owner may free.
    Held(T),
}

/// One block, or a vacant entry.
struct Block<T> {
    offset: u32,
    len: u32,
    /// The neighbours in the order of addresses. `next` also links vacant entries.
    prev: u32,
    next: u32,
    /// The neighbours among the free blocks of about this size.
    bin_prev: u32,
    bin_next: u32,
    /// Whose buffer it is; see [`Ranges::tagged`].
    tag: u32,
    label: BufferInfo,
    state: State<T>,
}

/// Why no buffer could be reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRange {
    /// There is no free block of that size.
    NoSpace,
    /// The table is full: grow it and try again.
    TableFull,
}

/// A reserved buffer: which block it is and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    block: u32,
    offset: u32,
    len: u32,
}

impl Range {
    /// Bytes from the start of the area.
    pub(crate) fn offset(&self) -> usize {
        self.offset as usize
    }

    /// Bytes, a multiple of [`ALIGN`].
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }
}

/// The blocks of an area, with a `T` for each buffer that its owner may free.
pub(crate) struct Ranges<T> {
    blocks: KVVec<Block<T>>,
    vacant: u32,
    nr_vacant: usize,
    bins: Bins,
    index: Index,
    /// The block that was released last. It is not free yet, because a process that calls again and
    /// again needs one of just that size next.
    spare: u32,
}

/// A larger table, allocated where sleeping is allowed.
pub(crate) struct Table<T> {
    blocks: KVVec<Block<T>>,
    index: Index,
}

impl<T> Table<T> {
    /// Allocates room for `capacity` blocks of an area of `size` bytes.
    pub(crate) fn new(capacity: usize, size: usize) -> Result<Self, AllocError> {
        Ok(Self {
            blocks: KVVec::with_capacity(capacity, GFP_KERNEL_ACCOUNT)?,
            index: index::with_room(size)?,
        })
    }
}

impl<T> Ranges<T> {
    /// An area of no bytes, in which nothing can be reserved.
    pub(crate) const fn empty() -> Self {
        Self {
            blocks: KVVec::new(),
            vacant: NONE,
            nr_vacant: 0,
            bins: Bins::empty(),
            index: Index::new(),
            spare: NONE,
        }
    }

    /// An area of `size` bytes, all free. `size` is a multiple of [`ALIGN`] below 4 GiB.
    pub(crate) fn new(size: usize) -> Result<Self, AllocError> {
        let mut ranges = Self::empty();
        ranges.bins = Bins::new()?;
        ranges.blocks.reserve(FEW, GFP_KERNEL_ACCOUNT)?;
        if size > 0 {
            let all = ranges.add(0, size as u32, NONE, NONE);
            ranges.make_free(all);
        }
        Ok(ranges)
    }

    /// How many blocks fit in the table.
    pub(crate) fn capacity(&self) -> usize {
        self.blocks.capacity()
    }

    /// Moves the blocks to a larger table and gives back the old one, to be freed after unlocking.
    pub(crate) fn grow(&mut self, mut table: Table<T>) -> Table<T> {
        if table.blocks.capacity() <= self.blocks.capacity() {
            return table;
        }
        for block in self.blocks.drain_all() {
            // There is room, so this cannot fail.
            let _ = table.blocks.push_within_capacity(block);
        }
        core::mem::swap(&mut self.blocks, &mut table.blocks);
        core::mem::swap(&mut self.index, &mut table.index);
        let mut block = self.first();
        while block != NONE {
            self.enter(block);
            block = self.at(block).next;
        }
        table
    }

    /// Reserves `len` bytes, a non-zero multiple of [`ALIGN`], for whom `tag` says.
    pub(crate) fn reserve(&mut self, len: usize, tag: u32) -> Result<Range, NoRange> {
        if self.spare != NONE {
            let spare = core::mem::replace(&mut self.spare, NONE);
            if self.at(spare).len as usize == len {
                self.at_mut(spare).tag = tag;
                return Ok(self.at(spare).range(spare));
            }
            self.free(spare);
        }
        if self.nr_vacant + self.blocks.capacity() - self.blocks.len() < SLACK {
            return Err(NoRange::TableFull);
        }
        let len = u32::try_from(len).map_err(|_| NoRange::NoSpace)?;
        let block = self.find_free(len).ok_or(NoRange::NoSpace)?;
        self.unbin(block);
        let rest = self.at(block).len - len;
        if rest > 0 {
            let (offset, next) = (self.at(block).offset, self.at(block).next);
            self.at_mut(block).len = len;
            let rest = self.add(offset + len, rest, block, next);
            self.make_free(rest);
        }
        let entry = self.at_mut(block);
        entry.state = State::Reserved;
        entry.tag = tag;
        Ok(self.at(block).range(block))
    }

    /// Makes a reserved buffer one that its owner may free, at which point `held` is handed back.
    pub(crate) fn hold(&mut self, range: Range, held: T) {
        self.at_mut(range.block).state = State::Held(held);
    }

    /// Takes what was given to [`Self::hold`] for the buffer that starts at `offset`, if any.
    ///
    /// The bytes stay reserved until [`Self::release`].
    pub(crate) fn take(&mut self, offset: usize) -> Option<(Range, T)> {
        let block = self.find(u32::try_from(offset).ok()?)?;
        let entry = self.at_mut(block);
        match core::mem::replace(&mut entry.state, State::Reserved) {
            State::Held(held) => Some((entry.range(block), held)),
            other => {
                entry.state = other;
                None
            }
        }
    }

    /// Takes what is held for the first buffer that is held; for emptying the area.
    ///
    /// Free bytes in front of it are one block, so this finds it at once as long as all are taken
    /// and released one after the other.
    pub(crate) fn take_any(&mut self) -> Option<(Range, T)> {
        let mut block = self.first();
        while block != NONE && !matches!(self.at(block).state, State::Held(_)) {
            block = self.at(block).next;
        }
        let offset = (block != NONE).then(|| self.at(block).offset)?;
        self.take(offset as usize)
    }

    /// How many buffers were reserved with `tag`, which is not [`NO_TAG`], and are not free again,
    /// and their bytes.
    pub(crate) fn tagged(&self, tag: u32) -> (usize, usize) {
        let is_it = |block: &&Block<T>| {
            block.tag == tag && matches!(block.state, State::Reserved | State::Held(_))
        };
        let sum = |(count, bytes), block: &Block<T>| (count + 1, bytes + block.len as usize);
        self.blocks.iter().filter(is_it).fold((0, 0), sum)
    }

    /// Makes the bytes of a reserved buffer free again, and gives its tag.
    pub(crate) fn release(&mut self, range: Range) -> u32 {
        let tag = core::mem::replace(&mut self.at_mut(range.block).tag, NO_TAG);
        let last = core::mem::replace(&mut self.spare, range.block);
        if last != NONE {
            self.free(last);
        }
        tag
    }

    /// Makes a block free that was neither free nor vacant.
    fn free(&mut self, block: u32) {
        let mut block = block;
        let Block { prev, next, .. } = *self.at(block);
        if next != NONE && self.is_free(next) {
            self.unbin(next);
            self.absorb_next(block);
        }
        if prev != NONE && self.is_free(prev) {
            self.unbin(prev);
            self.absorb_next(prev);
            block = prev;
        }
        self.make_free(block);
    }

    /// The smallest free block of at least `len` bytes.
    fn find_free(&self, len: u32) -> Option<u32> {
        let mut bin = Bins::of(len);
        loop {
            bin = self.bins.first_from(bin)?;
            let mut best: Option<(u32, u32)> = None;
            let mut block = self.bins.head(bin);
            while block != NONE {
                let size = self.at(block).len;
                if size >= len && best.is_none_or(|(least, _)| size < least) {
                    best = Some((size, block));
                    if size == len {
                        break;
                    }
                }
                block = self.at(block).bin_next;
            }
            if let Some((_, block)) = best {
                return Some(block);
            }
            bin += 1;
        }
    }

    /// Adds a block between its neighbours. There must be room in the table.
    fn add(&mut self, offset: u32, len: u32, prev: u32, next: u32) -> u32 {
        let entry = Block {
            offset,
            len,
            prev,
            next,
            bin_prev: NONE,
            bin_next: NONE,
            tag: NO_TAG,
            label: BufferInfo::default(),
            state: State::Reserved,
        };
        let block = self.vacant;
        let block = if block == NONE {
            // There is room, so this cannot fail.
            let _ = self.blocks.push_within_capacity(entry);
            (self.blocks.len() - 1) as u32
        } else {
            self.vacant = self.at(block).next;
            self.nr_vacant -= 1;
            *self.at_mut(block) = entry;
            block
        };
        if prev != NONE {
            self.at_mut(prev).next = block;
        }
        if next != NONE {
            self.at_mut(next).prev = block;
        }
        self.enter(block);
        block
    }

    /// Makes a block swallow the one behind it, which is in no bin.
    fn absorb_next(&mut self, block: u32) {
        let gone = self.at(block).next;
        self.leave(gone);
        let Block { len, next, .. } = *self.at(gone);
        if next != NONE {
            self.at_mut(next).prev = block;
        }
        let entry = self.at_mut(block);
        entry.len += len;
        entry.next = next;
        let vacant = self.vacant;
        let entry = self.at_mut(gone);
        entry.state = State::Vacant;
        entry.next = vacant;
        self.vacant = gone;
        self.nr_vacant += 1;
    }

    fn is_free(&self, block: u32) -> bool {
        matches!(self.at(block).state, State::Free)
    }

    fn at(&self, block: u32) -> &Block<T> {
        &self.blocks[block as usize]
    }

    fn at_mut(&mut self, block: u32) -> &mut Block<T> {
        &mut self.blocks[block as usize]
    }
}

impl<T> Block<T> {
    fn range(&self, block: u32) -> Range {
        Range {
            block,
            offset: self.offset,
            len: self.len,
        }
    }
}
