// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of page areas, as far as that goes without a process.
//!
//! The areas here belong to `init_mm`, in which no area is ever mapped: a page that is absent
//! cannot be made present, which is an error path worth testing. Where a test needs pages, it puts
//! them into the slots itself.

use super::{
    slot::Slot,
    *, //
};
use crate::{
    bindings,
    mm::shrinker::ShrinkControl,
    module::{
        self,
        Registrations, //
    },
    page::{
        Page,
        PAGE_SIZE, //
    },
    ModuleMetadata,
    ThisModule, //
};

/// Creates an area of `pages` pages, of which the first `present` are there and not pinned.
fn area(pages: usize, present: usize) -> Result<PageArea> {
    area_of(ReclaimDomain::new(c"page_area_kunit")?, pages, present)
}

fn area_of(domain: Arc<ReclaimDomain>, pages: usize, present: usize) -> Result<PageArea> {
    // SAFETY: `init_mm` is a static `mm_struct`.
    let mm = unsafe { Mm::from_raw(&raw const bindings::init_mm) };
    let area = PageArea::for_mm(ARef::from(mm), &domain)?;
    if pages > 0 {
        area.inner.set_mapping(PAGE_SIZE, pages)?;
    }
    for slot in slots(&area).iter().take(present) {
        put_page(&area, slot)?;
    }
    Ok(area)
}

fn slots(area: &PageArea) -> &[Slot] {
    area.inner.mapping().map_or(&[][..], Mapping::slots)
}

/// Makes the page of `slot` present.
fn put_page(area: &PageArea, slot: &Slot) -> Result {
    let page = Page::alloc_page(GFP_KERNEL | __GFP_ZERO)?;
    let _guard = area.inner.lock.lock();
    let mapping = area.inner.mapping().ok_or(EINVAL)?;
    mapping.raise_high(slot);
    // SAFETY: We hold the mutex, and the page is absent. The pin that it comes with is ours.
    unsafe {
        slot.publish(page);
        area.domain.remember(&area.inner, mapping, slot);
        slot.unpin();
    }
    Ok(())
}

/// Returns the numbers of pages that are pinned, idle and absent.
fn counts(area: &PageArea) -> (usize, usize, usize) {
    let counts = area.counts();
    (counts.active, counts.lru, counts.free)
}

/// Asks the area's domain for `n` pages, and returns how many it freed.
fn reclaim(area: &PageArea, n: usize) -> usize {
    let mut control = bindings::shrink_control {
        nr_to_scan: n,
        nr_scanned: n,
        ..pin_init::zeroed()
    };
    // SAFETY: `control` is valid, and nobody else changes it.
    area.domain
        .scan(unsafe { ShrinkControl::from_raw(&raw mut control) })
}

/// Returns the byte at `offset`, which is in a page that is present.
fn byte(area: &PageArea, offset: usize) -> Result<u8> {
    let mut byte = 0;
    let _guard = area.inner.lock.lock();
    // SAFETY: We hold the mutex.
    let page = unsafe { slots(area)[offset / PAGE_SIZE].page_locked() };
    // SAFETY: `byte` is valid for writing, and nobody writes to the page of a test meanwhile.
    unsafe {
        page.ok_or(EINVAL)?
            .read_raw(&mut byte, offset % PAGE_SIZE, 1)?
    };
    Ok(byte)
}

#[kunit_tests(rust_page_area)]
mod cases {
    use super::*;

    #[test]
    fn a_domain_with_a_watch_keeps_the_module_of_the_watch() -> Result {
        struct Owner;
        impl ModuleMetadata for Owner {
            const NAME: &'static CStr = c"page_area_kunit";
            // SAFETY: There is no such module, and none is what null stands for.
            const THIS_MODULE: ThisModule = unsafe { ThisModule::from_ptr(core::ptr::null_mut()) };

            fn registrations() -> Option<&'static Registrations> {
                static REGISTRATIONS: Registrations = Registrations::new();
                Some(&REGISTRATIONS)
            }
        }
        struct Silent;
        #[vtable]
        impl Watch for Silent {
            type OwnerModule = Owner;

            fn page(&self, _: Pid, _: usize, _: PageStep) {}
        }
        let has_none = || Owner::registrations().is_some_and(Registrations::are_none);

