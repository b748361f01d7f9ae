// SPDX-License-Identifier: GPL-2.0

//! The parameter `devices` (`binder.devices` on the command line of the kernel).
//!
//! It names the devices that each mount has from the start. If it is given, instead of left to the
//! configuration, there are nodes with the same names in `/dev` as well.

use super::names;
use crate::module_parameters;
use kernel::{
    prelude::*,
    str::CString, //
};

/// Whether somebody has given the parameter.
pub(crate) fn is_given() -> bool {
    module_parameters::devices.is_set()
}

/// The names, or those that the kernel was configured with.
///
/// A mistake in one costs that one alone, since a system that boots with it should still have
/// Binder. It is told, since nobody is there to read an error code.
pub(crate) fn devices() -> Result<KVec<CString>> {
    names::usable(module_parameters::devices.value_ref(), |name, why| {
        pr_err!("no device \"{name}\" of the parameter devices=: {why}\n");
    })
}
