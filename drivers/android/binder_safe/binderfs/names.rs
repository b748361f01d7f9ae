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

/// Whether a device can have each of these names, in a mount and in `/dev`.
pub(crate) fn are_usable(names: &[CString]) -> Result {
    for (index, name) in names.iter().enumerate() {
        let bytes = name.to_bytes();
        if matches!(bytes, b"." | b"..") || bytes.iter().any(|&byte| !is_plain(byte)) {
            return Err(EINVAL);
        }
        if names[..index].iter().any(|other| other.to_bytes() == bytes) {
            return Err(EEXIST);
        }
    }
    Ok(())
}

/// Whether `/proc/mounts` and a path can have this byte in a name.
pub(crate) fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\\#/".contains(&byte)
}
