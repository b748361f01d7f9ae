// SPDX-License-Identifier: GPL-2.0

//! The devices that a mount has from the start, where the mount options tell.

use super::{
    device::Access,
    driver::Driver,
    names, //
};
use kernel::{
    fs::pseudo::Owner,
    prelude::*,
    seq_file::{
        seq_print,
        SeqFile, //
    },
    str::CString,
    sync::Arc, //
};

/// What the mount options tell. The rest is as in mounts without options.
#[derive(Clone, Default)]
pub(crate) struct First {
    names: Option<Arc<KVec<CString>>>,
    mode: Option<u16>,
    /// Numbers of the user namespace in which the mount is made.
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
}

impl First {
    /// Takes the value of `devices=`.
    ///
    /// The `mount` command splits its options at commas, so colons may stand between the names,
    /// too. What `/proc/mounts` could not show plainly is refused.
    pub(crate) fn set_names(&mut self, list: &CStr) -> Result {
        if !list.to_bytes().iter().all(|&byte| names::is_plain(byte)) {
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

    /// Who may use them.
    pub(crate) fn access(&self) -> Access {
        let usual = Access::default();
        Access {
            mode: self.mode.unwrap_or(usual.mode),
            owner: Owner {
                uid: self.uid.unwrap_or(usual.owner.uid),
                gid: self.gid.unwrap_or(usual.owner.gid),
            },
        }
    }

    /// Whether a remount with these options would have to change what `self` has made.
    pub(crate) fn differs(&self, other: &Self) -> bool {
        let mode = changes(self.mode, other.mode);
        let owner = changes(self.uid, other.uid) || changes(self.gid, other.gid);
        let names = match (&self.names, &other.names) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(mine), Some(others)) => !equal(mine, others),
        };
        mode || owner || names
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
        if let Some(uid) = self.uid {
            seq_print!(m, ",uid={uid}");
        }
        if let Some(gid) = self.gid {
            seq_print!(m, ",gid={gid}");
        }
    }
}

/// Whether an option of a remount asks for something new.
fn changes<T: PartialEq>(mine: Option<T>, other: Option<T>) -> bool {
    other.is_some() && other != mine
}

fn equal(some: &[CString], others: &[CString]) -> bool {
    let some = some.iter().map(|name| name.to_bytes());
    some.eq(others.iter().map(|name| name.to_bytes()))
}
