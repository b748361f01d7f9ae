// SPDX-License-Identifier: GPL-2.0

//! Log files, and which thread groups have one of their own.
//!
//! A thread group has a file from the first time that it opens a device until it has closed all.

use super::{
    Log,
    LogFile, //
};
use crate::object::shared::Shared;
use kernel::{
    fmt::{
        self,
        Write, //
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
pub(super) const MODE: u16 = 0o444;

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

/// The files of one place for thread groups that have a device open.
#[pin_data]
pub(crate) struct ProcessFiles<P: Place> {
    place: P,
    shared: Arc<Shared>,
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

impl<P: Place> ProcessFiles<P> {
    /// There are no files yet.
    pub(super) fn new(place: P, shared: &Arc<Shared>) -> Result<Arc<Self>> {
        let shared = shared.clone();
        let init = pin_init!(Self {
            place,
            shared,
            opens <- new_mutex!(KVVec::new(), "ProcessFiles::opens"),
        });
        Arc::pin_init(init, GFP_KERNEL)
    }

    /// A thread group opens a device. It can do so without a log, but not without being counted.
    pub(super) fn open(&self, key: P::Key<'_>, pid: Pid) -> Result {
        let mut opens = self.opens.lock();
        if let Some(open) = opens.iter_mut().find(|open| open.pid == pid) {
            open.count += 1;
            return Ok(());
        }
        opens.reserve(1, GFP_KERNEL)?;
        let name = CString::try_from_fmt(fmt!("{pid}"))?;
        let log = LogFile {
            shared: self.shared.clone(),
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
    pub(super) fn close(&self, key: P::Key<'_>, pid: Pid) {
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
