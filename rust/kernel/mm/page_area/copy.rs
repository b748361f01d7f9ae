// SPDX-License-Identifier: GPL-2.0

//! Filling the pages of an area.

use super::{
    PageArea,
    Pins, //
};
use crate::{
    bindings,
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    uaccess::UserSliceReader, //
};

/// A page of an area while it is mapped into the kernel, by this task.
///
/// # Invariants
///
/// `address` is the result of `kmap_local_page` for a page that is pinned, and this is the latest
/// such mapping of the task that exists.
struct LocalMap {
    address: *mut c_void,
}

impl LocalMap {
    /// Maps a page.
    ///
    /// # Safety
    ///
    /// `page` must stay for as long as the mapping exists, and mappings must be dropped in the
    /// reverse of the order in which they were made.
    unsafe fn new(page: *mut bindings::page) -> Self {
        // INVARIANT: The caller promises that the page stays, and that this mapping is dropped
        // before earlier ones.
        Self {
            // SAFETY: The caller promises that `page` is valid.
            address: unsafe { bindings::kmap_local_page(page) },
        }
    }
}

impl Drop for LocalMap {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, `address` is the latest mapping of this task.
        unsafe { bindings::kunmap_local(self.address) };
    }
}

impl PageArea {
    /// Copies `len` bytes from user memory to the byte `offset` of the area.
    ///
    /// Fails with [`EINVAL`] if a byte is outside the pages of `pins` or `pins` is of another area,
    /// and with [`EFAULT`] if the memory cannot be read or `reader` has less than `len` bytes.
    /// After an error an unspecified part was copied.
    ///
    /// May sleep, since the user memory may have to be paged in.
    pub fn copy_from_user(
        &self,
        pins: &Pins,
        offset: usize,
        reader: &mut UserSliceReader,
        len: usize,
    ) -> Result {
        self.for_each_chunk(pins, offset, len, |to, _, n| {
            // SAFETY: `for_each_chunk` says that `to` is valid for writing `n` bytes.
            unsafe { reader.read_to_ptr(to, n) }
        })
    }

    /// Copies `data` to the byte `offset` of the area.
    ///
    /// Fails with [`EINVAL`] if a byte is outside the pages of `pins` or `pins` is of another area.
    /// Does not sleep.
    pub fn write(&self, pins: &Pins, offset: usize, data: &[u8]) -> Result {
        self.for_each_chunk(pins, offset, data.len(), |to, done, n| {
            let from = data[done..done + n].as_ptr();
            // SAFETY: `for_each_chunk` says that `to` is valid for writing `n` bytes, and `from`
            // was just made from a slice of `n` bytes. Others may access the page at the same time:
            // this is the `memcpy` of C, whose accesses count as volatile.
            unsafe { bindings::memcpy(to, from.cast(), n) };
            Ok(())
        })
    }

    /// Fills `len` bytes from the byte `offset` of the area on with zeroes.
    ///
    /// Fails with [`EINVAL`] if a byte is outside the pages of `pins` or `pins` is of another area.
    /// Does not sleep.
    pub fn zero(&self, pins: &Pins, offset: usize, len: usize) -> Result {
        self.for_each_chunk(pins, offset, len, |to, _, n| {
            // SAFETY: `for_each_chunk` says that `to` is valid for writing `n` bytes. Others may
            // access the page at the same time: this is the `memset` of C, whose accesses count as
            // volatile.
            unsafe { bindings::memset(to, 0, n) };
            Ok(())
        })
    }

    /// Calls `f` for each part of `offset..offset + len` that is in one page.
    ///
    /// `f` gets a pointer that is valid for writing during the call, how many bytes came before
    /// this part, and the number of bytes in it. Other tasks and user space may access the same
    /// bytes meanwhile, so `f` must not make a reference to them.
    #[inline]
    fn for_each_chunk(
        &self,
        pins: &Pins,
        offset: usize,
        len: usize,
        mut f: impl FnMut(*mut c_void, usize, usize) -> Result,
    ) -> Result {
        let slots = self.pinned_slots(pins);
        let start = offset.checked_sub(pins.range().start << PAGE_SHIFT);
        let start = start.ok_or(EINVAL)?;
        let end = start.checked_add(len).ok_or(EINVAL)?;
        if end > slots.len() << PAGE_SHIFT {
            return Err(EINVAL);
        }
        let mut at = start;
        while at < end {
            let in_page = at % PAGE_SIZE;
            let n = (PAGE_SIZE - in_page).min(end - at);
            // SAFETY: The slot is one of those that are pinned while `pins` is borrowed. The
            // mapping is dropped at the end of the block.
            let map = unsafe { LocalMap::new(slots[at >> PAGE_SHIFT].page()) };
            // SAFETY: `in_page` is less than the size of the page that is mapped.
            f(unsafe { map.address.byte_add(in_page) }, at - start, n)?;
            at += n;
        }
        Ok(())
    }
}
