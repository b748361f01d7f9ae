// SPDX-License-Identifier: GPL-2.0

//! Buffers in the logs.

use super::{
    work::Stacked,
    Out, //
};
use crate::{
    collections::ranges::Listed,
    process::{
        snapshot::PIECE,
        Process, //
    }, //
};
use kernel::prelude::*;

/// Prints the buffers in the area of a process. Those of calls that are being handled are active.
pub(super) fn print(out: Out<'_>, process: &Process, stacked: &Stacked) -> Result {
    for_each(process, |buffer| {
        let label = &buffer.label;
        let is_active = !buffer.is_held || stacked.contains(label.debug_id);
        Ok(out.write_fmt(fmt!(
            "  buffer {}: {:x} size {}:{}:{} {}\n",
            label.debug_id,
            buffer.offset,
            label.data_size,
            label.offsets_size,
            label.extra_size,
            if is_active { "active" } else { "delivered" }
        ))?)
    })
}

/// Looks at the buffers of a process one by one, lowest address first.
pub(super) fn for_each(process: &Process, mut look: impl FnMut(&Listed) -> Result) -> Result {
    let mut offset = 0;
    loop {
        let buffers = process.area.buffers_from(offset, PIECE)?;
        for buffer in &buffers {
            look(buffer)?;
        }
        match buffers.last() {
            Some(last) if buffers.len() == PIECE => offset = last.offset + 1,
            _ => return Ok(()),
        }
    }
}
