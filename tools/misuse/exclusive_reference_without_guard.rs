// SPDX-License-Identifier: GPL-2.0

//! Without its guard nobody is in the cell.
//!
//! error: E0515

#![allow(missing_docs)]

use kernel::sync::ExclusiveCell;

pub fn enter(cell: &ExclusiveCell<u32>) -> Option<&mut u32> {
    cell.try_borrow_mut().map(|mut guard| &mut *guard)
}
