// SPDX-License-Identifier: GPL-2.0

//! Lists of device names.

use super::control::MAX_NAME;
use kernel::{
    prelude::*,
    str::{
        BStr,
        CString, //
    }, //
};

/// The files that each mount has besides devices.
const FILES: [&[u8]; 3] = [b"binder-control", b"features", b"binder_logs"];

/// The names in `list`, which stand between separators. Empty ones are left out.
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

/// Those names in `list`, separated by commas, that devices can have in a mount and in `/dev`.
///
/// `refuse` is told of each other one, and why it is left out.
pub(crate) fn usable(list: &[u8], refuse: impl Fn(&BStr, &str)) -> Result<KVec<CString>> {
    let mut names: KVec<CString> = KVec::new();
    for entry in list.split(|&byte| byte == b',') {
        let name = BStr::from_bytes(entry);
        if entry.is_empty() {
            continue;
        }
        if let Some(why) = fault(entry) {
            refuse(name, why);
        } else if names.iter().any(|other| other.to_bytes() == entry) {
            refuse(name, "it is there twice");
        } else {
            names.push(CString::try_from_fmt(fmt!("{name}"))?, GFP_KERNEL)?;
        }
    }
    Ok(names)
}

/// Why no device can have this name, if that is so.
fn fault(name: &[u8]) -> Option<&'static str> {
    if name.len() > MAX_NAME {
        Some("it is too long")
    } else if matches!(name, b"." | b"..") || FILES.contains(&name) {
        Some("each mount has something else of that name")
    } else if !name.iter().all(|&byte| is_plain(byte)) {
        Some("it has a character that names cannot have")
    } else {
        None
    }
}

/// Whether `/proc/mounts` and a path can have this byte in a name.
pub(crate) fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\\#/".contains(&byte)
}
