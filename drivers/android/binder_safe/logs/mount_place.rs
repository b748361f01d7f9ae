// SPDX-License-Identifier: GPL-2.0

//! The directory with the log files of processes in a mount.

use super::{
    files::{
        Place,
        MODE, //
    },
    LogFile, //
};
use crate::binderfs::fs_type::Binderfs;
use kernel::{
    fs::pseudo::{
        DirHandle,
        SuperBlock, //
    },
    prelude::*, //
};

/// `binder_logs/proc` of a mount.
pub(crate) struct MountPlace(DirHandle<Binderfs>);

impl MountPlace {
    /// The directory.
    pub(super) fn new(dir: DirHandle<Binderfs>) -> Self {
        Self(dir)
    }
}

impl Place for MountPlace {
    type Key<'a> = &'a SuperBlock<Binderfs>;
    type File = ();

    fn add(&self, sb: &SuperBlock<Binderfs>, name: &CStr, log: LogFile) -> Result {
        let dir = self.0.get(sb).ok_or(ENOENT)?;
        dir.create_seq_file::<LogFile>(name, MODE, log)
    }

    fn remove(&self, sb: &SuperBlock<Binderfs>, name: &CStr, _file: ()) {
        if let Some(dir) = self.0.get(sb) {
            let _ = dir.remove(name);
        }
    }
}
