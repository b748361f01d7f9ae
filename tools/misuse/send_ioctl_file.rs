// SPDX-License-Identifier: GPL-2.0

//! The file of an ioctl call stands for what its thread does not do: it stays on it.
//!
//! error: E0277

#![allow(missing_docs)]

use kernel::fs::file::IoctlFile;

fn other_thread<T: Send>(_: T) {}

pub fn ioctl(file: IoctlFile<'static>) {
    other_thread(file);
}
