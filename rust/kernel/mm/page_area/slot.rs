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
    }, //
};
use core::{
    cell::UnsafeCell,
    mem::MaybeUninit, //
};

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
///
/// Zeroes are a page that is absent.
pub(super) struct Slot {
    page: UnsafeCell<MaybeUninit<Page>>,
    state: Atomic<u32>,
}

// SAFETY: Nothing in a slot belongs to a thread.
unsafe impl Send for Slot {}
// SAFETY: By the type invariants, `page` is changed only under the area's mutex, and only while
// nobody has a pin.
unsafe impl Sync for Slot {}

/// Notes in `page` to what it belongs, and the index of its slot there.
pub(super) fn set_place<T>(page: &Page, owner: &Arc<T>, index: usize) {
    let address = Arc::as_ptr(owner).expose_provenance();
    // SAFETY: The page is valid, and the fields are for whoever allocated the page.
    unsafe {
        bindings::set_page_private(page.as_ptr(), address);
        bindings::set_page_index(page.as_ptr(), index);
    }
}

/// Returns what was given to [`set_place`].
///
/// # Safety
///
/// `page` is valid, and its place was set.
pub(super) unsafe fn place<T>(page: *mut bindings::page) -> (*const T, usize) {
    // SAFETY: The caller promises that the page is valid.
    let (address, index) = unsafe { (bindings::page_private(page), bindings::page_index(page)) };
    (core::ptr::with_exposed_provenance(address), index)
}

impl Slot {
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
        unsafe { (*self.page.get()).assume_init_ref() }.as_ptr()
    }

    /// Makes `page` present, with one pin that belongs to the caller.
    ///
    /// # Safety
    ///
    /// The caller holds the area's mutex, and the page is absent.
    pub(super) unsafe fn publish(&self, page: Page) {
        // SAFETY: By the type invariants, only the holder of the mutex accesses `page` now.
        unsafe { (*self.page.get()).write(page) };
        // INVARIANT: `page` was set before. Release: so see it those who pin it from now on.
        self.state.store(PRESENT | PIN | REFERENCED, Release);
    }

    /// Returns the page, if it is present.
    ///
    /// # Safety
    ///
    /// The caller holds the area's mutex for as long as it uses the page.
    pub(super) unsafe fn page_locked(&self) -> Option<&Page> {
        self.pins()?;
        // SAFETY: By the type invariants, the page is present, and only the holder of the mutex
        // changes that.
        Some(unsafe { (*self.page.get()).assume_init_ref() })
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
        // SAFETY: By the type invariants, there was a page, and only the holder of the mutex
        // accesses it now.
        Some(unsafe { (*self.page.get()).assume_init_read() })
    }

    /// Makes the page absent and returns it, if there was one, whatever its pins.
    ///
    /// # Safety
    ///
    /// The caller holds the area's mutex, and nobody uses pins of this slot any more.
    pub(super) unsafe fn reset(&self) -> Option<Page> {
        self.pins()?;
        // INVARIANT: We hold the mutex, and nobody can use pins any more.
        self.state.store(0, Relaxed);
        // SAFETY: By the type invariants, there was a page, and only the holder of the mutex
        // accesses it now.
        Some(unsafe { (*self.page.get()).assume_init_read() })
    }

    /// Lets the page, which is present, have as many pins as can be counted.
    #[cfg(CONFIG_RUST_PAGE_AREA_KUNIT_TEST)]
    pub(super) fn fill_up(&self) {
        self.state.store(FULL, Relaxed);
    }
}
