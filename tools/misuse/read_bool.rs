// SPDX-License-Identifier: GPL-2.0

//! User space can write any byte, and not every byte is a `bool`.
//!
//! error: E0277

#![allow(missing_docs)]

use kernel::{prelude::*, uaccess::UserSliceReader};

pub fn flag(reader: &mut UserSliceReader) -> Result<bool> {
    reader.read_obj()
}
