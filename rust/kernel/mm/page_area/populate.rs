// SPDX-License-Identifier: GPL-2.0

//! Making absent pages present: the slow path of pinning.

use super::{
    inner::Mapping,
    slot::Slot,
    vm_ops,
    PageArea,
    PageStep, //
};
use crate::{
    alloc::Flags,
    mm::{
        memcg::MemCgroup,
        virt::VmaRef,
        MmWithUser,
        MmWithUserAsync, //
    },
    page::Page,
    prelude::*,
    sync::aref::ARef, //
};

/// Returns how pages are allocated.
///
/// The memory cgroup of the owner may be full, and what fills it is what others send. Then the
/// allocation fails, and so does sending. Without `__GFP_RETRY_MAYFAIL` the kernel would kill a
/// process of that cgroup, the owner most likely, for what the sender does.
fn flags() -> Flags {
    GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN | __GFP_HIGHMEM | __GFP_ZERO
}

/// Keeps the owner's address space in use while one call of `pin()` makes pages present.
///
/// The reference may turn out to be the last one, if the owner exits meanwhile. Taking its address
/// space down closes files, this area's perhaps, which is nothing to do in the middle of sending a
/// message to it: therefore it is dropped with `mmput_async`.
pub(super) struct Populate<'a> {
    area: &'a PageArea,
    mapping: &'a Mapping,
    memcg: MemCgroup,
    mm: ARef<MmWithUserAsync>,
}

impl<'a> Populate<'a> {
    /// Makes the page of `slot` present and pins it.
    ///
    /// `state` is empty at the first page of a range and keeps what the other ones need as well.
    ///
    /// Fails with [`ESRCH`] if the area is not mapped, and with [`ENOMEM`]. May sleep; no lock of
    /// the area and no mmap lock may be held.
    #[inline(never)]
    pub(super) fn slot(state: &mut Option<Self>, area: &'a PageArea, slot: &Slot) -> Result {
        let this = match state {
            Some(this) => this,
            None => state.insert(Self::new(area)?),
        };
        area.inner.tell(slot, PageStep::Allocating);
        this.page(slot)?;
        area.inner.tell(slot, PageStep::Allocated);
        Ok(())
    }

    fn new(area: &'a PageArea) -> Result<Self> {
        let mm = area.inner.mm().mmget_not_zero().ok_or(ESRCH)?;
        let mm = MmWithUser::into_mmput_async(mm);
        let memcg = MemCgroup::of_mm(&mm);
        area.domain.prepare(&memcg)?;
        Ok(Self {
            area,
            mapping: area.inner.mapping().ok_or(ESRCH)?,
            memcg,
            mm,
        })
    }

    /// Makes the page of `slot` present and pins it.
    fn page(&self, slot: &Slot) -> Result {
        // Allocated first, so that reclaim on behalf of it finds no lock of ours taken. The owner
        // pays for the page. A page table that it may need is for the current task to pay: the C
        // side allocates it in a way that would rather kill the owner than fail.
        let page = self.memcg.charged(|| Page::alloc_page(flags()))?;
        let address = self.mapping.address(slot);
        if let Some(vma) = self.mm.lock_vma_under_rcu(address) {
            return self.insert(&vma, address, slot, page);
        }
        let guard = self.mm.mmap_read_lock();
        let vma = guard.vma_lookup(address).ok_or(ESRCH)?;
        self.insert(vma, address, slot, page)
    }

    /// Maps `page` into `vma` at `address` and lets `slot` have it, unless another task was faster.
    fn insert(&self, vma: &VmaRef, address: usize, slot: &Slot, page: Page) -> Result {
        let inner = &self.area.inner;
        if inner.is_closed() || !vm_ops::maps(vma, inner) {
            return Err(ESRCH);
        }
        let _guard = inner.lock.lock();
        if slot.try_pin() {
            return Ok(());
        }
        if slot.pins().is_some() {
            // Present, and yet it cannot be pinned: somebody leaks pins by the hundred million.
            return Err(EBUSY);
        }
        let vma = vma.as_mixedmap_vma().ok_or(ESRCH)?;
        vma.vm_insert_page(address, &page)?;
        self.mapping.raise_high(slot);
        // SAFETY: We hold the mutex, and `pins()` said that the page is absent, which only a holder
        // of the mutex can change.
        unsafe { slot.publish(page) };
        // SAFETY: We hold the mutex. The handle has a reference of `inner`, and forgets the slot
        // before it drops it.
        unsafe { self.area.domain.remember(inner, self.mapping, slot) };
        Ok(())
    }
}
