// SPDX-License-Identifier: GPL-2.0

//! Lists of device names.

use super::control::MAX_NAME;
use kernel::{
    prelude::*,
    str::CString, //
};

/// The names in `list`, which stand between separators. What is empty is left out.
///
/// Fails with `E2BIG` if a name is too long.
pub(crate) fn split(list: &str, separators: &[char]) -> Result<KVec<CString>> {
    let mut names = KVec::new();
    for name in list.split(separators).filter(|name| !name.is_empty()) {
        if name.len() > MAX_NAME {
            return Err(E2BIG);
        }
        names.push(CString::try_from_fmt(fmt!("{name}"))?, GFP_KERNEL)?;
    }
    Ok(names)
}
