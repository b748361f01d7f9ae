// SPDX-License-Identifier: GPL-2.0

//! The file operations of a device.

pub(crate) mod ioctl;
pub(crate) mod write_read;

use self::ioctl::dispatch;
use crate::{
    binderfs::device::Device,
    diag::{
        messages,
        trace, //
    },
    logs::mounted,
    process::{
        teardown::release_process,
        Process, //
    }, //
};
use kernel::{
    fmt::Arguments,
    fs::{
        file::{
            IoctlFile,
            LocalFile,
            Operations,
            PollEvents,
            UncountedFile, //
        },
        File, //
    },
    mm::virt::VmaNew,
    prelude::*,
    sync::{
        poll::PollTable,
        Arc,
        ArcBorrow, //
    },
    task::Pid, //
};

/// Says what the current thread does with a device that is, or will be, open in thread group `pid`.
fn tell(pid: Pid, what: Arguments<'_>) {
    messages::About::OpenClose.tell((pid, current!().pid()), what);
}

/// A device through which processes talk.
pub(crate) struct DeviceFile;

#[vtable]
impl Operations for DeviceFile {
    type Ptr = Arc<Process>;
    type Context = Device;

    fn open(device: &Device, file: &UncountedFile) -> Result<Arc<Process>> {
        let pid = current!().group_leader().pid();
        mounted::open(file, pid)?;
        let opened = Process::new(device.context.clone(), file);
        if opened.is_err() {
            mounted::close(file, pid);
        }
        tell(pid, fmt!("opens {}", &*device.context.name));
        opened
    }

    fn release(process: Arc<Process>, file: &UncountedFile) {
        let pid = process.pid;
        tell(pid, fmt!("closes {}", &*process.context.name));
        release_process(&process);
        mounted::close(file, pid);
    }

    fn flush(process: ArcBorrow<'_, Process>, _file: &LocalFile) -> Result {
        process.interrupt_reads();
        Ok(())
    }

    fn poll(process: ArcBorrow<'_, Process>, file: &File, table: PollTable<'_>) -> PollEvents {
        process.poll(file, &table).unwrap_or(PollEvents::ERR)
    }

    fn mmap(process: ArcBorrow<'_, Process>, _file: &File, vma: &VmaNew) -> Result {
        process.area.map(vma)?;
        let (size, device) = (process.area.size(), &*process.context.name);
        tell(process.pid, fmt!("maps {size} bytes of {device}"));
        Ok(())
    }

    fn ioctl(
        process: ArcBorrow<'_, Process>,
        file: &IoctlFile<'_>,
        cmd: u32,
        arg: usize,
    ) -> Result<isize> {
        trace::Ioctl::trace(|| trace::Ioctl { cmd, arg });
        let result = dispatch(&process, file, cmd, arg);
        trace::IoctlDone::with(&result);
        result.map(|()| 0)
    }
}
