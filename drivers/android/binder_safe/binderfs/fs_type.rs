// SPDX-License-Identifier: GPL-2.0

//! The type that stands for the file system.

/// The file system.
pub(crate) struct Binderfs;
