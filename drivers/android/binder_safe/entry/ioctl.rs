// SPDX-License-Identifier: GPL-2.0

//! The ioctls of a device.

use super::write_read::write_read;
use crate::{
    object::process::Process,
    op::{
        manager::become_manager,
        teardown::exit_thread, //
    },
    proto::wire::{
        ExtendedError,
        FlatObject,
        Version, //
    },
};
use kernel::{
    fs::file::IoctlFile,
    ioctl::{
        _IOR,
        _IOW,
        _IOWR, //
    },
    prelude::*,
    sync::ArcBorrow,
    uaccess::{
        UserSlice,
        UserSliceReader,
        UserSliceWriter, //
    },
    uapi, //
};

/// All ioctls are of this type.
const TYPE: u32 = b'b' as u32;

const WRITE_READ: u32 = _IOWR::<uapi::binder_write_read>(TYPE, 1);
const SET_MAX_THREADS: u32 = _IOW::<u32>(TYPE, 5);
const SET_CONTEXT_MGR: u32 = _IOW::<i32>(TYPE, 7);
const THREAD_EXIT: u32 = _IOW::<i32>(TYPE, 8);
const VERSION: u32 = _IOWR::<uapi::binder_version>(TYPE, 9);
const SET_CONTEXT_MGR_EXT: u32 = _IOW::<uapi::flat_binder_object>(TYPE, 13);
const GET_EXTENDED_ERROR: u32 = _IOWR::<uapi::binder_extended_error>(TYPE, 17);

/// Carries out one ioctl of the current task.
pub(crate) fn dispatch(
    process: ArcBorrow<'_, Process>,
    file: &IoctlFile<'_>,
    cmd: u32,
    arg: usize,
) -> Result {
    let arg = UserPtr::from_addr(arg);
    match cmd {
        WRITE_READ => write_read(&process.current_thread()?, file.nonblocking(), arg),
        SET_MAX_THREADS => set_max_threads(process, reader::<u32>(arg)),
        SET_CONTEXT_MGR => become_manager(process, &FlatObject::default()),
        SET_CONTEXT_MGR_EXT => become_manager(process, &reader::<FlatObject>(arg).read_obj()?),
        THREAD_EXIT => {
            exit_thread(&process.current_thread()?);
            Ok(())
        }
        VERSION => version(writer::<Version>(arg)),
        GET_EXTENDED_ERROR => get_extended_error(process, writer::<ExtendedError>(arg)),
        _ => Err(EINVAL),
    }
}

fn reader<T>(arg: UserPtr) -> UserSliceReader {
    UserSlice::new(arg, size_of::<T>()).reader()
}

fn writer<T>(arg: UserPtr) -> UserSliceWriter {
    UserSlice::new(arg, size_of::<T>()).writer()
}

fn version(mut arg: UserSliceWriter) -> Result {
    arg.write_obj(&Version {
        protocol_version: uapi::BINDER_CURRENT_PROTOCOL_VERSION as i32,
    })
}

/// How many threads the driver may ask the process for.
fn set_max_threads(process: ArcBorrow<'_, Process>, mut arg: UserSliceReader) -> Result {
    let max = arg.read_obj()?;
    process.queue.lock().loopers.max = max;
    Ok(())
}

/// Tells why the thread's last transaction failed, once.
fn get_extended_error(process: ArcBorrow<'_, Process>, mut arg: UserSliceWriter) -> Result {
    let thread = process.current_thread()?;
    let mut own = thread.own.try_borrow_mut().ok_or(EBUSY)?;
    arg.write_obj(&own.extended_error)?;
    own.extended_error = ExtendedError::none();
    Ok(())
}
