// SPDX-License-Identifier: GPL-2.0

//! The file operations of a device.

use super::{
    device::Device,
    ioctl::dispatch,
    logs::mounted, //
};
use crate::{
    diag::{
        messages,
        trace, //
    },
    object::process::Process,
    op::teardown::release_process, //
};
use kernel::{
    fs::{
        file::{
            IoctlFile,
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
    }, //
};

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
        let who = (pid, current!().pid());
        messages::open_close(who, "opens", &device.context.name);
        opened
    }

    fn release(process: Arc<Process>, file: &UncountedFile) {
        let who = (process.task.pid(), current!().pid());
        messages::open_close(who, "closes", &process.context.name);
        release_process(&process);
        mounted::close(file, process.task.pid());
    }

    fn flush(process: ArcBorrow<'_, Process>, _file: &File) -> Result {
        process.interrupt_reads();
        Ok(())
    }

    fn poll(process: ArcBorrow<'_, Process>, file: &File, table: PollTable<'_>) -> PollEvents {
        process.poll(file, &table).unwrap_or(PollEvents::ERR)
    }

    fn mmap(process: ArcBorrow<'_, Process>, _file: &File, vma: &VmaNew) -> Result {
        process.area.map(vma)
    }

    fn ioctl(
        process: ArcBorrow<'_, Process>,
        file: &IoctlFile<'_>,
        cmd: u32,
        arg: usize,
    ) -> Result<isize> {
        trace::Ioctl::trace(|| trace::Ioctl { cmd, arg });
        let result = dispatch(process, file, cmd, arg);
        trace::IoctlDone::with(&result);
        result.map(|()| 0)
    }
}
