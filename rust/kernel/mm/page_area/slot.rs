// SPDX-License-Identifier: GPL-2.0

//! The state of one page of an area.

use crate::{
    bindings,
    page::Page,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
    types::Opaque, //
};
use core::cell::UnsafeCell;

/// The page is there and may be pinned.
const PRESENT: u32 = 1 << 31;

/// The page was pinned since reclaim last looked at it.
const REFERENCED: u32 = 1 << 30;

/// The pins are counted in the other bits.
const PINS: u32 = REFERENCED - 1;

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
// SAFETY: The list links are used only under the lock of the LRU list. By the type invariants, `page`
// is changed only under the area's mutex, and only while nobody has a pin.
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
            if old & PRESENT == 0 || old & PINS == PINS {
                return false;
            }
            // Acquire: what `publish()` wrote before is visible to the holder of the pin.
            match self.state.cmpxchg(old, (old + 1) | REFERENCED, Acquire) {
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
        self.state.fetch_sub(1, Release);
    }

    /// Returns the number of pins, or `None` if the page is absent.
    pub(super) fn pins(&self) -> Option<u32> {
        let state = self.state.load(Relaxed);
        (state & PRESENT != 0).then_some(state & PINS)
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
        self.state.store(PRESENT | REFERENCED | 1, Release);
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
}
