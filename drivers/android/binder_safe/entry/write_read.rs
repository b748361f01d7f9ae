// SPDX-License-Identifier: GPL-2.0

//! `BINDER_WRITE_READ`: first the commands, then the returns.

use crate::{
    object::thread::{
        Own,
        Thread, //
    },
    op::{
        deliver::Reader,
        free,
        looper,
        payload::user_ptr,
        reply,
        send, //
    },
    proto::{
        command::{
            Command,
            CommandReader, //
        },
        returns::ReturnWriter,
        wire::WriteRead, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc,
    uaccess::UserSlice, //
};

/// Carries out the ioctl. What was consumed is reported however it ends.
pub(crate) fn write_read(thread: &Arc<Thread>, nonblocking: bool, arg: UserPtr) -> Result {
    // A task is in one ioctl at a time, so nobody else uses what is its own.
    let mut own = thread.own.try_borrow_mut().ok_or(EBUSY)?;
    let (mut reader, mut writer) = UserSlice::new(arg, size_of::<WriteRead>()).reader_writer();
    let mut sizes = reader.read_obj::<WriteRead>()?;
    let result = exchange(thread, &mut own, nonblocking, &mut sizes);
    writer.write_obj(&sizes)?;
    result
}

fn exchange(
    thread: &Arc<Thread>,
    own: &mut Own,
    nonblocking: bool,
    sizes: &mut WriteRead,
) -> Result {
    if sizes.write_size > 0 {
        if let Err(err) = write(thread, own, sizes) {
            sizes.read_consumed = 0;
            return Err(err);
        }
    }
    if sizes.read_size > 0 {
        read(thread, own, nonblocking, sizes)?;
    }
    Ok(())
}

/// Carries out commands until all are done or one fails.
fn write(thread: &Arc<Thread>, own: &mut Own, sizes: &mut WriteRead) -> Result {
    let Some(rest) = sizes.write_size.checked_sub(sizes.write_consumed) else {
        return Ok(());
    };
    let start = user_ptr(sizes.write_buffer.wrapping_add(sizes.write_consumed));
    let user = UserSlice::new(start, usize::try_from(rest)?).reader();
    let mut commands = CommandReader::new(user, sizes.write_consumed);
    while !commands.is_empty() && !thread.has_failed() {
        execute(thread, own, commands.next()?)?;
        commands.commit();
        sizes.write_consumed = commands.consumed();
    }
    Ok(())
}

fn execute(thread: &Arc<Thread>, own: &mut Own, command: Command) -> Result {
    match command {
        Command::Transaction(message) => send::send(thread, own, &message)?,
        Command::Reply(message) => reply::reply(thread, own, &message)?,
        Command::FreeBuffer(address) => free::free(&thread.process, address),
        Command::RegisterLooper => looper::register(thread),
        Command::EnterLooper => looper::enter(thread),
        Command::ExitLooper => looper::exit(thread),
    }
    Ok(())
}

/// Reads what there is, or waits for it.
fn read(
    thread: &Arc<Thread>,
    own: &mut Own,
    nonblocking: bool,
    sizes: &mut WriteRead,
) -> Result {
    let size = usize::try_from(sizes.read_size)?;
    let buffer = user_ptr(sizes.read_buffer);
    let mut writer = ReturnWriter::begin(buffer, size, sizes.read_consumed)?;
    Reader::new(thread, own, &mut writer, nonblocking).read()?;
    sizes.read_consumed = writer.consumed();
    Ok(())
}
