// SPDX-License-Identifier: GPL-2.0

//! Reclaim may call a shrinker whose registration was leaked, so it borrows nothing.
//!
//! error: E0478

#![allow(missing_docs)]

use kernel::{
    mm::shrinker::{ShrinkControl, Shrinker},
    prelude::*,
};

/// Built in, as far as the compiler is concerned.
struct LocalModule;

impl kernel::ModuleMetadata for LocalModule {
    const NAME: &'static CStr = c"misuse";

    // SAFETY: A null pointer stands for code that is built in.
    const THIS_MODULE: ThisModule = unsafe { ThisModule::from_ptr(core::ptr::null_mut()) };
}

pub struct Cache<'a>(&'a usize);

#[vtable]
impl<'a> Shrinker for Cache<'a> {
    fn count(&self, _: &ShrinkControl) -> usize {
        *self.0
    }

    fn scan(&self, _: &ShrinkControl) -> usize {
        0
    }
}
