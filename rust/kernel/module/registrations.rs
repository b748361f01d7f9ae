// SPDX-License-Identifier: GPL-2.0

//! What a module has registered, so that its code does not go before that.

use super::ModuleMetadata;
use crate::{
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

/// How much a module has registered with the kernel that calls code of the module.
///
/// Dropping a registration waits until no such call runs. But safe code may forget to drop it
/// ([`core::mem::forget`]), which must not do harm either. A module whose registrations are counted
/// here therefore stays where it is until all of them were dropped: unloading it takes for ever if
/// one was forgotten, and says why.
///
/// The `module!` macro makes one of these for each module.
pub struct Registrations(Atomic<usize>);

impl Registrations {
    /// Makes the count of a module that has registered nothing.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// Returns whether nothing is registered.
    pub(crate) fn are_none(&self) -> bool {
        // Acquire: what was done before a registration was dropped is over.
        self.0.load(Acquire) == 0
    }
}

/// One registration of a module. It is to be dropped after the registration has ended.
///
/// # Invariants
///
/// It is counted in what it refers to.
pub(crate) struct Registered(Option<&'static Registrations>);

impl Registered {
    /// Counts one more registration of the module `M`.
    pub(crate) fn new<M: ModuleMetadata>() -> Self {
        let registrations = M::registrations();
        if let Some(registrations) = registrations {
            registrations.0.fetch_add(1, Relaxed);
        }
        // INVARIANT: It was just counted.
        Self(registrations)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        if let Some(registrations) = self.0 {
            registrations.0.fetch_sub(1, Release);
        }
    }
}

/// Waits until all registrations of the module `M` were dropped. For the `module!` macro, which
/// calls this before the code of the module goes.
#[doc(hidden)]
pub fn end<M: ModuleMetadata>() {
    if let Some(registrations) = M::registrations() {
        wait(registrations, M::NAME);
    }
}

#[inline(never)]
fn wait(registrations: &Registrations, name: &CStr) {
    if registrations.are_none() {
        return;
    }
    pr_crit!("{name}: cannot be unloaded before what it has registered is dropped\n");
    while !registrations.are_none() {
        fsleep(Delta::from_secs(1));
    }
}
