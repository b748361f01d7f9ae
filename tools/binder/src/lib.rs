// SPDX-License-Identifier: GPL-2.0

//! What the programs in the VM need to talk to a Binder driver.

pub mod endpoint;
pub mod proto;
pub mod slab;
pub mod sys;
