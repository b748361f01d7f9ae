// SPDX-License-Identifier: GPL-2.0

//! Giving pages that nobody pins back to the kernel.

use super::{
    inner::{
        Inner,
        Mapping, //
    },
    slot::{
        self,
        Slot, //
    },
    vm_ops,
    AnyWatch,
    PageStep,
    Watch, //
};
use crate::{
    mm::{
        list_lru::{
            Item,
            ListLru,
            Verdict, //
        },
        memcg::MemCgroup,
        shrinker::{
            Registration,
            ShrinkControl,
            Shrinker,
            UnregisteredShrinker, //
        },
        virt::VmaRef,
        MmWithUser, //
    },
    module::Registered,
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        Arc,
        ArcBorrow, //
    }, //
};

/// The areas of one driver, whose idle pages the kernel can take back.
///
/// It registers a shrinker, and has a list of the pages that are present in all of its areas, the
/// ones that are pinned included: so pinning a page does not touch the list. Reclaim passes over
/// pages that are pinned, and once over each page that was pinned since it last came by.
///
/// A page is charged to the memory cgroup of the process that maps its area, not to the sender that
/// happens to use it first: the process has chosen how much it maps, and the page stays with it. So
/// it is also reclaimed when this cgroup is short of memory.
///
/// Drop waits for reclaim that runs. It may sleep, and must not happen in a shrinker.
pub struct ReclaimDomain {
    pages: Registration<Pages>,
    watch: Option<&'static dyn AnyWatch>,
    _registered: Option<Registered>,
}

impl ReclaimDomain {
    /// Creates a domain. Its shrinker appears as `name` in debugfs. May sleep.
    pub fn new(name: &CStr) -> Result<Arc<ReclaimDomain>> {
        Self::with(name, None, None)
    }

    /// Creates a domain, like [`new`](Self::new), and tells `watch` what happens to its pages.
    pub fn watched<W: Watch>(name: &CStr, watch: &'static W) -> Result<Arc<ReclaimDomain>> {
        let registered = Registered::new::<W::OwnerModule>();
        Self::with(name, Some(watch), Some(registered))
    }

    fn with(
        name: &CStr,
        watch: Option<&'static dyn AnyWatch>,
        registered: Option<Registered>,
    ) -> Result<Arc<ReclaimDomain>> {
        let shrinker = UnregisteredShrinker::new(name)?;
        let pages = KBox::try_pin_init(Pages::new(&shrinker), GFP_KERNEL)?;
        let pages = shrinker.register(pages);
        let domain = ReclaimDomain {
            pages,
            watch,
            _registered: registered,
        };
        Ok(Arc::new(domain, GFP_KERNEL)?)
    }

    /// Returns who is told what happens to the pages.
    pub(super) fn watch(&self) -> Option<&'static dyn AnyWatch> {
        self.watch
    }

    /// Makes sure that pages that are charged to `memcg` can be remembered. May sleep.
    pub(super) fn prepare(&self, memcg: &MemCgroup) -> Result {
        self.pages.lru.prepare(memcg, GFP_KERNEL)
    }

    /// Puts the page of `slot`, if it is present, on the list.
    ///
    /// # Safety
    ///
    /// The caller holds the mutex of `inner`, to which `slot` belongs, and a reference of `inner`
    /// exists until the slot was forgotten. It is not on the list yet.
    pub(super) unsafe fn remember(&self, inner: &Arc<Inner>, mapping: &Mapping, slot: &Slot) {
        // SAFETY: The caller holds the mutex, and promises that the page, which is that of the
        // slot, stays until it is forgotten.
        unsafe {
            if let Some(page) = slot.page_locked() {
                slot::set_place(page, inner, mapping.index_of(slot));
                self.pages.lru.add(page);
            }
        }
    }

    /// Takes the page of `slot`, if it is present, off the list.
    ///
    /// # Safety
    ///
    /// The caller holds the mutex of the area of `slot`, which is of this domain.
    pub(super) unsafe fn forget(&self, slot: &Slot) {
        // SAFETY: The caller holds the mutex. A page that is present was remembered.
        unsafe {
            if let Some(page) = slot.page_locked() {
                self.pages.lru.del(page);
            }
        }
    }

    /// Calls the shrinker, as reclaim does.
    #[cfg(CONFIG_RUST_PAGE_AREA_KUNIT_TEST)]
    pub(super) fn scan(&self, control: &ShrinkControl) -> usize {
        self.pages.scan(control)
    }
}

/// The pages that are present, the one that was looked at or added last at the end.
#[pin_data]
struct Pages {
    #[pin]
    lru: ListLru,
}

impl Pages {
    fn new(shrinker: &UnregisteredShrinker) -> impl PinInit<Self, Error> + '_ {
        try_pin_init!(Self {
            lru <- ListLru::new(shrinker),
        })
    }
}

#[vtable]
impl Shrinker for Pages {
    fn count(&self, control: &ShrinkControl) -> usize {
        self.lru.count(control)
    }

    fn scan(&self, control: &ShrinkControl) -> usize {
        let mut left = control.nr_to_scan();
        let mut freed = 0;
        // A walk ends at the last item. Go on, since items that were passed over for their
        // reference are idle the next time.
        loop {
            let before = left;
            freed += self.lru.walk(control, &mut left, visit);
            if left == 0 || left == before {
                return freed;
            }
        }
    }
}

/// Frees the page of one item, if it is idle and all locks are to be had.
fn visit(item: Item<'_>) -> Verdict {
    // SAFETY: Only pages of slots are put on the list, after their place was set, and they leave it
    // before their area is freed. We hold the lock of the list.
    let (inner, index) = unsafe {
        let (inner, index) = slot::place(item.page());
        (ArcBorrow::<Inner>::from_raw(inner), index)
    };
    let slots = inner.mapping().map_or(&[][..], Mapping::slots);
    if !slots.get(index).is_some_and(Slot::is_idle) {
        return item.rotate();
    }
    // The handle of the area may be dropped as soon as the list is unlocked. This reference is
    // dropped last, after the mutex was unlocked.
    let inner = Arc::from(inner);
    let (Some(mapping), Some(_guard)) = (inner.mapping(), inner.lock.try_lock()) else {
        return item.rotate();
    };
    let slot = &mapping.slots()[index];
    let address = mapping.address(slot);
    let Some(mm) = inner.mm().mmget_not_zero() else {
        // Nobody can see the page any more: the address space is gone.
        return free(item, &inner, slot, None, address);
    };
    let mm = MmWithUser::into_mmput_async(mm);
    if let Some(vma) = mm.lock_vma_under_rcu(address) {
        return free(item, &inner, slot, Some(&vma), address);
    }
    let Some(guard) = mm.mmap_read_trylock() else {
        return item.rotate();
    };
    free(item, &inner, slot, guard.vma_lookup(address), address)
}

/// Frees the page of `slot`, if it is still idle. `vma` is what the owner has at `address`.
fn free(
    item: Item<'_>,
    inner: &Inner,
    slot: &Slot,
    vma: Option<&VmaRef>,
    address: usize,
) -> Verdict {
    // SAFETY: `visit` holds the mutex.
    let Some(page) = (unsafe { slot.take() }) else {
        return item.rotate();
    };
    inner.tell(slot, PageStep::Reclaimed);
    let verdict = item.isolate();
    if let Some(vma) = vma.filter(|vma| vm_ops::maps(vma, inner)) {
        inner.tell(slot, PageStep::Unmapping);
        vma.zap_vma_range(address, PAGE_SIZE);
        inner.tell(slot, PageStep::Unmapped);
    }
    drop(page);
    verdict
}
