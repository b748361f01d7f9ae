// SPDX-License-Identifier: GPL-2.0

//! The state of one page of an area.

use crate::{
    bindings,
    page::Page,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        Arc, //
    },
    types::Opaque, //
};
use core::cell::UnsafeCell;

/// The page is there and may be pinned.
const PRESENT: u32 = 1 << 31;

/// The page was pinned since reclaim last looked at it.
const REFERENCED: u32 = 1;

/// The bits between the two count the pins: this is one of them.
const PIN: u32 = 2;

/// Present, with the greatest number of pins.
const FULL: u32 = !REFERENCED;

/// One page of an area, or the place for it.
///
/// The word `state` is the only thing that changes hands without a lock:
///
/// ```text
///   absent --publish()--> present, n pins --take()--> absent
///                          |  ^
///            try_pin(), unpin(): n + 1, n - 1
/// ```
///
/// `take()` works only from zero pins, so whoever holds a pin can use the page.
///
/// # Invariants
///
/// - If `PRESENT` is set in `state`, then `page` is a page that does not change. If it is not set,
///   then no other bit of `state` is set either.
/// - Only the holder of the area's mutex sets or clears `PRESENT`, and accesses `page` while it is
///   not set. It is cleared only while no pins are counted, or when nobody can use pins any more.
/// - `lru` is initialised before the slot is shared, and is used only by the LRU list of the
///   area's domain.
#[repr(C)]
pub(super) struct Slot {
    lru: Opaque<bindings::list_head>,
    page: UnsafeCell<Option<Page>>,
    state: Atomic<u32>,
    index: u32,
}

// SAFETY: Nothing in a slot belongs to a thread.
unsafe impl Send for Slot {}
// SAFETY: The list links are used only under the lock of the LRU list. By the type invariants,
// `page` is changed only under the area's mutex, and only while nobody has a pin.
unsafe impl Sync for Slot {}

impl Slot {
    /// Creates an absent page. [`init_links`](Self::init_links) has to follow.
    pub(super) fn new(index: u32) -> Slot {
        // INVARIANT: Nothing is present.
        Slot {
            lru: Opaque::uninit(),
            page: UnsafeCell::new(None),
            state: Atomic::new(0),
            index,
        }
    }

    /// Makes the list links usable, now that the slot has its final place in memory.
    pub(super) fn init_links(&mut self) {
        // SAFETY: `lru` is valid for writes, and we have exclusive access.
        unsafe { bindings::INIT_LIST_HEAD(self.lru.get()) };
    }

    /// Returns the list links.
    pub(super) fn links(&self) -> *mut bindings::list_head {
        self.lru.get()
    }

    /// Returns the slot that has these list links.
    ///
    /// # Safety
    ///
    /// `links` is a result of [`links`](Self::links), and that slot exists.
    pub(super) unsafe fn from_links(links: *mut bindings::list_head) -> *const Slot {
        let lru = Opaque::cast_from(links).cast_mut();
        // SAFETY: The caller promises that this is the field of a slot.
        unsafe { crate::container_of!(lru, Slot, lru) }
    }

    /// Notes in `page`, the page of this slot, to what the slot belongs.
    pub(super) fn set_owner<T>(&self, page: &Page, owner: &Arc<T>) {
        let address = Arc::as_ptr(owner).expose_provenance();
        // SAFETY: The page is valid, and the field is for whoever allocated the page.
        unsafe { bindings::set_page_private(page.as_ptr(), address) };
    }

    /// Returns what was given to [`set_owner`](Self::set_owner) for the page that is present.
    ///
    /// # Safety
    ///
    /// The slot is in the LRU list, and the caller holds the lock of this list.
    pub(super) unsafe fn owner<T>(&self) -> *const T {
        // SAFETY: The page is present and does not change, as long as the slot is in the list.
        let address = unsafe {
            match &*self.page.get() {
                Some(page) => bindings::page_private(page.as_ptr()),
                None => 0,
            }
        };
        core::ptr::with_exposed_provenance(address)
    }

    /// Returns the index of the page in its area.
    pub(super) fn index(&self) -> usize {
        self.index as usize
    }

