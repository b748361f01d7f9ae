// SPDX-License-Identifier: GPL-2.0

//! A piece of an area that holds one message.

use super::area::{
    Area,
    Held,
    Kind,
    SpamCheck, //
};
use crate::collections::ranges::{
    BufferInfo,
    Range,
    ALIGN, //
};
use kernel::{
    mm::page_area::Pins,
    prelude::*,
    sync::Arc,
    uaccess::UserSliceReader, //
};

/// A reserved buffer; its bytes are given back when it is dropped.
///
/// A buffer of a receiver is handed to it with [`Buffer::hand_over`].
pub(crate) struct Buffer<T> {
    area: Arc<Area<T>>,
    range: Range,
    clear: bool,
    /// `None` once the buffer was handed over.
    pins: Option<Pins>,
}

impl<T> Area<T> {
    /// Reserves a buffer of `len` bytes, rounded up, that logs know by `label`.
    ///
    /// Fails with `ESRCH` if the area is not mapped, with `ENOSPC` if there is no room, and with
    /// `ENOMEM`.
    pub(crate) fn reserve(
        self: &Arc<Self>,
        len: usize,
        kind: Kind,
        label: BufferInfo,
    ) -> Result<(Buffer<T>, SpamCheck)> {
        let len = len
            .checked_next_multiple_of(ALIGN)
            .ok_or(EINVAL)?
            .max(ALIGN);
        let (range, load) = self.reserve_range(len, kind, label)?;
        Ok((Buffer::fill(self.clone(), range)?, load))
    }
}

impl<T> Buffer<T> {
    /// Provides the pages of a reserved range, which is given back if that fails.
    fn fill(area: Arc<Area<T>>, range: Range) -> Result<Self> {
        match area.pin(range) {
            Ok(pins) => Ok(Self {
                area,
                range,
                clear: false,
                pins: Some(pins),
            }),
            Err(err) => {
                area.release(range);
                Err(err)
            }
        }
    }

    /// Where the owner of the area sees the buffer.
    pub(crate) fn address(&self) -> u64 {
        (self.area.pages.start() + self.range.offset()) as u64
    }

    /// Bytes from the start of the area.
    pub(crate) fn offset(&self) -> u32 {
        // Areas are smaller than 4 GiB.
        self.range.offset() as u32
    }

    /// What logs and events call the buffer.
    pub(crate) fn label(&self) -> BufferInfo {
        self.area.label(self.range)
    }

    /// Zeroes the bytes when they are given back.
    pub(crate) fn clear_on_drop(&mut self) {
        self.clear = true;
    }

    /// Copies the next `len` bytes of `reader` to `offset`. May sleep.
    pub(crate) fn copy_from_user(
        &mut self,
        offset: usize,
        reader: &mut UserSliceReader,
        len: usize,
    ) -> Result {
        if len == 0 {
            return Ok(());
        }
        let at = self.at(offset, len)?;
        let pins = self.pins.as_ref().ok_or(EINVAL)?;
        self.area.pages.copy_from_user(pins, at, reader, len)
    }

    /// Copies `data` to `offset`.
    pub(crate) fn write(&mut self, offset: usize, data: &[u8]) -> Result {
        if data.is_empty() {
            return Ok(());
        }
        let at = self.at(offset, data.len())?;
        let pins = self.pins.as_ref().ok_or(EINVAL)?;
        self.area.pages.write(pins, at, data)
    }

    /// Lets the owner of the area free the buffer, from which time on `contents` are its own.
    pub(crate) fn hand_over(&mut self, contents: T) {
        if let Some(pins) = self.pins.take() {
            let held = Held {
                pins,
                clear: self.clear,
                contents,
            };
            self.area.hold(self.range, held);
        }
    }

    /// The place in the area of `len` bytes at `offset`, if they are the buffer's.
    fn at(&self, offset: usize, len: usize) -> Result<usize> {
        let end = offset.checked_add(len).ok_or(EINVAL)?;
        if end > self.range.len() {
            return Err(EINVAL);
        }
        Ok(self.range.offset() + offset)
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        if let Some(pins) = self.pins.take() {
            if self.clear {
                self.area.zero(&pins, self.range);
            }
            self.area.unpin(self.range, pins);
            self.area.release(self.range);
        }
    }
}
