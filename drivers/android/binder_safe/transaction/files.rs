// SPDX-License-Identifier: GPL-2.0

//! Giving the reader of a message the files that came with it.

use super::contents::{
    Objects,
    Payload, //
};
use crate::diag::trace;
use kernel::{
    fs::file::DescriptorBatch,
    prelude::*, //
};

/// Reserves descriptors of the current task for the files of a message, and writes their numbers.
///
/// Gives `None` if there are no files.
pub(crate) fn receive_files(payload: &mut Payload) -> Result<Option<DescriptorBatch>> {
    let Some(objects) = &mut payload.contents.objects else {
        return Ok(None);
    };
    let mut batch = DescriptorBatch::new();
    let Objects {
        files, to_close, ..
    } = &mut **objects;
    for sent in files.drain_all() {
        let fd = batch.reserve(sent.file)?;
        trace::FdRecv::trace(|| trace::FdRecv {
            debug_id: payload.buffer.label().debug_id as i32,
            fd: fd as i32,
            offset: sent.offset,
        });
        payload.buffer.write(sent.offset, fd.as_bytes())?;
        if sent.is_closed_with_buffer {
            // The sender made room for each.
            let _ = to_close.push_within_capacity(fd);
        }
    }
    Ok(Some(batch))
}
