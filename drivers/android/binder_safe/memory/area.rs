// SPDX-License-Identifier: GPL-2.0

//! The memory into which messages for a process are copied.
//!
//! A process maps its area once, for reading. Senders reserve a buffer in it, fill it, and the
//! receiver frees it by its address. Half of the area at most holds oneway messages, so that a
//! flood of them leaves room for calls.

use super::watch;
use crate::{
    collections::{
        ranges::{
            BufferInfo,
            Listed,
            NoRange,
            Range,
            Ranges,
            Room,
            NO_TAG, //
        },
        spam::Spam, //
    },
    diag::trace, //
};
use kernel::{
    mm::{
        page_area::{
            PageArea,
            PageCounts,
            Pins,
            ReclaimDomain, //
        },
        virt::VmaNew, //
    },
    new_spinlock,
    prelude::*,
    sync::{
        Arc,
        SpinLock, //
    }, //
};

/// What a process can use of its mapping at most, in bytes.
const MAX_SIZE: usize = 4 << 20;

/// An area and what lies in it; `T` is kept for each buffer until its owner frees it.
#[pin_data]
pub(crate) struct Area<T> {
    pub(super) pages: PageArea,
    #[pin]
    space: SpinLock<Space<T>>,
}

/// What an area keeps of a buffer while its owner uses it.
pub(super) struct Held<T> {
    pub(super) pins: Pins,
    pub(super) clear: bool,
    pub(super) contents: T,
}

/// Which bytes are in use.
struct Space<T> {
    ranges: Ranges<Held<T>>,
    /// Bytes in all.
    size: usize,
    /// Bytes that oneway messages may still take.
    free_oneway: usize,
    spam: Spam,
}

impl<T> Area<T> {
    /// An area for the current process, which has yet to map it.
    pub(crate) fn new(domain: &Arc<ReclaimDomain>) -> Result<Arc<Self>> {
        let pages = PageArea::new(domain)?;
        let init = pin_init!(Self {
            pages,
            space <- new_spinlock!(
                Space {
                    ranges: Ranges::empty(),
                    size: 0,
                    free_oneway: 0,
                    spam: Spam::new(),
                },
                "Area::space"
            ),
        });
        Arc::pin_init(init, GFP_KERNEL_ACCOUNT)
    }

    /// Maps the area. Fails with `EBUSY` the second time.
    pub(crate) fn map(&self, vma: &VmaNew) -> Result {
        // Whatever can fail comes first, since an area that was mapped stays so.
        let size = (vma.end() - vma.start()).min(MAX_SIZE);
        let mut ranges = Ranges::new(size)?;
        let size = self.pages.map(vma, size)?;
        let mut space = self.space.lock();
        core::mem::swap(&mut space.ranges, &mut ranges);
        space.size = size;
        space.free_oneway = size / 2;
        Ok(())
    }

    /// Frees the buffer that starts at user address `address`, if its owner may do so.
    pub(crate) fn free(&self, address: u64) -> Option<Freed<T>> {
        let offset = usize::try_from(address)
            .ok()?
            .checked_sub(self.pages.start())?;
        self.free_taken(|ranges| {
            let (range, held) = ranges.take(offset)?;
            trace::BufferRelease::of(|| ranges.label(range).numbers());
            Some((range, held))
        })
    }

    /// Frees any buffer that its owner may free.
    pub(crate) fn free_any(&self) -> Option<Freed<T>> {
        self.free_taken(Ranges::take_any)
    }

    fn free_taken(
        &self,
        take: impl FnOnce(&mut Ranges<Held<T>>) -> Option<(Range, Held<T>)>,
    ) -> Option<Freed<T>> {
        let mut space = self.space.lock();
        let (range, held) = take(&mut space.ranges)?;
        if held.clear {
            drop(space);
            self.zero(&held.pins, range);
            space = self.space.lock();
        }
        let is_oneway = space.release(range);
        drop(space);
        self.unpin(range, held.pins);
        Some(Freed {
            contents: held.contents,
            is_oneway,
        })
    }

    /// The buffers from `offset` on, `count` of them at most. May sleep.
    pub(crate) fn buffers_from(&self, offset: u32, count: usize) -> Result<KVec<Listed>> {
        let mut list = KVec::with_capacity(count, GFP_KERNEL)?;
        self.space.lock().ranges.list_from(offset, &mut list);
        Ok(list)
    }

