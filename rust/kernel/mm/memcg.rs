// SPDX-License-Identifier: GPL-2.0

//! Memory cgroups, as far as charging memory to one is concerned.
//!
//! C header: [`include/linux/memcontrol.h`](srctree/include/linux/memcontrol.h)

use super::MmWithUser;
use crate::bindings;

/// The memory cgroup of an address space.
///
/// # Invariants
///
/// It is null, if there are no memory cgroups, or a memory cgroup of which we own a reference.
pub(crate) struct MemCgroup(*mut bindings::mem_cgroup);

impl MemCgroup {
    /// Returns the memory cgroup of `mm`. Wraps C's `get_mem_cgroup_from_mm`.
    pub(crate) fn of_mm(mm: &MmWithUser) -> Self {
        // SAFETY: `mm` is valid.
        // INVARIANT: The function returns null or a new reference.
        Self(unsafe { bindings::get_mem_cgroup_from_mm(mm.as_raw()) })
    }

    /// Returns a pointer to the C object, or null if there are no memory cgroups.
    #[cfg(CONFIG_MEMCG)]
    pub(crate) fn as_raw(&self) -> *mut bindings::mem_cgroup {
        self.0
    }

    /// Calls `f`, and charges to this memory cgroup what it allocates with `__GFP_ACCOUNT`. Wraps
    /// C's `set_active_memcg`.
    ///
    /// It takes a closure, since a guard could be leaked: the task would go on charging to a memory
    /// cgroup that may be gone.
    pub(crate) fn charged<R>(&self, f: impl FnOnce() -> R) -> R {
        // SAFETY: By the type invariants, and it is active no longer than `self` is borrowed.
        let before = unsafe { bindings::set_active_memcg(self.0) };
        let result = f();
        // SAFETY: What was active before is for whoever made it so to keep, and calls are nested.
        unsafe { bindings::set_active_memcg(before) };
        result
    }
}

impl Drop for MemCgroup {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, we own a reference, or it is null.
        unsafe { bindings::mem_cgroup_put(self.0) };
    }
}
