// SPDX-License-Identifier: GPL-2.0

//! Pages that the kernel fills and one process reads.
//!
//! A driver that passes messages between processes wants to copy a message once: from the memory of
//! the sender straight into pages that the receiver has mapped. [`PageArea`] is an array of such
//! pages. The receiver maps it read-only with `mmap()`; from then on any task can
//!
//! 1. [`pin`](PageArea::pin) the pages that a range of bytes touches, which allocates and maps the
//!    ones that are absent,
//! 2. fill the range ([`copy_from_user`](PageArea::copy_from_user), [`write`](PageArea::write),
//!    [`zero`](PageArea::zero)),
//! 3. and [`unpin`](PageArea::unpin) the pages when the receiver is done with the message.
//!
//! The area does not say which bytes are in use: that is the driver's range allocator. A page that
//! nobody pins stays where it is, so that the next message finds it, until the kernel wants memory
//! back: then the [`ReclaimDomain`] takes pages that are not pinned and were not used lately.
//!
//! # What it costs
//!
//! Pinning a page that is present is one atomic operation on the word of this page, and so is
//! unpinning it. There is no lock, no allocation and no reference count of the area. Only the first
//! use of a page, or the first one after it was reclaimed, takes locks.
//!
//! # Locks
//!
//! Outermost first: mmap lock or VMA read lock of the owner, then the area's mutex, then the lock
//! of the LRU list. Reclaim starts at the innermost of them, so that it only ever tries the other
//! two.
//!
//! # Access to the bytes
//!
//! The owner can read the pages at any time, and two pins may cover the same bytes. No Rust
//! reference to the memory of a page is ever made; the bytes are only touched through raw pointers,
//! by the C functions that the kernel uses for memory that others access as well. What two
//! unsynchronised copies leave behind is some mix of both, nothing worse.
//!
//! # Examples
//!
//! Sending a message: `offset` is where the driver's range allocator put it.
//!
//! ```
//! use kernel::{
//!     mm::page_area::{
//!         PageArea,
//!         Pins,
//!         ReclaimDomain, //
//!     },
//!     uaccess::UserSliceReader, //
//! };
//!
//! /// Returns the user address of the message in the receiver, and what keeps it there.
//! fn send(to: &PageArea, offset: usize, message: &mut UserSliceReader) -> Result<(usize, Pins)> {
//!     let len = message.len();
//!     let pins = to.pin(offset, len)?;
//!     match to.copy_from_user(&pins, offset, message, len) {
//!         Ok(()) => Ok((to.start() + offset, pins)),
//!         Err(e) => {
//!             to.unpin(pins);
//!             Err(e)
//!         }
//!     }
//! }
//!
//! let domain = ReclaimDomain::new(c"doctest")?;
//! // The task that runs this example is a kernel thread, which has nothing to map an area in.
//! assert_eq!(PageArea::new(&domain).err(), Some(ENXIO));
//! # let _ = send;
//! # Ok::<(), Error>(())
//! ```
//!
//! C headers: [`include/linux/mm.h`](srctree/include/linux/mm.h),
//! [`include/linux/list_lru.h`](srctree/include/linux/list_lru.h)

use crate::{
    mm::{
        virt::VmaNew,
        Mm, //
    },
    page::PAGE_SHIFT,
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
    task::Pid, //
};

mod copy;
mod inner;
mod populate;
mod reclaim;
mod slot;
#[cfg(CONFIG_RUST_PAGE_AREA_KUNIT_TEST)]
mod tests;
mod vm_ops;

use inner::{
    Inner,
    Mapping, //
};
use populate::Populate;
pub use reclaim::ReclaimDomain;
use slot::Slot;

/// Gives each area a number that no other area ever has.
static NEXT_ID: Atomic<u64> = Atomic::new(1);

/// An array of pages that one process maps read-only and that the kernel fills.
///
/// The value is a handle; VMAs that map the area and reclaim keep what they need of it alive by
/// themselves. Dropping the handle frees all pages, whether they are pinned or not. A VMA may
/// outlive the handle: the process then still sees the pages it had mapped, which go when it unmaps
/// them.
///
/// The address space of the owner is kept allocated (`mmgrab`), but it is not kept in use: when the
/// owner exits, its mappings go away.
///
/// Drop may sleep.
///
/// # Invariants
///
/// - The page of a slot is on the LRU list of `domain` if and only if it is present, except while
///   the mutex of `inner` is held.
/// - There is one handle for each `inner`.
pub struct PageArea {
    inner: Arc<Inner>,
    domain: Arc<ReclaimDomain>,
}

/// The right to access the pages of a range, and the promise that they stay.
///
/// It names its area and its pages, but holds no reference, so that it is cheap to keep. It has to
/// be given back with [`PageArea::unpin`]; if it is dropped instead, its pages stay pinned for as
/// long as the area exists.
///
/// # Invariants
///
/// If the area with the number `area` still exists, then each of its slots `first..first + count`
/// counts one pin that belongs to this value.
#[must_use = "dropping it leaves the pages pinned"]
#[derive(Debug)]
pub struct Pins {
    area: u64,
    first: u32,
    count: u32,
}

