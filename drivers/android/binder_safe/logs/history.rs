// SPDX-License-Identifier: GPL-2.0

//! The last transactions in the logs.

use super::Out;
use crate::{
    collections::sort::sort_by_key,
    context::global::Global,
    diag::history::{
        Call,
        Entry,
        Which,
        LEN, //
    }, //
};
use kernel::prelude::*;

/// Prints them, the oldest first.
pub(super) fn print(out: Out<'_>, global: &Global, which: Which) -> Result {
    let mut entries = which.last()?;
    sort_by_key(entries.as_mut_slice(), |entry| entry.time);
    let surplus = entries.len().saturating_sub(LEN);
    for entry in entries.iter().skip(surplus) {
        print_entry(out, global, entry)?;
    }
    Ok(())
}

fn print_entry(out: Out<'_>, global: &Global, entry: &Entry) -> Result {
    let record = &entry.record;
    let call = match record.call {
        Call::TwoWay => "call ",
        Call::Oneway => "async",
        Call::Reply => "reply",
    };
    out.write_fmt(fmt!(
        "{}: {call} from {}:{} to {}:{}",
        record.debug_id,
        record.from.0,
        record.from.1,
        record.to.0,
        record.to.1
    ))?;
    match global.registry.context_name(record.context)? {
        Some(name) => out.write_fmt(fmt!(" context {}", &*name))?,
        // The device is gone.
        None => out.write_str(" context -")?,
    }
    // The C driver ends with the line of its source at which the transaction failed.
    out.write_fmt(fmt!(
        " node {} handle {} size {}:{} ret {}/{} l=0{}\n",
        record.node,
        record.handle as i32,
        record.data_size as i32,
        record.offsets_size as i32,
        record.error.0,
        record.error.1,
        if entry.is_complete {
            ""
        } else {
            " (incomplete)"
        }
    ))?;
    Ok(())
}
