// SPDX-License-Identifier: GPL-2.0

//! Log files, and which thread groups have one of their own.
//!
//! A thread group has a file from the first time that it opens a device until it has closed all.

use super::{
    Log,
    LogFile, //
};
use crate::context::global::Global;
use kernel::{
    fmt::{
        self,
        Write, //
    },
    new_mutex,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNodeReservation, //
    },
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
    type File: Unpin;

    /// Makes a file.
    fn add(&self, key: Self::Key<'_>, name: &CStr, log: LogFile) -> Result<Self::File>;

    /// Removes a file.
    fn remove(&self, key: Self::Key<'_>, name: &CStr, file: Self::File);
}

/// The files of one place for thread groups that have a device open.
#[pin_data]
pub(crate) struct ProcessFiles<P: Place> {
    place: P,
    global: Arc<Global>,
    #[pin]
    opens: Mutex<RBTree<Pid, Opens<P::File>>>,
}

/// How often a thread group has opened devices.
struct Opens<F> {
    count: usize,
    /// Its file, if that could be made.
    file: Option<F>,
}

impl<P: Place> ProcessFiles<P> {
    /// There are no files yet.
    pub(super) fn new(place: P, global: &Arc<Global>) -> Result<Arc<Self>> {
        let global = global.clone();
        let init = pin_init!(Self {
            place,
            global,
            opens <- new_mutex!(RBTree::new(), "ProcessFiles::opens"),
        });
        Arc::pin_init(init, GFP_KERNEL)
    }

    /// A thread group opens a device. It can do so without a log, but not without being counted.
    pub(super) fn open(&self, key: P::Key<'_>, pid: Pid) -> Result {
        let mut opens = self.opens.lock();
        if let Some(open) = opens.get_mut(&pid) {
            open.count += 1;
            return Ok(());
        }
        let room = RBTreeNodeReservation::new(GFP_KERNEL)?;
        let name = CString::try_from_fmt(fmt!("{pid}"))?;
        let log = LogFile {
            global: self.global.clone(),
            log: Log::Process(pid),
        };
        let open = Opens {
            count: 1,
            file: self.place.add(key, &name, log).ok(),
        };
        opens.insert(room.into_node(pid, open));
        Ok(())
    }

    /// A thread group has closed a device.
    pub(super) fn close(&self, key: P::Key<'_>, pid: Pid) {
        let mut opens = self.opens.lock();
        match opens.get_mut(&pid) {
            Some(open) if open.count > 1 => {
                open.count -= 1;
                return;
            }
            _ => {}
        }
        let Some(open) = opens.remove(&pid) else {
            return;
        };
        if let (Some(file), Ok(name)) = (open.file, CString::try_from_fmt(fmt!("{pid}"))) {
            self.place.remove(key, &name, file);
        }
    }
}