/// How many pages of a [`PageArea`] are in which state, see [`PageArea::counts`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageCounts {
    /// Pages that are present and pinned.
    pub active: usize,
    /// Pages that are present and not pinned, which reclaim may take.
    pub lru: usize,
    /// Pages that are absent.
    pub free: usize,
    /// The highest index of a page that was ever present, plus one.
    pub high: usize,
}

/// What happens to a page of a [`PageArea`], see [`Watch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageStep {
    /// It is about to be allocated and mapped.
    Allocating,
    /// It was.
    Allocated,
    /// It was taken from the area by reclaim.
    Reclaimed,
    /// It is about to be unmapped by reclaim.
    Unmapping,
    /// It was.
    Unmapped,
}

/// Whoever is told what happens to the pages of a [`ReclaimDomain`], to trace it.
#[vtable]
pub trait Watch: Sync + 'static {
    /// Page `index` of an area that the thread group `owner` created gets one step further.
    ///
    /// Locks are held, spinlocks among them, so that nothing may sleep or use the area.
    fn page(&self, owner: Pid, index: usize, step: PageStep);
}

/// A [`Watch`] of some type.
trait AnyWatch: Sync {
    fn tell(&self, owner: Pid, index: usize, step: PageStep);
}

impl<W: Watch> AnyWatch for W {
    fn tell(&self, owner: Pid, index: usize, step: PageStep) {
        self.page(owner, index, step);
    }
}

impl PageArea {
    /// Creates an area that the address space of the current task may map.
    ///
    /// Pages that are not pinned can be reclaimed through `domain`.
    ///
    /// Fails with [`ENXIO`] if the current task has no address space, i.e. is a kernel thread, and
    /// with [`ENOMEM`]. May sleep.
    pub fn new(domain: &Arc<ReclaimDomain>) -> Result<PageArea> {
        let mm = current!().mm().map(|mm| ARef::<Mm>::from(&**mm));
        Self::for_mm(mm.ok_or(ENXIO)?, domain)
    }

    fn for_mm(mm: ARef<Mm>, domain: &Arc<ReclaimDomain>) -> Result<PageArea> {
        let id = NEXT_ID.fetch_add(1, Relaxed);
        // INVARIANT: There are no slots yet, and this is the only handle of a new `Inner`.
        Ok(PageArea {
            inner: Arc::pin_init(Inner::new(id, mm, domain.watch()), GFP_KERNEL)?,
            domain: domain.clone(),
        })
    }

    /// Makes `vma` the mapping of this area. To be called from the `mmap` file operation.
    ///
    /// Only the first `max_len` bytes of a longer VMA are used. The VMA loses `VM_MAYWRITE` and
    /// gets `VM_DONTCOPY` (a forked child has no mapping) and `VM_MIXEDMAP`; the area becomes its
    /// owner (`vm_ops`, `vm_private_data`). An area has one mapping for ever: when it is unmapped,
    /// also partly, or moved, the area is of no use any more.
    ///
    /// Returns the number of bytes that can be used. After that the file operation has to succeed:
    /// if it fails, the VMA never lets go of what it owns.
    ///
    /// Fails with [`EINVAL`] if the VMA is in another address space than the one of
    /// [`new`](Self::new) or if no page is left, with [`EPERM`] if it is writable, with [`EBUSY`]
    /// if the area has or had a mapping or the VMA has an owner, and with [`ENOMEM`]. After an
    /// error the area can be mapped if it could be before.
    ///
    /// May sleep; the caller holds the mmap write lock, by the invariants of [`VmaNew`].
    pub fn map(&self, vma: &VmaNew, max_len: usize) -> Result<usize> {
        if vma.mm().as_raw() != self.inner.mm().as_raw() {
            return Err(EINVAL);
        }
        if vma.writable() {
            return Err(EPERM);
        }
        if self.inner.mapping().is_some() || vm_ops::has_owner(vma) {
            return Err(EBUSY);
        }
        let pages = (vma.end() - vma.start()).min(max_len) >> PAGE_SHIFT;
        self.inner.set_mapping(vma.start(), pages)?;
        vm_ops::install(vma, self.inner.clone())?;
        Ok(pages << PAGE_SHIFT)
    }

    /// Returns the user address at which the area was mapped, or 0 if it never was.
    ///
    /// This is one load; the address stays after the mapping is gone.
    #[inline]
    pub fn start(&self) -> usize {
        self.inner.mapping().map_or(0, Mapping::start)
    }

    /// Returns the number of bytes that can be used, or 0 if the area was never mapped.
    #[inline]
    pub fn len(&self) -> usize {
        self.inner.mapping().map_or(0, Mapping::len)
    }

