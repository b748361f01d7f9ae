// SPDX-License-Identifier: GPL-2.0

//! Boots a kernel in QEMU.

pub mod shell;
