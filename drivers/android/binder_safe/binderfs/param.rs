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
/// A mistake is told, since nobody is there to read the error code of a driver that is built in.
pub(crate) fn devices() -> Result<KVec<CString>> {
    let list = module_parameters::devices.value_ref();
    let parsed = core::str::from_utf8(list)
        .map_err(|_| EINVAL)
        .and_then(|list| names::split(list, &[',']))
        .and_then(|list| names::are_usable(&list).map(|()| list));
    parsed.inspect_err(|err| {
        if *err != ENOMEM {
            pr_err!("the parameter devices= must be different names with commas between them\n");
        }
    })
}
