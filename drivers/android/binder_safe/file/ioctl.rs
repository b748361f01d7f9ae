// SPDX-License-Identifier: GPL-2.0

//! The ioctls of a device.

use super::write_read::write_read;
use crate::{
    context::manager::become_manager,
    diag::messages,
    process::{
        commands,
        freeze,
        teardown::exit_thread,
        Process, //
    },
    wire::structs::{
        ExtendedError,
        FlatObject,
        FreezeInfo,
        FrozenStatus,
        NodeDebugInfo,
        NodeInfoForRef,
        Version, //
    }, //
};
use kernel::{
    fs::file::IoctlFile,
    ioctl::{
        _IOW,
        _IOWR, //
    },
    prelude::*,
    sync::{
        atomic::Relaxed,
        CondVarTimeoutResult, //
    },
    time::msecs_to_jiffies,
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
const GET_NODE_DEBUG_INFO: u32 = _IOWR::<uapi::binder_node_debug_info>(TYPE, 11);
const GET_NODE_INFO_FOR_REF: u32 = _IOWR::<uapi::binder_node_info_for_ref>(TYPE, 12);
const SET_CONTEXT_MGR_EXT: u32 = _IOW::<uapi::flat_binder_object>(TYPE, 13);
const FREEZE: u32 = _IOW::<uapi::binder_freeze_info>(TYPE, 14);
const GET_FROZEN_INFO: u32 = _IOWR::<uapi::binder_frozen_status_info>(TYPE, 15);
const ENABLE_ONEWAY_SPAM_DETECTION: u32 = _IOW::<u32>(TYPE, 16);
const GET_EXTENDED_ERROR: u32 = _IOWR::<uapi::binder_extended_error>(TYPE, 17);

/// How often somebody who was stopped looks whether that is over.
const STOP_POLL_MS: u32 = 50;

/// Carries out one ioctl of the current task, unless an error has stopped everybody.
pub(crate) fn dispatch(process: &Process, file: &IoctlFile<'_>, cmd: u32, arg: usize) -> Result {
    if messages::is_stopped() {
        wait_while_stopped(process)?;
    }
    let result = carry_out(process, file, cmd, arg);
    if messages::is_stopped() {
        // Whoever made the error stays where it made it, and returns what it would have.
        let _ = wait_while_stopped(process);
    }
    result
}

/// Waits until somebody writes to `stop_on_user_error`. Fails with `ERESTARTSYS` on a signal.
#[cold]
fn wait_while_stopped(process: &Process) -> Result {
    let mut queue = process.queue.lock();
    while messages::is_stopped() {
        let pause = msecs_to_jiffies(STOP_POLL_MS);
        // Nobody wakes us for this, but others may wait there for something else.
        let woken = process
            .drained
            .wait_interruptible_timeout(&mut queue, pause);
        if matches!(woken, CondVarTimeoutResult::Signal { .. }) {
            return Err(ERESTARTSYS);
        }
    }
    Ok(())
}

#[inline(always)]
fn carry_out(process: &Process, file: &IoctlFile<'_>, cmd: u32, arg: usize) -> Result {
    let arg = UserPtr::from_addr(arg);
    match cmd {
        WRITE_READ => write_read(process, file, arg),
        _ => carry_out_rare(process, cmd, arg),
    }
}

/// Carries out any other ioctl, none of which is as frequent.
#[inline(never)]
fn carry_out_rare(process: &Process, cmd: u32, arg: UserPtr) -> Result {
    match cmd {
        SET_MAX_THREADS => set_max_threads(process, reader::<u32>(arg)),
        SET_CONTEXT_MGR => become_manager(process, &FlatObject::default()),
        SET_CONTEXT_MGR_EXT => become_manager(process, &reader::<FlatObject>(arg).read_obj()?),
        THREAD_EXIT => {
            exit_thread(process, &process.current_thread()?);
            Ok(())
        }
        VERSION => version(writer::<Version>(arg)),
        GET_NODE_DEBUG_INFO => get_node_debug_info(process, arg),
        GET_NODE_INFO_FOR_REF => get_node_info_for_ref(process, arg),
        FREEZE => freeze_processes(process, arg),
        GET_FROZEN_INFO => get_frozen_info(process, arg),
        ENABLE_ONEWAY_SPAM_DETECTION => detect_spam(process, arg),
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
fn set_max_threads(process: &Process, mut arg: UserSliceReader) -> Result {
    let max = arg.read_obj()?;
    let mut queue = process.queue.lock();
    queue.loopers.max = max;
    process.note_loopers(&queue);
    Ok(())
}

/// Tells why the thread's last transaction failed, once.
fn get_extended_error(process: &Process, mut arg: UserSliceWriter) -> Result {
    let thread = process.current_thread()?;
    let mut local = thread.local.try_borrow_mut().ok_or(EBUSY)?;
    arg.write_obj(&local.extended_error)?;
    local.extended_error = ExtendedError::none();
    Ok(())
}

/// Tells the first node of the process above the pointer that the caller gives.
fn get_node_debug_info(process: &Process, arg: UserPtr) -> Result {
    let size = size_of::<NodeDebugInfo>();
    let (mut reader, mut writer) = UserSlice::new(arg, size).reader_writer();
    let info: NodeDebugInfo = reader.read_obj()?;
    writer.write_obj(&commands::debug_info(process, info.ptr))
}

/// Tells the manager how often the node that a handle names is referred to.
fn get_node_info_for_ref(process: &Process, arg: UserPtr) -> Result {
    let size = size_of::<NodeInfoForRef>();
    let (mut reader, mut writer) = UserSlice::new(arg, size).reader_writer();
    let info = commands::info_for_ref(process, &reader.read_obj()?)?;
    writer.write_obj(&info)
}

/// Freezes or thaws the processes of a thread group.
fn freeze_processes(process: &Process, arg: UserPtr) -> Result {
    let info = reader::<FreezeInfo>(arg).read_obj()?;
    freeze::freeze(&process.context.instance, &info)
}

/// Tells what came to a thread group since it was frozen.
fn get_frozen_info(process: &Process, arg: UserPtr) -> Result {
    let size = size_of::<FrozenStatus>();
    let (mut reader, mut writer) = UserSlice::new(arg, size).reader_writer();
    let status = freeze::status(&process.context.instance, &reader.read_obj()?)?;
    writer.write_obj(&status)
}

/// Whether the process wants to know when it sends too many oneway messages.
fn detect_spam(process: &Process, arg: UserPtr) -> Result {
    let enable: u32 = reader::<u32>(arg).read_obj()?;
    process.detects_spam.store(enable != 0, Relaxed);
    Ok(())
}