    /// Returns whether the area was never mapped.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether the area is mapped now.
    ///
    /// It is not before [`map`](Self::map), and never again after the VMA, a part of it or a copy
    /// of it was closed.
    #[inline]
    pub fn is_mapped(&self) -> bool {
        self.inner.mapping().is_some() && !self.inner.is_closed()
    }

    /// Pins the pages that the bytes `offset..offset + len` touch.
    ///
    /// Pages that are absent are allocated, filled with zeroes and mapped for the owner. A page
    /// that is pinned is not reclaimed. It keeps its content when the owner unmaps the area.
    ///
    /// Fails with [`ESRCH`] if the area is not mapped or the owner's address space is gone, with
    /// [`EINVAL`] if `len` is 0 or the range is not inside [`len`](Self::len), and with [`ENOMEM`].
    ///
    /// May sleep if a page is absent. Then it takes the mmap lock of the owner.
    #[inline]
    pub fn pin(&self, offset: usize, len: usize) -> Result<Pins> {
        let mapping = self.inner.mapping().ok_or(ESRCH)?;
        if self.inner.is_closed() {
            return Err(ESRCH);
        }
        let slots = mapping.slots_of(offset, len)?;
        for (done, slot) in slots.iter().enumerate() {
            if !slot.try_pin() {
                return self.pin_absent(offset >> PAGE_SHIFT, slots, done);
            }
        }
        // INVARIANT: Each of the slots was pinned just now.
        Ok(Pins {
            area: self.inner.id(),
            first: (offset >> PAGE_SHIFT) as u32,
            count: slots.len() as u32,
        })
    }

    /// Does the rest of [`pin`](Self::pin): `slots` are the pages from index `first` on, of which
    /// `done` are pinned.
    #[cold]
    #[inline(never)]
    fn pin_absent(&self, first: usize, slots: &[Slot], done: usize) -> Result<Pins> {
        // INVARIANT: The caller pinned them.
        let mut pins = Pins {
            area: self.inner.id(),
            first: first as u32,
            count: done as u32,
        };
        let mut populate = None;
        for slot in &slots[done..] {
            if let Err(e) = Populate::slot(&mut populate, self, slot) {
                self.unpin(pins);
                return Err(e);
            }
            // INVARIANT: The slot counts a pin that was made for this value.
            pins.count += 1;
        }
        Ok(pins)
    }

    /// Gives pins back.
    ///
    /// Pins of another area are dropped, so that their pages stay pinned. Does not sleep and takes
    /// no lock.
    #[inline]
    pub fn unpin(&self, pins: Pins) {
        for slot in self.pinned_slots(&pins) {
            // SAFETY: By the type invariants of `Pins`, the slot counts a pin of `pins`, which is
            // consumed here.
            unsafe { slot.unpin() };
        }
    }

    /// Returns the thread group that created the area.
    pub fn owner(&self) -> Pid {
        self.inner.owner()
    }

    /// Returns the indices of those pages that the bytes `offset..offset + len` touch which are
    /// present and not pinned, for tracing: they may change at any time.
    ///
    /// There are none if the range is not inside [`len`](Self::len).
    pub fn idle_pages(&self, offset: usize, len: usize) -> impl Iterator<Item = usize> + '_ {
        let slots = self
            .inner
            .mapping()
            .and_then(|mapping| mapping.slots_of(offset, len).ok());
        let slots = slots.unwrap_or_default().iter();
        let indices = offset >> PAGE_SHIFT..;
        indices
            .zip(slots)
            .filter_map(|(index, slot)| (slot.pins() == Some(0)).then_some(index))
    }

    /// Counts the pages by state, for statistics.
    ///
    /// Looks at each slot; the numbers are a snapshot only if nobody uses the area.
    pub fn counts(&self) -> PageCounts {
        self.inner.mapping().map_or(PageCounts::default(), |m| {
            let mut counts = PageCounts {
                high: m.high(),
                ..PageCounts::default()
            };
            for slot in m.slots() {
                match slot.pins() {
                    None => counts.free += 1,
                    Some(0) => counts.lru += 1,
                    Some(_) => counts.active += 1,
                }
            }
            counts
        })
    }

    /// Returns the slots of `pins`: none if they are slots of another area.
    #[inline]
    fn pinned_slots(&self, pins: &Pins) -> &[Slot] {
        if pins.area != self.inner.id() {
            return lost_pins();
        }
        let slots = self.inner.mapping().map_or(&[][..], Mapping::slots);
        slots.get(pins.range()).unwrap_or_default()
    }
}

impl Drop for PageArea {
    fn drop(&mut self) {
        self.inner.free_pages(&self.domain);
    }
}

/// Complains about pins that were brought to the wrong area, and returns no slots.
#[cold]
#[inline(never)]
fn lost_pins() -> &'static [Slot] {
    crate::pr_warn_once!("page area: pins belong to another area\n");
    &[]
}

impl Pins {
    /// Returns the indices of the pages.
    #[inline]
    fn range(&self) -> core::ops::Range<usize> {
        let first = self.first as usize;
        first..first.wrapping_add(self.count as usize)
    }
}
