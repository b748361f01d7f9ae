// SPDX-License-Identifier: GPL-2.0

//! A driver that forbids unsafe code cannot take that back further down.
//!
//! error: E0453

#![allow(missing_docs)]
#![forbid(unsafe_code)]

#[allow(unsafe_code)]
pub fn raw(address: *const u8) -> u8 {
    unsafe { *address }
}
