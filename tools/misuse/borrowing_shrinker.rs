// SPDX-License-Identifier: GPL-2.0

//! Reclaim may call a shrinker whose registration was leaked, so it borrows nothing.
//!
//! error: E0478

#![allow(missing_docs)]

use kernel::{
    mm::shrinker::{ShrinkControl, Shrinker},
    prelude::*,
};

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
