// SPDX-License-Identifier: GPL-2.0

//! LRU lists of pages, for shrinkers.
//!
//! A `struct list_lru` is a set of lists, one for each NUMA node and memory cgroup, each with its
//! own spinlock. This is the part of it that an abstraction over pages needs; it is not for
//! drivers.
//!
//! C header: [`include/linux/list_lru.h`](srctree/include/linux/list_lru.h)

use super::{
    memcg::MemCgroup,
    shrinker::{
        ShrinkControl,
        UnregisteredShrinker, //
    }, //
};
use crate::{
    alloc::Flags,
    bindings::{
        self,
        lru_status, //
    },
    error::to_result,
    page::Page,
    prelude::*,
    sync::rcu,
    types::Opaque, //
};

/// A set of lists of pages.
///
/// A page is linked by its field `lru`, which is for its owner, and says in which list it is.
///
/// # Invariants
///
/// `lru` is initialised.
#[pin_data(PinnedDrop)]
pub(crate) struct ListLru {
    #[pin]
    lru: Opaque<bindings::list_lru>,
}

// SAFETY: A `list_lru` has its own locks and belongs to no task.
unsafe impl Send for ListLru {}
// SAFETY: As above.
unsafe impl Sync for ListLru {}

impl ListLru {
    /// Creates empty lists, aware of memory cgroups, for `shrinker`. Wraps `list_lru_init_memcg`.
    pub(crate) fn new(shrinker: &UnregisteredShrinker) -> impl PinInit<Self, Error> + '_ {
        try_pin_init!(Self {
            // INVARIANT: It is initialised here.
            lru <- Opaque::try_ffi_init(move |lru: *mut bindings::list_lru| {
                // SAFETY: `lru` is valid for writes and all zeroes is how a static one begins, and
                // the shrinker is valid.
                unsafe {
                    lru.write(pin_init::zeroed());
                    to_result(bindings::__list_lru_init(lru, true, shrinker.as_raw()))
                }
            }),
        })
    }

    /// Makes sure that there are lists for pages that are charged to `memcg`.
    ///
    /// Wraps `memcg_list_lru_alloc`. May sleep.
    #[cfg_attr(not(CONFIG_MEMCG), expect(unused_variables))]
    pub(crate) fn prepare(&self, memcg: &MemCgroup, flags: Flags) -> Result {
        #[cfg(CONFIG_MEMCG)]
        if !memcg.as_raw().is_null() {
            let memcg = memcg.as_raw();
            // SAFETY: The list is initialised, and the memory cgroup is valid.
            to_result(unsafe {
                bindings::memcg_list_lru_alloc(memcg, self.lru.get(), flags.as_raw())
            })?;
        }
        Ok(())
    }

    /// Adds `page` at the end of its list.
    ///
    /// # Safety
    ///
    /// The caller owns the page, which must be in no list, and removes it before it is freed.
    pub(crate) unsafe fn add(&self, page: &Page) {
        let guard = rcu::read_lock();
        // SAFETY: The caller promises what concerns the page, and RCU keeps the memory cgroup.
        unsafe {
            let lru = bindings::page_lru(page.as_ptr());
            bindings::INIT_LIST_HEAD(lru);
            bindings::list_lru_add(self.lru.get(), lru, page.nid(), memcg(page, &guard));
        }
    }

    /// Removes `page` from its list. Does nothing if it was removed before.
    ///
    /// # Safety
    ///
    /// The page must have been [added](Self::add) to this list.
    #[inline(never)]
    pub(crate) unsafe fn del(&self, page: &Page) {
        let guard = rcu::read_lock();
        // SAFETY: The caller promises that the page was added, and RCU keeps the memory cgroup.
        unsafe {
            let lru = bindings::page_lru(page.as_ptr());
            bindings::list_lru_del(self.lru.get(), lru, page.nid(), memcg(page, &guard));
        }
    }

    /// Returns how many items there are in the list that `control` is about.
    pub(crate) fn count(&self, control: &ShrinkControl) -> usize {
        // SAFETY: The list is initialised, and `control` keeps the memory cgroup.
        unsafe {
            let memcg = (*control.as_raw()).memcg;
            bindings::list_lru_count_one(self.lru.get(), control.nid(), memcg)
        }
    }

    /// Calls `f` for items of the list that `control` is about, from the oldest on.
    ///
    /// `left` says how many to look at and is counted down. Returns how many were removed.
    pub(crate) fn walk<F>(&self, control: &ShrinkControl, left: &mut usize, mut f: F) -> usize
    where
        F: FnMut(Item<'_>) -> Verdict,
    {
        // SAFETY: The list is initialised, `control` keeps the memory cgroup, and `visit::<F>` gets
        // the pointer to `f` that it expects.
        unsafe {
            bindings::list_lru_walk_one(
                self.lru.get(),
                control.nid(),
                (*control.as_raw()).memcg,
                Some(visit::<F>),
                (&raw mut f).cast(),
                left,
            )
        }
    }
}

#[pinned_drop]
impl PinnedDrop for ListLru {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The list is initialised, by the type invariants, and nobody uses it any more.
        unsafe { bindings::list_lru_destroy(self.lru.get()) };
    }
}

/// Returns the memory cgroup that `page` is charged to, or null.
fn memcg(page: &Page, _guard: &rcu::Guard) -> *mut bindings::mem_cgroup {
    // SAFETY: The page is valid, so its folio is, and we are in an RCU read-side section.
    unsafe { bindings::folio_memcg(bindings::page_folio(page.as_ptr())) }
}

/// An item during a walk, while the lock of its list is held.
///
/// # Invariants
///
/// `item` is the field `lru` of a page that is linked into `list`, and this task holds the lock of
/// `list`.
pub(crate) struct Item<'a> {
    item: &'a Opaque<bindings::list_head>,
    list: *mut bindings::list_lru_one,
}

/// What became of an item. Only the methods of [`Item`] make one.
pub(crate) struct Verdict(lru_status);

impl Item<'_> {
    /// Returns the page, which is valid as long as the lock of the list is held.
    pub(crate) fn page(&self) -> *mut bindings::page {
        // SAFETY: By the type invariants.
        unsafe { bindings::page_of_lru(self.item.get()) }
    }

    /// Leaves the item in the list, as the youngest.
    pub(crate) fn rotate(self) -> Verdict {
        Verdict(lru_status::LRU_ROTATE)
    }

    /// Removes the item from the list, and drops the lock of the list.
    pub(crate) fn isolate(self) -> Verdict {
        // SAFETY: By the type invariants. The status tells the walk that the lock was dropped.
        unsafe {
            bindings::list_lru_isolate(self.list, self.item.get());
            bindings::spin_unlock(&raw mut (*self.list).lock);
        }
        Verdict(lru_status::LRU_REMOVED_RETRY)
    }
}

/// Calls the closure of a walk for one item.
///
/// # Safety
///
/// Called by `list_lru_walk_one` for an item of a list whose lock it holds; `f` points to an `F`
/// that nobody else uses.
unsafe extern "C" fn visit<F>(
    item: *mut bindings::list_head,
    list: *mut bindings::list_lru_one,
    f: *mut c_void,
) -> lru_status
where
    F: FnMut(Item<'_>) -> Verdict,
{
    // SAFETY: The caller promises that `f` is an `F` for us alone, and that `item` is valid while
    // the lock is held.
    let (f, item) = unsafe { (&mut *f.cast::<F>(), &*item.cast()) };
    // INVARIANT: The caller promises that `item` is in `list`, whose lock it holds, and only `add`
    // puts something there.
    f(Item { item, list }).0
}
