// SPDX-License-Identifier: GPL-2.0

//! What one can see of the driver from outside.

pub(crate) mod commands;
pub(crate) mod history;
pub(crate) mod ids;
pub(crate) mod messages;
pub(crate) mod names;
pub(crate) mod objects;
pub(crate) mod report;
pub(crate) mod trace;
