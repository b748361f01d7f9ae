// SPDX-License-Identifier: GPL-2.0

//! A limit that is made anew each time limits nothing, and must not move.
//!
//! error: E0597

#![allow(missing_docs)]

use kernel::print::RateLimit;

pub fn complain() -> bool {
    let limit = RateLimit::new();
    limit.allow(c"misuse")
}
