// SPDX-License-Identifier: GPL-2.0

//! Returns: what user space reads.
//!
//! Small returns are gathered in kernel memory and copied together with the one that follows them,
//! since most reads end with one large return.

use super::structs::TransactionData;
use crate::diag::{
    commands::Counters,
    trace, //
};
use kernel::{
    prelude::*,
    uaccess::{
        UserSlice,
        UserSliceWriter, //
    },
    uapi, //
};
use zerocopy::Immutable;

/// Room for `BR_TRANSACTION_COMPLETE` and one transaction with its security context.
const STAGE_SIZE: usize = 80;

/// The least room that must be left for another item of work, whatever it turns out to be.
const RESERVE: usize = size_of::<u32>() + size_of::<TransactionData>() + size_of::<u64>();

/// Gathers returns and copies them to the reader.
pub(crate) struct ReturnWriter<'a> {
    user: UserSliceWriter,
    /// Where returns are counted.
    counters: &'a Counters,
    stage: [u8; STAGE_SIZE],
    staged: usize,
    /// Bytes given to the reader, staged ones not counted.
    written: u64,
    /// Where the `BR_NOOP` is that may become `BR_SPAWN_LOOPER`.
    noop: Option<UserPtr>,
}

impl<'a> ReturnWriter<'a> {
    /// Writes to the `size` bytes at `buffer`, of which `written` hold returns already.
    ///
    /// A fresh buffer starts with `BR_NOOP`, which is copied at once: a reader whose buffer is bad
    /// from the first byte on must lose no work.
    pub(crate) fn begin(
        buffer: UserPtr,
        size: usize,
        written: u64,
        counters: &'a Counters,
    ) -> Result<Self> {
        let start = buffer.wrapping_byte_add(written as usize);
        let room = size.saturating_sub(written as usize);
        let mut writer = Self {
            user: UserSlice::new(start, room).writer(),
            counters,
            stage: [0; STAGE_SIZE],
            staged: 0,
            written,
            noop: None,
        };
        if written == 0 {
            let noop = uapi::binder_driver_return_protocol_BR_NOOP;
            writer.user.write_obj(&noop)?;
            writer.written = size_of::<u32>() as u64;
            writer.noop = Some(start);
        }
        Ok(writer)
    }

    /// Bytes that the reader has when all that is staged is copied.
    pub(crate) fn consumed(&self) -> u64 {
        self.written + self.staged as u64
    }

    /// Whether any item of work still fits.
    pub(crate) fn has_room(&self) -> bool {
        self.has_room_behind(0)
    }

    /// Whether any item of work still fits behind `count` returns without a payload.
    pub(crate) fn has_room_behind(&self, count: u32) -> bool {
        let before = count as usize * size_of::<u32>();
        self.user.len() >= self.staged + before + RESERVE
    }

    /// Appends a return without a payload.
    pub(crate) fn put(&mut self, ret: u32) -> Result {
        self.make_room(size_of::<u32>())?;
        self.append_return(ret);
        Ok(())
    }

    /// Appends a return and its payload.
    pub(crate) fn put_with<T: IntoBytes + Immutable>(&mut self, ret: u32, payload: &T) -> Result {
        self.make_room(size_of::<u32>() + size_of::<T>())?;
        self.append_return(ret);
        self.append(payload.as_bytes());
        Ok(())
    }

    /// Copies what is staged to the reader. What a failed copy held is forgotten.
    pub(crate) fn flush(&mut self) -> Result {
        let staged = core::mem::take(&mut self.staged);
        if staged > 0 {
            self.user.write_obj(&self.stage[..staged])?;
            self.written += staged as u64;
        }
        Ok(())
    }

    /// Whether the read began with a `BR_NOOP` of ours.
    pub(crate) fn can_ask_for_looper(&self) -> bool {
        self.noop.is_some()
    }

    /// Turns the first word of the read into `BR_SPAWN_LOOPER`.
    pub(crate) fn ask_for_looper(&mut self) -> Result {
        let spawn = uapi::binder_driver_return_protocol_BR_SPAWN_LOOPER;
        self.counters.count_return(spawn);
        match self.noop {
            Some(noop) => {
                trace::Return::trace(|| trace::Return { cmd: spawn });
                UserSlice::new(noop, size_of::<u32>())
                    .writer()
                    .write_obj(&spawn)
            }
            None => Ok(()),
        }
    }

    /// Appends a return without more, if that can be done without copying to user space.
    pub(crate) fn stage(&mut self, ret: u32) -> bool {
        let fits = self.staged + size_of::<u32>() <= STAGE_SIZE;
        if fits {
            self.append_return(ret);
        }
        fits
    }

    fn make_room(&mut self, size: usize) -> Result {
        if self.staged + size > STAGE_SIZE {
            self.flush()?;
        }
        Ok(())
    }

    fn append_return(&mut self, ret: u32) {
        self.counters.count_return(ret);
        trace::Return::trace(|| trace::Return { cmd: ret });
        self.append(ret.as_bytes());
    }

    fn append(&mut self, bytes: &[u8]) {
        let end = self.staged + bytes.len();
        self.stage[self.staged..end].copy_from_slice(bytes);
        self.staged = end;
    }
}
