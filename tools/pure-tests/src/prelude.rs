// SPDX-License-Identifier: GPL-2.0

//! What the driver's sources use of `kernel::prelude`.

pub(crate) use crate::alloc::{Flags, KBox, KVVec, KVec};

/// The only flags that the sources use.
pub(crate) const GFP_KERNEL_ACCOUNT: Flags = Flags;

/// The kernel's `Result` has defaults for both types.
pub(crate) type Result<T = (), E = ()> = core::result::Result<T, E>;
