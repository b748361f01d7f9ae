// SPDX-License-Identifier: GPL-2.0

//! Where the log files are: `binder_logs` of mounts that ask for it, and debugfs.
//!
//! Besides the fixed files there is one for each thread group that has a device open, from the
//! first time that it opens one until it has closed all.

use super::{
    Log,
    LogFile,
    FILES, //
};
use crate::{
    entry::{
        binderfs::Binderfs,
        mount::Mount, //
    },
    object::shared::Shared,
};
use kernel::{
    debugfs,
    fmt::{
        self,
        Write, //
    },
    fs::{
        file::UncountedFile,
        pseudo::{
            Dir,
            DirHandle,
            SuperBlock, //
        }, //
    },
    new_mutex,
    prelude::*,
    seq_file::{
        SeqFile,
        SeqShow, //
    },
    str::CString,
    sync::{
        Arc,
        Mutex, //
    },
    task::Pid, //
};

/// Everybody who can reach a log may read it.
const MODE: u16 = 0o444;

#[vtable]
impl SeqShow for LogFile {
    type Data = LogFile;

    fn show(log: &LogFile, m: &SeqFile) -> Result {
        log.print(&mut SeqWriter(m))
    }
}

/// Prints to a seq file.
struct SeqWriter<'a>(&'a SeqFile);

impl Write for SeqWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.call_printf(fmt!("{text}"));
        Ok(())
    }

    fn write_fmt(&mut self, args: fmt::Arguments<'_>) -> fmt::Result {
        self.0.call_printf(args);
        Ok(())
    }
}

/// The files of one place for thread groups that have a device open.
#[pin_data]
pub(crate) struct ProcessFiles<P: Place> {
    place: P,
    #[pin]
    opens: Mutex<KVVec<Opens<P::File>>>,
}

/// How often a thread group has opened devices.
struct Opens<F> {
    pid: Pid,
    count: usize,
    /// Its file, if that could be made.
    file: Option<F>,
}

/// A directory with one file for each thread group.
pub(crate) trait Place {
    /// What must be at hand to reach the directory.
    type Key<'a>: Copy;
    /// What stands for a file, which is there as long as this.
    type File;

    /// Makes a file.
    fn add(&self, key: Self::Key<'_>, name: &CStr, log: LogFile) -> Result<Self::File>;

    /// Removes a file.
    fn remove(&self, key: Self::Key<'_>, name: &CStr, file: Self::File);
}

impl<P: Place> ProcessFiles<P> {
    fn new(place: P) -> Result<Arc<Self>> {
        let init = pin_init!(Self {
            place,
            opens <- new_mutex!(KVVec::new(), "ProcessFiles::opens"),
        });
        Arc::pin_init(init, GFP_KERNEL)
    }

    /// A thread group opens a device. It can do so without a log, but not without being counted.
    fn open(&self, key: P::Key<'_>, pid: Pid, shared: &Arc<Shared>) -> Result {
        let mut opens = self.opens.lock();
        if let Some(open) = opens.iter_mut().find(|open| open.pid == pid) {
            open.count += 1;
            return Ok(());
        }
        opens.reserve(1, GFP_KERNEL)?;
        let name = CString::try_from_fmt(fmt!("{pid}"))?;
        let log = LogFile {
            shared: shared.clone(),
            log: Log::Process(pid),
        };
        let open = Opens {
            pid,
            count: 1,
            file: self.place.add(key, &name, log).ok(),
        };
        // There is room, so this cannot fail.
        let _ = opens.push_within_capacity(open);
        Ok(())
    }

    /// A thread group has closed a device.
    fn close(&self, key: P::Key<'_>, pid: Pid) {
        let mut opens = self.opens.lock();
        let Some(index) = opens.iter().position(|open| open.pid == pid) else {
            return;
        };
        opens[index].count -= 1;
        if opens[index].count > 0 {
            return;
        }
        let Ok(open) = opens.remove(index) else {
            return;
        };
        if let (Some(file), Ok(name)) = (open.file, CString::try_from_fmt(fmt!("{pid}"))) {
            self.place.remove(key, &name, file);
        }
    }
}

/// `binder_logs/proc` of a mount.
pub(crate) struct MountPlace(DirHandle<Binderfs>);

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

/// `proc` of the directory in debugfs.
pub(crate) struct DebugPlace(debugfs::Dir);

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
    let print = &|log: &LogFile, f: &mut fmt::Formatter<'_>| log.print(f).map_err(|_| fmt::Error);
    KBox::pin_init(dir.read_callback_file(name, log, print), GFP_KERNEL)
}

/// The directory `binder` in debugfs.
pub(crate) struct DebugLogs {
    processes: Arc<ProcessFiles<DebugPlace>>,
    _files: KVec<DebugFile>,
}

impl DebugLogs {
    /// Makes the directory.
    pub(crate) fn new(shared: &Arc<Shared>) -> Result<Self> {
        let dir = debugfs::Dir::new(c"binder");
        let mut files = KVec::with_capacity(FILES.len(), GFP_KERNEL)?;
        for (name, log) in FILES {
            let shared = shared.clone();
            let file = debug_file(&dir, name, LogFile { shared, log })?;
            files.push_within_capacity(file)?;
        }
        Ok(Self {
            processes: ProcessFiles::new(DebugPlace(dir.subdir(c"proc")))?,
            _files: files,
        })
    }
}

/// Makes the directory `binder_logs` of a mount.
pub(crate) fn add_logs(root: &Dir<'_, Binderfs>, mount: &Mount) -> Result {
    let shared = &mount.driver.shared;
    let dir = root.mkdir(c"binder_logs", 0o755)?;
    for (name, log) in FILES {
        let shared = shared.clone();
        dir.create_seq_file::<LogFile>(name, MODE, LogFile { shared, log })?;
    }
    let processes = dir.mkdir(c"proc", 0o755)?.keep()?;
    mount
        .process_logs
        .populate(ProcessFiles::new(MountPlace(processes))?);
    Ok(())
}

/// The thread group `pid` opens a device of a mount.
pub(crate) fn open(file: &UncountedFile, pid: Pid) -> Result {
    let Some(sb) = SuperBlock::<Binderfs>::of_file(file) else {
        return Ok(());
    };
    let mount = sb.data();
    let debug = &mount.driver.debug_logs.processes;
    debug.open((), pid, &mount.driver.shared)?;
    if let Some(logs) = mount.process_logs.as_ref() {
        let opened = logs.open(sb, pid, &mount.driver.shared);
        if opened.is_err() {
            debug.close((), pid);
            return opened;
        }
    }
    Ok(())
}

/// The thread group `pid` has closed a device of a mount.
pub(crate) fn close(file: &UncountedFile, pid: Pid) {
    let Some(sb) = SuperBlock::<Binderfs>::of_file(file) else {
        return;
    };
    let mount = sb.data();
    if let Some(logs) = mount.process_logs.as_ref() {
        logs.close(sb, pid);
    }
    mount.driver.debug_logs.processes.close((), pid);
}