    /// Pins the page if it is present; `false` if it is absent or has too many pins.
    ///
    /// This is the hot path: one atomic operation, if no other task changes the word meanwhile.
    #[inline]
    pub(super) fn try_pin(&self) -> bool {
        let mut old = self.state.load(Relaxed);
        loop {
            if !(PRESENT..FULL).contains(&old) {
                return false;
            }
            let new = old.wrapping_add(PIN) | REFERENCED;
            // Acquire: what `publish()` wrote before is visible to the holder of the pin.
            match self.state.cmpxchg(old, new, Acquire) {
                Ok(_) => return true,
                Err(now) => old = now,
            }
        }
    }

    /// Gives one pin back.
    ///
    /// # Safety
    ///
    /// The caller owns a pin of this slot and must not use it again.
    #[inline]
    pub(super) unsafe fn unpin(&self) {
        // Release: the copies of the holder come before reclaim takes the page.
        self.state.fetch_sub(PIN, Release);
    }

    /// Returns the number of pins, or `None` if the page is absent.
    pub(super) fn pins(&self) -> Option<u32> {
        let state = self.state.load(Relaxed);
        (state & PRESENT != 0).then_some((state & !PRESENT) / PIN)
    }

    /// Returns the page.
    ///
    /// # Safety
    ///
    /// The caller has a pin of this slot for as long as it uses the page.
    #[inline]
    pub(super) unsafe fn page(&self) -> *mut bindings::page {
        // SAFETY: By the type invariants, the page is present and does not change, since the caller
        // has a pin.
        let page = unsafe { &*self.page.get() };
        page.as_ref().map_or(core::ptr::null_mut(), Page::as_ptr)
    }

    /// Makes `page` present, with one pin that belongs to the caller.
    ///
    /// # Safety
    ///
    /// The caller holds the area's mutex, and the page is absent.
    pub(super) unsafe fn publish(&self, page: Page) {
        // SAFETY: By the type invariants, only the holder of the mutex accesses `page` now.
        unsafe { *self.page.get() = Some(page) };
        // INVARIANT: `page` was set before. Release: so see it those who pin it from now on.
        self.state.store(PRESENT | PIN | REFERENCED, Release);
    }

    /// Returns the page, if it is present.
    ///
    /// # Safety
    ///
    /// The caller holds the area's mutex for as long as it uses the page.
    pub(super) unsafe fn page_locked(&self) -> Option<&Page> {
        // SAFETY: By the type invariants, only the holder of the mutex changes `page`.
        unsafe { (*self.page.get()).as_ref() }
    }

    /// Returns whether reclaim may take the page: nobody pins it, and nobody did since the last
    /// call.
    pub(super) fn is_idle(&self) -> bool {
        let old = self.state.load(Relaxed);
        if old == PRESENT | REFERENCED {
            // If another task pins it right now, then it is referenced anew: fine.
            let _ = self.state.cmpxchg(old, PRESENT, Relaxed);
        }
        old == PRESENT
    }

    /// Makes the page absent and returns it, if it is present and [idle](Self::is_idle) still.
    ///
    /// # Safety
    ///
    /// The caller holds the area's mutex.
    pub(super) unsafe fn take(&self) -> Option<Page> {
        // INVARIANT: No pin is counted, and we hold the mutex. Acquire: the copies of those who had
        // pins are done.
        self.state.cmpxchg(PRESENT, 0, Acquire).ok()?;
        // SAFETY: By the type invariants, only the holder of the mutex accesses `page` now.
        unsafe { (*self.page.get()).take() }
    }

    /// Makes the page absent and returns it, if there was one, whatever its pins.
    ///
    /// # Safety
    ///
    /// The caller holds the area's mutex, and nobody uses pins of this slot any more.
    pub(super) unsafe fn reset(&self) -> Option<Page> {
        // INVARIANT: We hold the mutex, and nobody can use pins any more.
        self.state.store(0, Relaxed);
        // SAFETY: By the type invariants, only the holder of the mutex accesses `page` now.
        unsafe { (*self.page.get()).take() }
    }

    /// Lets the page, which is present, have as many pins as can be counted.
    #[cfg(CONFIG_RUST_PAGE_AREA_KUNIT_TEST)]
    pub(super) fn fill_up(&self) {
        self.state.store(FULL, Relaxed);
    }
}
