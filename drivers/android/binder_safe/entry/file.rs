// SPDX-License-Identifier: GPL-2.0

//! The file operations of a device.

use super::{
    binderfs::Device,
    ioctl::dispatch, //
};
use crate::{
    object::process::Process,
    op::teardown::release_process, //
};
use kernel::{
    fs::{
        file::{
            IoctlFile,
            Operations,
            PollEvents, //
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

    fn open(device: &Device, file: &File) -> Result<Arc<Process>> {
        Process::new(device.context.clone(), file)
    }

    fn release(process: Arc<Process>, _file: &File) {
        release_process(&process);
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
        dispatch(process, file, cmd, arg)?;
        Ok(0)
    }
}
