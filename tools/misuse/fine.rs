// SPDX-License-Identifier: GPL-2.0

//! What is used as it is meant to be compiles: the others do not fail for want of something else.

#![allow(missing_docs)]

use kernel::{
    cred::Credential,
    fs::file::{DescriptorBatch, IoctlFile, UncountedFile},
    mm::page_area::PageArea,
    prelude::*,
    sync::{
        aref::ARef,
        lock::{spinlock::SpinLockBackend, Guard},
        ExclusiveCell,
    },
    uaccess::UserSliceReader,
};

pub fn open(file: &UncountedFile) -> ARef<Credential> {
    file.cred().into()
}

pub fn ioctl(file: &IoctlFile<'_>, reader: &mut UserSliceReader) -> Result {
    let mut batch = DescriptorBatch::new();
    batch.reserve(file.fget(reader.read_obj()?)?)?;
    batch.install();
    Ok(())
}

pub fn send(area: &PageArea) -> Result {
    let pins = area.pin(0, 1)?;
    let written = area.write(&pins, 0, &[1]);
    area.unpin(pins);
    written
}

pub fn wait(guard: Guard<'_, u32, SpinLockBackend>) -> u32 {
    let before: u32 = *guard;
    let _ = guard.sleep_interruptible_freezable();
    before
}

pub fn enter(cell: &ExclusiveCell<u32>) -> Option<u32> {
    cell.try_borrow_mut().map(|guard| *guard)
}
