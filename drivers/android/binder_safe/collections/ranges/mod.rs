// SPDX-License-Identifier: GPL-2.0

//! Which bytes of an area hold which buffer.
//!
//! The area is a row of blocks, free or busy, that touch each other and never stand free side by
//! side. A buffer is cut from the smallest free block that holds it, at the block's low end. Blocks
//! live in a table and are linked in the order of their addresses. A few are searched one by one;
//! of more, free ones are linked once more by size, and the others are in a tree. Nothing here
//! allocates: a full table says so and is given room from outside.
//!
//! The number of blocks has no limit but the bytes, so nobody can take all of them, and no
//! operation takes longer because there are many.

mod bins;
mod index;
mod list;
mod pieces;
mod room;
mod search;
#[cfg(CONFIG_ANDROID_BINDER_SAFE_KUNIT_TEST)]
mod tests;

use kernel::{
    alloc::AllocError,
    prelude::*, //
};
pub(crate) use list::{
    BufferInfo,
    Listed, //
};
use pieces::Pieces;
pub(crate) use room::Room;
use search::Search;

/// Buffers start and end at multiples of this.
pub(crate) const ALIGN: usize = size_of::<u64>();

/// The index of no block.
const NONE: u32 = u32::MAX;

/// The tag of what nobody counts.
pub(crate) const NO_TAG: u32 = 0;

/// How many blocks one reservation may use up: the rest of the block it is cut from.
const SLACK: u32 = 1;

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
    /// The neighbours among the free blocks of about this size; or, of a buffer, those below it in
    /// the tree.
    links: [u32; 2],
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

type Blocks<T> = Pieces<Block<T>>;

/// The blocks of an area, with a `T` for each buffer that its owner may free.
pub(crate) struct Ranges<T> {
    blocks: Blocks<T>,
    /// Bytes in all.
    size: u32,
    vacant: u32,
    nr_vacant: u32,
    /// The block that was released last. It is not free yet, because a process that calls again and
    /// again needs one of just that size next.
    spare: u32,
    /// What few blocks do not need.
    search: Option<KBox<Search>>,
}

impl<T> Ranges<T> {
    /// An area of no bytes, in which nothing can be reserved.
    pub(crate) const fn empty() -> Self {
        Self {
            blocks: Pieces::new(),
            size: 0,
            vacant: NONE,
            nr_vacant: 0,
            spare: NONE,
            search: None,
        }
    }

    /// An area of `size` bytes, all free. `size` is a multiple of [`ALIGN`] below 4 GiB.
    pub(crate) fn new(size: usize) -> Result<Self, AllocError> {
        let mut ranges = Self::empty();
        ranges.blocks.grow(pieces::Room::new(0)?);
        ranges.size = size as u32;
        if size > 0 {
            let all = ranges.add(0, size as u32, NONE, NONE);
            ranges.make_free(all);
        }
        Ok(ranges)
    }

    /// How many blocks fit in the table.
    pub(crate) fn capacity(&self) -> usize {
        self.blocks.capacity() as usize
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
        if let Some(search) = &mut self.search {
            search.index.enter(&mut self.blocks, block);
        }
        let entry = self.at_mut(block);
        entry.state = State::Reserved;
        entry.tag = tag;
        Ok(entry.range(block))
    }

    /// Makes a reserved buffer one that its owner may free, at which point `held` is handed back.
    pub(crate) fn hold(&mut self, range: Range, held: T) {
        self.at_mut(range.block).state = State::Held(held);
    }

    /// Takes what was given to [`Self::hold`] for the buffer that starts at `offset`, if any.
    ///
    /// The bytes stay reserved until [`Self::release`].
    #[inline(always)]
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
        if let Some(search) = &mut self.search {
            search.index.leave(&mut self.blocks, block);
        }
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

    /// Marks a block free, which is in neither tree nor bin.
    fn make_free(&mut self, block: u32) {
        self.at_mut(block).state = State::Free;
        if let Some(search) = &mut self.search {
            search.bins.enter(&mut self.blocks, block);
        }
    }

    /// Takes a free block out of its bin.
    fn unbin(&mut self, block: u32) {
        if let Some(search) = &mut self.search {
            search.bins.leave(&mut self.blocks, block);
        }
    }

    /// The block at the start of the area, which never changes.
    fn first(&self) -> u32 {
        if self.size == 0 {
            NONE
        } else {
            0
        }
    }

    /// Adds a block between its neighbours. There must be room in the table.
    fn add(&mut self, offset: u32, len: u32, prev: u32, next: u32) -> u32 {
        let entry = Block {
            offset,
            len,
            prev,
            next,
            links: [NONE; 2],
            tag: NO_TAG,
            label: BufferInfo::default(),
            state: State::Reserved,
        };
        let block = self.vacant;
        let block = if block == NONE {
            self.blocks.push(entry)
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
        block
    }

    /// Makes a block swallow the one behind it, which is in neither tree nor bin.
    fn absorb_next(&mut self, block: u32) {
        let gone = self.at(block).next;
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

    #[inline(always)]
    fn at(&self, block: u32) -> &Block<T> {
        self.blocks.at(block)
    }

    #[inline(always)]
    fn at_mut(&mut self, block: u32) -> &mut Block<T> {
        self.blocks.at_mut(block)
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
