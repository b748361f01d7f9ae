// SPDX-License-Identifier: GPL-2.0

//! A function that returns an integer where C has an enum is another one for CFI: the kernel stops
//! when C calls it.
//!
//! error: E0308

#![allow(missing_docs)]

use kernel::{bindings, ffi::c_int};

/// # Safety
///
/// None.
pub unsafe extern "C" fn print(
    _: *mut bindings::trace_iterator,
    _: c_int,
    _: *mut bindings::trace_event,
) -> c_int {
    1
}

pub fn functions() -> bindings::trace_event_functions {
    bindings::trace_event_functions {
        trace: Some(print),
        raw: None,
        hex: None,
        binary: None,
    }
}
