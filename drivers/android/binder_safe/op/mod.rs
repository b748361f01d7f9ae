// SPDX-License-Identifier: GPL-2.0

//! What Binder does, one operation a file.

pub(crate) mod deliver;
mod draft;
mod files;
pub(crate) mod finish;
pub(crate) mod free;
pub(crate) mod freeze;
pub(crate) mod gather;
pub(crate) mod looper;
pub(crate) mod manager;
pub(crate) mod nice;
pub(crate) mod payload;
pub(crate) mod read;
pub(crate) mod refs;
pub(crate) mod reply;
pub(crate) mod send;
pub(crate) mod subscribe;
pub(crate) mod teardown;
pub(crate) mod translate;