    /// The buffer that starts at `offset`.
    pub(crate) fn buffer_at(&self, offset: u32) -> Option<Listed> {
        self.space.lock().ranges.listed(offset)
    }

    /// Bytes in all.
    pub(crate) fn size(&self) -> usize {
        self.space.lock().size
    }

    /// Bytes that oneway messages may still take.
    pub(crate) fn free_oneway(&self) -> usize {
        self.space.lock().free_oneway
    }

    /// How many pages there are in which state.
    pub(crate) fn page_counts(&self) -> PageCounts {
        self.pages.counts()
    }

    /// What logs and events call the buffer in `range`.
    pub(super) fn label(&self, range: Range) -> BufferInfo {
        self.space.lock().ranges.label(range)
    }

    /// Pins the pages of a range.
    pub(super) fn pin(&self, range: Range) -> Result<Pins> {
        watch::pinning(&self.pages, &range);
        self.pages.pin(range.offset(), range.len())
    }

    /// Gives the pins of a range back.
    #[inline(always)]
    pub(super) fn unpin(&self, range: Range, pins: Pins) {
        self.pages.unpin(pins);
        watch::unpinned(&self.pages, &range);
    }

    /// Zeroes a buffer, the pages of which are pinned by `pins`.
    pub(super) fn zero(&self, pins: &Pins, range: Range) {
        // The pages are pinned, so this cannot fail.
        let _ = self.pages.zero(pins, range.offset(), range.len());
    }

    /// Lets the owner free the buffer in `range` from now on.
    pub(super) fn hold(&self, range: Range, held: Held<T>) {
        self.space.lock().ranges.hold(range, held);
    }

    /// Gives the bytes of a buffer back.
    pub(super) fn release(&self, range: Range) {
        self.space.lock().release(range);
    }

    /// Reserves `len` bytes, a multiple of the size of a word of the ABI.
    pub(super) fn reserve_range(
        &self,
        len: usize,
        kind: Kind,
        label: BufferInfo,
    ) -> Result<(Range, SpamCheck)> {
        loop {
            let wanted = {
                let mut space = self.space.lock();
                match space.reserve(len, kind) {
                    Ok((range, load)) => {
                        space.ranges.name(range, label);
                        return Ok((range, load));
                    }
                    // An area that is not mapped yet has no table.
                    Err(_) if !self.pages.is_mapped() || space.ranges.capacity() == 0 => {
                        return Err(ESRCH);
                    }
                    Err(NoRange::NoSpace) => return Err(ENOSPC),
                    Err(NoRange::TableFull) => space.ranges.wanted(),
                }
            };
            let room = Room::new(wanted)?;
            let _rest = self.space.lock().ranges.grow(room);
        }
    }
}

impl<T> Space<T> {
    /// Gives bytes back, and says whether they were those of a oneway message.
    fn release(&mut self, range: Range) -> bool {
        let is_oneway = self.ranges.release(range) != NO_TAG;
        if is_oneway {
            self.free_oneway += range.len();
        }
        is_oneway
    }

    fn reserve(&mut self, len: usize, kind: Kind) -> Result<(Range, SpamCheck), NoRange> {
        let Kind::Oneway(sender) = kind else {
            return Ok((self.ranges.reserve(len, NO_TAG)?, SpamCheck::Normal));
        };
        let free = self.free_oneway.checked_sub(len).ok_or(NoRange::NoSpace)?;
        let range = self.ranges.reserve(len, sender)?;
        self.free_oneway = free;
        let held = || self.ranges.tagged(range);
        let load = if self.spam.suspects(free, self.size, held) {
            SpamCheck::Suspected
        } else {
            SpamCheck::Normal
        };
        Ok((range, load))
    }
}

/// A buffer that its owner has freed.
pub(crate) struct Freed<T> {
    /// What was kept for it.
    pub(crate) contents: T,
    /// It held a oneway message.
    pub(crate) is_oneway: bool,
}

/// What a buffer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A call or a reply.
    Call,
    /// A message of that thread group, which expects no reply.
    Oneway(u32),
}

/// Whether the sender of a message puts much into the area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpamCheck {
    /// It does not.
    Normal,
    /// It may want to send less.
    Suspected,
}
