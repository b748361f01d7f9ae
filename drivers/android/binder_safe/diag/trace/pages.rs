// SPDX-License-Identifier: GPL-2.0

//! Pages of areas.

use kernel::{
    task::Pid,
    trace_event, //
};

trace_event! {
    /// Pages come into use for a buffer, or are no longer used.
    pub(crate) struct UpdatePageRange("binder", "binder_update_page_range") {
        pub(crate) proc: Pid,
        pub(crate) allocate: bool,
        /// Where they begin in the area, in bytes.
        pub(crate) offset: usize,
        pub(crate) size: usize,
    }
    print(
        "proc=%d allocate=%d offset=%zu size=%zu",
        proc, allocate, offset, size
    )
}

/// Events about a page.
macro_rules! pages {
    ($($(#[$meta:meta])* $name:ident($event:literal);)*) => {$(
        trace_event! {
            $(#[$meta])*
            pub(crate) struct $name("binder", $event) {
                pub(crate) proc: Pid,
                pub(crate) page_index: usize,
            }
            print("proc=%d page_index=%zu", proc, page_index)
        }
    )*};
}

pages! {
    /// A page that is present and unused is about to be used.
    AllocLruStart("binder_alloc_lru_start");
    /// It is used now.
    AllocLruEnd("binder_alloc_lru_end");
    /// A page is about to be unused, and to stay for the next buffer.
    FreeLruStart("binder_free_lru_start");
    /// It is unused now.
    FreeLruEnd("binder_free_lru_end");
    /// A page is about to be allocated.
    AllocPageStart("binder_alloc_page_start");
    /// It was.
    AllocPageEnd("binder_alloc_page_end");
    /// A page that is reclaimed is about to be taken from the process that maps it.
    UnmapUserStart("binder_unmap_user_start");
    /// It was.
    UnmapUserEnd("binder_unmap_user_end");
    /// A page is about to be reclaimed.
    UnmapKernelStart("binder_unmap_kernel_start");
    /// Nobody can use it any more.
    UnmapKernelEnd("binder_unmap_kernel_end");
}
