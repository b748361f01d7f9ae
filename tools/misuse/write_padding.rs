// SPDX-License-Identifier: GPL-2.0

//! Padding would tell user space what kernel memory held before.
//!
//! error: E0277

#![allow(missing_docs)]

use kernel::{prelude::*, uaccess::UserSliceWriter};
use zerocopy_derive::Immutable;

#[derive(Immutable)]
#[repr(C)]
pub struct Reply {
    code: u32,
    address: u64,
}

pub fn tell(writer: &mut UserSliceWriter, reply: &Reply) -> Result {
    writer.write_obj(reply)
}
