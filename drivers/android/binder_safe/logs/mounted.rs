// SPDX-License-Identifier: GPL-2.0

//! `binder_logs`, the directory with the logs in mounts that ask for it.

use super::{
    files::{
        ProcessFiles,
        MODE, //
    },
    mount_place::MountPlace,
    LogFile,
    FILES, //
};
use crate::binderfs::{
    fs_type::Binderfs,
    mount::Mount, //
};
use kernel::{
    fs::{
        file::UncountedFile,
        pseudo::{
            Dir,
            SuperBlock, //
        }, //
    },
    prelude::*,
    task::Pid, //
};

/// Makes the directory in a mount.
pub(crate) fn add_logs(root: &Dir<'_, Binderfs>, mount: &Mount) -> Result {
    let global = &mount.driver.global;
    let dir = root.mkdir(c"binder_logs", 0o755)?;
    for (name, log) in FILES {
        let global = global.clone();
        dir.create_seq_file::<LogFile>(name, MODE, LogFile { global, log })?;
    }
    let processes = dir.mkdir(c"proc", 0o755)?.handle();
    mount
        .process_logs
        .populate(ProcessFiles::new(MountPlace::new(processes), global)?);
    Ok(())
}

/// The thread group `pid` opens a device, which is perhaps one of a mount with logs.
pub(crate) fn open(file: &UncountedFile, pid: Pid) -> Result {
    match of(file) {
        Some((sb, logs)) => logs.open(sb, pid),
        None => Ok(()),
    }
}

/// The thread group `pid` has closed a device.
pub(crate) fn close(file: &UncountedFile, pid: Pid) {
    if let Some((sb, logs)) = of(file) {
        logs.close(sb, pid);
    }
}

/// The mount of a file and its log files of processes, if it has logs.
fn of(file: &UncountedFile) -> Option<(&SuperBlock<Binderfs>, &ProcessFiles<MountPlace>)> {
    let sb = SuperBlock::<Binderfs>::of_file(file)?;
    Some((sb, sb.data().process_logs.as_ref()?))
}