        assert!(has_none());
        let domain = ReclaimDomain::watched(c"page_area_kunit", &Silent)?;
        assert!(!has_none());
        let area = area_of(domain, 1, 1)?;
        assert!(!has_none());
        drop(area);
        assert!(has_none());
        // So there is nothing to wait for.
        module::end::<Owner>();
        Ok(())
    }

    #[test]
    fn an_area_that_was_never_mapped_has_nothing() -> Result {
        let area = area(0, 0)?;
        assert_eq!((area.start(), area.len(), area.is_mapped()), (0, 0, false));
        assert!(area.is_empty());
        assert_eq!(area.pin(0, 1).err(), Some(ESRCH));
        assert_eq!(area.counts(), PageCounts::default());
        Ok(())
    }

    #[test]
    fn there_is_one_mapping_for_ever() -> Result {
        let area = area(3, 0)?;
        assert_eq!((area.start(), area.len()), (PAGE_SIZE, 3 * PAGE_SIZE));
        assert_eq!(area.inner.set_mapping(0, 1).err(), Some(EBUSY));
        assert_eq!(area.start(), PAGE_SIZE);
        Ok(())
    }

    #[test]
    fn a_mapping_has_pages() -> Result {
        let area = area(0, 0)?;
        assert_eq!(area.inner.set_mapping(0, 0).err(), Some(EINVAL));
        assert!(!area.is_mapped());
        assert!(area.inner.set_mapping(0, usize::MAX).is_err());
        area.inner.set_mapping(PAGE_SIZE, 1)
    }

    #[test]
    fn ranges_outside_are_refused() -> Result {
        let area = area(2, 2)?;
        let end = 2 * PAGE_SIZE;
        for (offset, len) in [
            (0, 0),
            (end, 0),
            (end, 1),
            (end - 1, 2),
            (0, end + 1),
            (1, usize::MAX),
            (usize::MAX, 1),
            (usize::MAX, usize::MAX),
        ] {
            assert_eq!(area.pin(offset, len).err(), Some(EINVAL));
        }
        assert_eq!(counts(&area), (0, 2, 0));
        Ok(())
    }

    #[test]
    fn pins_are_counted_by_page() -> Result {
        let area = area(4, 4)?;
        let a = area.pin(PAGE_SIZE - 1, 2)?;
        assert_eq!(counts(&area), (2, 2, 0));
        let b = area.pin(PAGE_SIZE, 1)?;
        let c = area.pin(0, 4 * PAGE_SIZE)?;
        assert_eq!(slots(&area)[1].pins(), Some(3));
        area.unpin(c);
        area.unpin(a);
        assert_eq!(counts(&area), (1, 3, 0));
        area.unpin(b);
        assert_eq!(counts(&area), (0, 4, 0));
        Ok(())
    }

    #[test]
    fn a_range_that_cannot_be_filled_leaves_no_pin() -> Result {
        let area = area(3, 1)?;
        // Nothing is mapped at the address of the second page.
        assert_eq!(area.pin(0, 2 * PAGE_SIZE).err(), Some(ESRCH));
        assert_eq!(counts(&area), (0, 1, 2));
        Ok(())
    }

    #[test]
    fn after_close_there_are_no_new_pins() -> Result {
        let area = area(1, 1)?;
        let pins = area.pin(0, 1)?;
        area.inner.close();
        assert!(!area.is_mapped());
        assert_eq!(area.pin(0, 1).err(), Some(ESRCH));
        area.write(&pins, 0, b"x")?;
        area.unpin(pins);
        assert_eq!(counts(&area), (0, 1, 0));
        Ok(())
    }

    #[test]
    fn pins_of_another_area_are_useless() -> Result {
        let (mine, other) = (area(1, 1)?, area(1, 1)?);
        let pins = other.pin(0, 1)?;
        assert_eq!(mine.write(&pins, 0, b"x").err(), Some(EINVAL));
        assert_eq!(mine.zero(&pins, 0, 1).err(), Some(EINVAL));
        mine.unpin(pins);
        assert_eq!(counts(&mine), (0, 1, 0));
        assert_eq!(counts(&other), (1, 0, 0));
        Ok(())
    }

    #[test]
    fn writes_stay_inside_the_pins() -> Result {
        let area = area(4, 4)?;
        let pins = area.pin(PAGE_SIZE + 5, PAGE_SIZE)?;
        let (start, end) = (PAGE_SIZE, 3 * PAGE_SIZE);
        assert_eq!(area.write(&pins, start - 1, b"x").err(), Some(EINVAL));
        assert_eq!(area.write(&pins, end - 1, b"xy").err(), Some(EINVAL));
        assert_eq!(area.zero(&pins, start, usize::MAX).err(), Some(EINVAL));
        assert_eq!(area.zero(&pins, usize::MAX, 2).err(), Some(EINVAL));
        area.write(&pins, start, b"a")?;
        area.write(&pins, end - 1, b"z")?;
        area.write(&pins, end, b"")?;
        assert_eq!((byte(&area, start)?, byte(&area, end - 1)?), (b'a', b'z'));
        assert_eq!((byte(&area, start - 1)?, byte(&area, end)?), (0, 0));
        area.unpin(pins);
        Ok(())
    }

    #[test]
    fn writes_cross_pages() -> Result {
        let area = area(2, 2)?;
        let pins = area.pin(0, 2 * PAGE_SIZE)?;
        area.write(&pins, PAGE_SIZE - 2, b"abcd")?;
        for (i, c) in b"abcd".iter().enumerate() {
            assert_eq!(byte(&area, PAGE_SIZE - 2 + i)?, *c);
        }
        area.zero(&pins, PAGE_SIZE - 1, 2)?;
        assert_eq!(byte(&area, PAGE_SIZE - 2)?, b'a');
        assert_eq!(
            (byte(&area, PAGE_SIZE - 1)?, byte(&area, PAGE_SIZE)?),
            (0, 0)
        );
        assert_eq!(byte(&area, PAGE_SIZE + 1)?, b'd');
        area.unpin(pins);
        Ok(())
    }

    #[test]
    fn pins_do_not_overflow() -> Result {
        let area = area(1, 1)?;
        slots(&area)[0].fill_up();
        assert_eq!(slots(&area)[0].pins(), Some((1 << 30) - 1));
        assert!(!slots(&area)[0].try_pin());
        assert!(area.pin(0, 1).is_err());
        assert_eq!(slots(&area)[0].pins(), Some((1 << 30) - 1));
        Ok(())
    }

    #[test]
    fn reclaim_takes_idle_pages_at_the_second_look() -> Result {
        let area = area(8, 8)?;
        let pins = area.pin(2 * PAGE_SIZE, 2 * PAGE_SIZE)?;
        assert_eq!(reclaim(&area, 8), 0);
        assert_eq!(counts(&area), (2, 6, 0));
        assert_eq!(reclaim(&area, 8), 6);
        assert_eq!(counts(&area), (2, 0, 6));
        assert_eq!(reclaim(&area, 8), 0);
        area.unpin(pins);
        assert_eq!(reclaim(&area, 8), 2);
        assert_eq!(counts(&area), (0, 0, 8));
        assert_eq!(reclaim(&area, 8), 0);
        Ok(())
    }

    #[test]
    fn a_page_in_use_survives() -> Result {
        let area = area(2, 2)?;
        assert_eq!(reclaim(&area, 2), 0);
        let pins = area.pin(0, 1)?;
        area.write(&pins, 0, b"x")?;
        area.unpin(pins);
        // The first page was used since, the second one was not.
        assert_eq!(reclaim(&area, 2), 1);
        assert_eq!(counts(&area), (0, 1, 1));
        assert_eq!(byte(&area, 0)?, b'x');
        Ok(())
    }

    #[test]
    fn idle_pages_are_present_and_not_pinned() -> Result {
        let area = area(4, 3)?;
        let pins = area.pin(PAGE_SIZE, 1)?;
        assert!(area.idle_pages(0, 4 * PAGE_SIZE).eq([0, 2]));
        assert!(area.idle_pages(PAGE_SIZE, 1).eq([]));
        assert!(area.idle_pages(0, 5 * PAGE_SIZE).eq([]));
        area.unpin(pins);
        assert!(area.idle_pages(PAGE_SIZE - 1, 2).eq([0, 1]));
        Ok(())
    }

    #[test]
    fn whoever_watches_is_told_of_each_page() -> Result {
        static RECLAIMED: Atomic<usize> = Atomic::new(0);
        static ALLOCATING: Atomic<usize> = Atomic::new(0);
        struct Counter;
        #[vtable]
        impl Watch for Counter {
            fn page(&self, owner: Pid, index: usize, step: PageStep) {
                assert_eq!(owner, current!().group_leader().pid());
                match step {
                    PageStep::Reclaimed => RECLAIMED.fetch_add(index, Relaxed),
                    PageStep::Allocating => ALLOCATING.fetch_add(index, Relaxed),
                    _ => unreachable!(),
                };
            }
        }
        let domain = ReclaimDomain::watched(c"page_area_kunit", &Counter)?;
        let area = area_of(domain, 4, 3)?;
        assert_eq!(area.owner(), current!().group_leader().pid());
        assert_eq!(reclaim(&area, 6), 3);
        assert_eq!(RECLAIMED.load(Relaxed), 1 + 2);
        // It fails, as nothing is mapped there, so that there is no end to it.
        assert!(area.pin(3 * PAGE_SIZE, 1).is_err());
        assert_eq!(ALLOCATING.load(Relaxed), 3);
        Ok(())
    }

    #[test]
    fn one_page_alone_is_reclaimed_in_one_call() -> Result {
        let area = area(1, 1)?;
        assert_eq!(reclaim(&area, 2), 1);
        put_page(&area, &slots(&area)[0])?;
        assert_eq!(counts(&area), (0, 1, 0));
        Ok(())
    }

    #[cfg(CONFIG_RUST_KUNIT_FAIL_NTH)]
    #[test]
    fn failed_allocations_leave_nothing() -> Result {
        crate::kunit::each_allocation_fails(|| {
            let area = area(4, 2)?;
            area.unpin(area.pin(0, 1)?);
            Ok(())
        })?;
        Ok(())
    }
}
