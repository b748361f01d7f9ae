// SPDX-License-Identifier: GPL-2.0

//! Trace events about the pages of areas.

use crate::{
    collections::ranges::Range,
    diag::trace, //
};
use kernel::{
    mm::page_area::{
        PageArea,
        PageStep,
        Watch, //
    },
    page::PAGE_SIZE,
    prelude::*,
    task::Pid, //
};

/// Traces pages that are allocated and reclaimed.
pub(crate) struct Watcher;

#[vtable]
impl Watch for Watcher {
    fn page(&self, proc: Pid, page_index: usize, step: PageStep) {
        match step {
            PageStep::Allocating => {
                trace::AllocPageStart::trace(|| trace::AllocPageStart { proc, page_index });
            }
            PageStep::Allocated => {
                trace::AllocPageEnd::trace(|| trace::AllocPageEnd { proc, page_index });
            }
            PageStep::Reclaimed => {
                trace::UnmapKernelStart::trace(|| trace::UnmapKernelStart { proc, page_index });
                trace::UnmapKernelEnd::trace(|| trace::UnmapKernelEnd { proc, page_index });
            }
            PageStep::Unmapping => {
                trace::UnmapUserStart::trace(|| trace::UnmapUserStart { proc, page_index });
            }
            PageStep::Unmapped => {
                trace::UnmapUserEnd::trace(|| trace::UnmapUserEnd { proc, page_index });
            }
        }
    }
}

/// Traces that the pages of `range` are about to be pinned.
#[inline(always)]
pub(super) fn pinning(pages: &PageArea, range: &Range) {
    trace::UpdatePageRange::trace(|| update(pages, range, true));
    if trace::AllocLruStart::is_enabled() || trace::AllocLruEnd::is_enabled() {
        trace_used(pages, range);
    }
}

/// Traces that the pages of `range` were unpinned.
#[inline(always)]
pub(super) fn unpinned(pages: &PageArea, range: &Range) {
    trace::UpdatePageRange::trace(|| update(pages, range, false));
    if trace::FreeLruStart::is_enabled() || trace::FreeLruEnd::is_enabled() {
        trace_unused(pages, range);
    }
}

fn update(pages: &PageArea, range: &Range, allocate: bool) -> trace::UpdatePageRange {
    let start = range.offset() / PAGE_SIZE * PAGE_SIZE;
    let end = (range.offset() + range.len()).next_multiple_of(PAGE_SIZE);
    trace::UpdatePageRange {
        proc: pages.owner(),
        allocate,
        offset: start,
        size: end - start,
    }
}

#[cold]
fn trace_used(pages: &PageArea, range: &Range) {
    let proc = pages.owner();
    for page_index in pages.idle_pages(range.offset(), range.len()) {
        trace::AllocLruStart::trace(|| trace::AllocLruStart { proc, page_index });
        trace::AllocLruEnd::trace(|| trace::AllocLruEnd { proc, page_index });
    }
}

#[cold]
fn trace_unused(pages: &PageArea, range: &Range) {
    let proc = pages.owner();
    for page_index in pages.idle_pages(range.offset(), range.len()) {
        trace::FreeLruStart::trace(|| trace::FreeLruStart { proc, page_index });
        trace::FreeLruEnd::trace(|| trace::FreeLruEnd { proc, page_index });
    }
}
