// SPDX-License-Identifier: GPL-2.0

//! The devices that a mount has from the start, where the mount options tell.

use super::{
    driver::Driver,
    names, //
};
use kernel::{
    prelude::*,
    seq_file::{
        seq_print,
        SeqFile, //
    },
    str::CString,
    sync::Arc, //
};

/// The permission bits of devices, unless the mount options tell.
pub(crate) const MODE: u16 = 0o600;

/// What the mount options tell. The rest is as in mounts without options.
#[derive(Clone, Default)]
pub(crate) struct First {
    names: Option<Arc<KVec<CString>>>,
    mode: Option<u16>,
}

impl First {
    /// Takes the value of `devices=`.
    ///
    /// The `mount` command splits its options at commas, so colons may stand between the names,
    /// too. What `/proc/mounts` could not show plainly is refused.
    pub(crate) fn set_names(&mut self, list: &CStr) -> Result {
        let plain = |byte: &u8| byte.is_ascii_graphic() && !b"\\#/".contains(byte);
        if !list.to_bytes().iter().all(plain) {
            return Err(EINVAL);
        }
        let names = names::split(list.to_str()?, &[',', ':'])?;
        if names.is_empty() {
            return Err(EINVAL);
        }
        self.names = Some(Arc::new(names, GFP_KERNEL)?);
        Ok(())
    }

    /// Takes the value of `mode=`.
    pub(crate) fn set_mode(&mut self, mode: u32) -> Result {
        if mode > 0o777 {
            return Err(EINVAL);
        }
        self.mode = Some(mode as u16);
        Ok(())
    }

    /// The names of the devices.
    pub(crate) fn names<'a>(&'a self, driver: &'a Driver) -> &'a [CString] {
        match &self.names {
            Some(names) => names,
            None => driver.first_devices(),
        }
    }

    /// Their permission bits.
    pub(crate) fn mode(&self) -> u16 {
        self.mode.unwrap_or(MODE)
    }

    /// Whether a remount with these options would have to change what `self` has made.
    pub(crate) fn differs(&self, other: &Self) -> bool {
        let mode = other.mode.is_some() && other.mode != self.mode;
        let names = match (&self.names, &other.names) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(mine), Some(others)) => !equal(mine, others),
        };
        mode || names
    }

    /// Prints them for `/proc/mounts`.
    pub(crate) fn show(&self, m: &SeqFile) {
        if let Some(names) = &self.names {
            let mut before = ",devices=";
            for name in names.iter() {
                seq_print!(m, "{before}{}", &**name);
                before = ":";
            }
        }
        if let Some(mode) = self.mode {
            seq_print!(m, ",mode={mode:o}");
        }
    }
}

fn equal(some: &[CString], others: &[CString]) -> bool {
    let some = some.iter().map(|name| name.to_bytes());
    some.eq(others.iter().map(|name| name.to_bytes()))
}
