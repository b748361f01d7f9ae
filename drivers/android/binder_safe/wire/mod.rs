// SPDX-License-Identifier: GPL-2.0

//! The wire: the structures, commands and returns that user space and the driver exchange.

pub(crate) mod command;
pub(crate) mod object;
pub(crate) mod returns;
pub(crate) mod structs;
