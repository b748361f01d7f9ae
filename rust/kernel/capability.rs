// SPDX-License-Identifier: GPL-2.0

//! Capabilities of tasks.
//!
//! C header: [`include/linux/capability.h`](srctree/include/linux/capability.h)

use crate::bindings;

/// A capability, as in `capabilities(7)`.
///
/// # Examples
///
/// ```
/// use kernel::capability::Capability;
///
/// // Kernel threads have all capabilities.
/// assert!(Capability::SYS_ADMIN.is_held());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability(i32);

impl Capability {
    /// Administration of the system.
    pub const SYS_ADMIN: Self = Self(bindings::CAP_SYS_ADMIN as i32);

    /// Tells whether the current task has the capability in the initial user namespace.
    ///
    /// This is `capable` in C. A positive answer marks the task as one that has used its privilege,
    /// so ask only when the answer decides something.
    #[inline]
    pub fn is_held(self) -> bool {
        // SAFETY: Any capability of this type is valid, and there is always a current task.
        unsafe { bindings::capable(self.0) }
    }
}
