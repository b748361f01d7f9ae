// SPDX-License-Identifier: GPL-2.0

//! What the handle of an area, the VMAs that map it and reclaim share.

use super::{
    slot::Slot,
    AnyWatch,
    PageStep,
    ReclaimDomain, //
};
use crate::{
    mm::Mm,
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            AtomicFlag,
            Relaxed, //
        },
        new_mutex,
        Mutex,
        SetOnce, //
    },
    task::Pid, //
};
use core::ptr;

/// The state of an area.
#[pin_data]
pub(super) struct Inner {
    id: u64,
    mm: ARef<Mm>,
    /// The thread group that created the area.
    owner: Pid,
    watch: Option<&'static dyn AnyWatch>,
    mapping: SetOnce<Mapping>,
    /// A VMA of the area was closed.
    closed: AtomicFlag,
    /// Taken to make a page present or absent.
    #[pin]
    pub(super) lock: Mutex<()>,
}

/// The one mapping that an area ever has.
///
/// # Invariants
///
/// `slots` is never moved or resized.
pub(super) struct Mapping {
    start: usize,
    slots: KVVec<Slot>,
    /// The highest index of a page that was ever present, plus one; written under the mutex.
    high: Atomic<usize>,
}

impl Inner {
    /// Creates the state of an area that is not mapped.
    pub(super) fn new(
        id: u64,
        mm: ARef<Mm>,
        watch: Option<&'static dyn AnyWatch>,
    ) -> impl PinInit<Self> {
        pin_init!(Self {
            id,
            mm,
            owner: current!().group_leader().pid(),
            watch,
            mapping: SetOnce::new(),
            closed: AtomicFlag::new(false),
            lock <- new_mutex!((), "PageArea::lock"),
        })
    }

    /// Returns the number of the area.
    #[inline]
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Returns the address space of the owner, which may have exited.
    pub(super) fn mm(&self) -> &Mm {
        &self.mm
    }

    /// Returns the thread group that created the area.
    pub(super) fn owner(&self) -> Pid {
        self.owner
    }

    /// Tells whoever watches the domain what happens to a page.
    pub(super) fn tell(&self, slot: &Slot, step: PageStep) {
        if let Some(watch) = self.watch {
            let index = self.mapping().map_or(0, |mapping| mapping.index_of(slot));
            watch.tell(self.owner, index, step);
        }
    }

    /// Returns the mapping, if the area was ever mapped.
    #[inline]
    pub(super) fn mapping(&self) -> Option<&Mapping> {
        self.mapping.as_ref()
    }

    /// Sets the mapping: `pages` pages from the user address `start` on.
    pub(super) fn set_mapping(&self, start: usize, pages: usize) -> Result {
        let mapping = Mapping::new(start, pages)?;
        if self.mapping.populate(mapping) {
            Ok(())
        } else {
            Err(EBUSY)
        }
    }

    /// Returns whether a VMA of the area was closed.
    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    /// Notes that a VMA of the area was closed, for ever.
    pub(super) fn close(&self) {
        self.closed.store(true, Relaxed);
    }

    /// Frees all pages, pinned or not. For the drop of the handle, which nobody can use any more.
    pub(super) fn free_pages(&self, domain: &ReclaimDomain) {
        self.close();
        let Some(mapping) = self.mapping() else {
            return;
        };
        let _guard = self.lock.lock();
        for slot in &mapping.slots()[..mapping.high()] {
            // SAFETY: We hold the mutex. The handle is being dropped, so nobody uses its pins.
            drop(unsafe {
                domain.forget(slot);
                slot.reset()
            });
        }
    }
}

impl Mapping {
    fn new(start: usize, pages: usize) -> Result<Self> {
        // Pins count pages in 32 bits.
        if u32::try_from(pages)? == 0 {
            return Err(EINVAL);
        }
        let mut slots = KVVec::with_capacity(pages, GFP_KERNEL_ACCOUNT | __GFP_ZERO)?;
        // SAFETY: There is room, and zeroes are slots of pages that are absent.
        unsafe { slots.inc_len(pages) };
        Ok(Self {
            start,
            slots,
            high: Atomic::new(0),
        })
    }

    /// Returns the user address of the mapping.
    #[inline]
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Returns the number of bytes of the mapping that the area uses.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.slots.len() << PAGE_SHIFT
    }

    /// Returns the slots of all pages.
    #[inline]
    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Returns the index of `slot`, which is one of this mapping.
    pub(super) fn index_of(&self, slot: &Slot) -> usize {
        let offset = ptr::from_ref(slot).addr() - self.slots.as_ptr().addr();
        offset / size_of::<Slot>()
    }

    /// Returns the user address of the page of `slot`.
    pub(super) fn address(&self, slot: &Slot) -> usize {
        self.start + self.index_of(slot) * PAGE_SIZE
    }

    /// Returns the slots of the pages that the bytes `offset..offset + len` touch, one at least.
    ///
    /// Fails with [`EINVAL`] if `len` is 0 or a byte is outside the mapping.
    #[inline]
    pub(super) fn slots_of(&self, offset: usize, len: usize) -> Result<&[Slot]> {
        let extra = len.checked_sub(1).ok_or(EINVAL)?;
        let last = offset.checked_add(extra).ok_or(EINVAL)?;
        self.slots
            .get(offset >> PAGE_SHIFT..=last >> PAGE_SHIFT)
            .ok_or(EINVAL)
    }

    /// Returns the highest index of a page that was ever present, plus one.
    pub(super) fn high(&self) -> usize {
        self.high.load(Relaxed)
    }

    /// Notes that the page of `slot` becomes present. The caller holds the mutex.
    pub(super) fn raise_high(&self, slot: &Slot) {
        self.high
            .store(self.high().max(self.index_of(slot) + 1), Relaxed);
    }
}
