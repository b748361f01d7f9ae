// SPDX-License-Identifier: GPL-2.0

//! IPC namespaces.
//!
//! C header: [`include/linux/ipc_namespace.h`](srctree/include/linux/ipc_namespace.h)

use crate::bindings;

/// Tells whether the current task is in the initial IPC namespace.
///
/// Without support for IPC namespaces all tasks are. A task that is exiting and has left its
/// namespaces is not.
///
/// # Examples
///
/// ```
/// use kernel::ipc_namespace;
///
/// // Kernel threads are in the initial namespaces.
/// assert!(ipc_namespace::current_is_initial());
/// ```
// Not inlined into modules, because the initial namespace is not exported to them.
#[inline(never)]
pub fn current_is_initial() -> bool {
    // SAFETY: There is always a current task, and only it changes its own namespaces.
    unsafe { bindings::current_in_init_ipc_ns() }
}
