// SPDX-License-Identifier: GPL-2.0

//! Kernel resources, owned by values that give them back when dropped.

pub(crate) mod area;
pub(crate) mod buffer;
pub(crate) mod watch;
