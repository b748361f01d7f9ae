// SPDX-License-Identifier: GPL-2.0

//! Where the kernel calls us.

pub(crate) mod binderfs;
pub(crate) mod control;
pub(crate) mod dev;
pub(crate) mod device;
pub(crate) mod driver;
pub(crate) mod features;
pub(crate) mod file;
pub(crate) mod first;
pub(crate) mod ioctl;
pub(crate) mod logs;
pub(crate) mod minors;
pub(crate) mod mount;
pub(crate) mod names;
pub(crate) mod options;
pub(crate) mod param;
pub(crate) mod slots;
pub(crate) mod write_read;
