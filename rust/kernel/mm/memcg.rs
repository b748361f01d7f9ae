// SPDX-License-Identifier: GPL-2.0

//! Memory cgroups, as far as charging memory to one is concerned.
//!
//! C header: [`include/linux/memcontrol.h`](srctree/include/linux/memcontrol.h)

use super::MmWithUser;
use crate::{
    bindings,
    types::NotThreadSafe, //
};
use core::marker::PhantomData;

/// The memory cgroup of an address space.
///
/// # Invariants
///
/// It is null, if there are no memory cgroups, or a memory cgroup of which we own a reference.
pub(crate) struct MemCgroup(*mut bindings::mem_cgroup);

/// Memory that this task allocates is charged to a certain memory cgroup.
///
/// # Invariants
///
/// `before` is what was the active memory cgroup of this task.
pub(crate) struct Charge<'a> {
    before: *mut bindings::mem_cgroup,
    _memcg: PhantomData<&'a MemCgroup>,
    _nts: NotThreadSafe,
}

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

    /// Charges to this memory cgroup what is allocated with `__GFP_ACCOUNT`, until the result is
    /// dropped. Wraps C's `set_active_memcg`.
    ///
    /// Nested calls are dropped in the reverse order.
    pub(crate) fn charge(&self) -> Charge<'_> {
        // SAFETY: By the type invariants, and the result borrows from `self`.
        let before = unsafe { bindings::set_active_memcg(self.0) };
        // INVARIANT: The function returns what was active before.
        Charge {
            before,
            _memcg: PhantomData,
            _nts: NotThreadSafe,
        }
    }
}

impl Drop for MemCgroup {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, we own a reference, or it is null.
        unsafe { bindings::mem_cgroup_put(self.0) };
    }
}

impl Drop for Charge<'_> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants. We are in the task of `charge()`, since the value is not
        // `Send`.
        unsafe { bindings::set_active_memcg(self.before) };
    }
}
