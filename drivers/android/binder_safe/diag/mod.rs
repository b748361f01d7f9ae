// SPDX-License-Identifier: GPL-2.0

//! What one can see of the driver from outside.

pub(crate) mod ids;
pub(crate) mod report;
