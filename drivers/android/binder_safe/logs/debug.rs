// SPDX-License-Identifier: GPL-2.0

//! The logs in debugfs, about all mounts and the devices outside of them.

use super::{
    files::{
        Place,
        ProcessFiles,
        MODE, //
    },
    LogFile,
    FILES, //
};
use crate::context::{
    global::Global,
    instance::OpenObserver, //
};
use kernel::{
    debugfs,
    prelude::*,
    sync::Arc,
    task::Pid, //
};

/// `proc` of the directory.
struct DebugPlace(debugfs::Dir);

/// A file in debugfs, which goes when this is dropped.
type DebugFile = Pin<KBox<debugfs::File<LogFile>>>;

impl Place for DebugPlace {
    type Key<'a> = ();
    type File = DebugFile;

    fn add(&self, _key: (), name: &CStr, log: LogFile) -> Result<DebugFile> {
        debug_file(&self.0, name, log)
    }

    fn remove(&self, _key: (), _name: &CStr, file: DebugFile) {
        drop(file);
    }
}

fn debug_file(dir: &debugfs::Dir, name: &CStr, log: LogFile) -> Result<DebugFile> {
    KBox::pin_init(dir.seq_file::<LogFile, MODE, _>(name, log), GFP_KERNEL)
}

impl OpenObserver for ProcessFiles<DebugPlace> {
    fn opens(&self, pid: Pid) -> Result {
        self.open((), pid)
    }

    fn closed(&self, pid: Pid) {
        self.close((), pid);
    }
}

/// The directory `binder` in debugfs.
pub(crate) struct DebugLogs {
    processes: Arc<ProcessFiles<DebugPlace>>,
    _files: KVec<DebugFile>,
}

impl DebugLogs {
    /// Makes the directory.
    pub(crate) fn new(global: &Arc<Global>) -> Result<Self> {
        let dir = debugfs::Dir::new(c"binder");
        let mut files = KVec::with_capacity(FILES.len(), GFP_KERNEL)?;
        for (name, log) in FILES {
            let global = global.clone();
            let file = debug_file(&dir, name, LogFile { global, log })?;
            files.push_within_capacity(file)?;
        }
        Ok(Self {
            processes: ProcessFiles::new(DebugPlace(dir.subdir(c"proc")), global)?,
            _files: files,
        })
    }

    /// Who makes and removes the files of thread groups.
    pub(crate) fn watcher(&self) -> Arc<dyn OpenObserver> {
        self.processes.clone()
    }
}
