// SPDX-License-Identifier: GPL-2.0

//! Sleeping lets go of the lock, so what it protects may be another afterwards.
//!
//! error: E0505

#![allow(missing_docs)]

use kernel::sync::lock::{spinlock::SpinLockBackend, Guard};

pub fn wait(guard: Guard<'_, u32, SpinLockBackend>) -> u32 {
    let before: &u32 = &guard;
    let _ = guard.sleep_interruptible_freezable();
    *before
}
