// SPDX-License-Identifier: GPL-2.0

//! Each pin of a page is given back once.
//!
//! error: E0382

#![allow(missing_docs)]

use kernel::{mm::page_area::PageArea, prelude::*};

pub fn send(area: &PageArea) -> Result {
    let pins = area.pin(0, 1)?;
    area.unpin(pins);
    area.write(&pins, 0, &[1])
}
