// SPDX-License-Identifier: GPL-2.0

//! `BINDER_WRITE_READ`: first the commands, then the returns.

use crate::{
    object::{
        subscription::Topic,
        thread::Thread, //
    },
    op::{
        free,
        looper,
        payload::{
            user_ptr,
            Sender, //
        },
        read::Reader,
        refs,
        reply,
        send,
        subscribe, //
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
    fs::file::IoctlFile,
    prelude::*,
    sync::Arc,
    uaccess::UserSlice, //
};

/// Carries out the ioctl. What was consumed is reported however it ends.
pub(crate) fn write_read(thread: &Arc<Thread>, file: &IoctlFile<'_>, arg: UserPtr) -> Result {
    // A task is in one ioctl at a time, so nobody else uses what is its own.
    let mut own = thread.own.try_borrow_mut().ok_or(EBUSY)?;
    let (mut reader, mut writer) = UserSlice::new(arg, size_of::<WriteRead>()).reader_writer();
    let mut sizes = reader.read_obj::<WriteRead>()?;
    let mut sender = Sender {
        thread,
        own: &mut own,
        file,
    };
    let result = exchange(&mut sender, &mut sizes);
    writer.write_obj(&sizes)?;
    result
}

fn exchange(sender: &mut Sender<'_>, sizes: &mut WriteRead) -> Result {
    if sizes.write_size > 0 {
        if let Err(err) = write(sender, sizes) {
            sizes.read_consumed = 0;
            return Err(err);
        }
    }
    if sizes.read_size > 0 {
        read(sender, sizes)?;
    }
    Ok(())
}

/// Carries out commands until all are done or one fails.
fn write(sender: &mut Sender<'_>, sizes: &mut WriteRead) -> Result {
    let Some(rest) = sizes.write_size.checked_sub(sizes.write_consumed) else {
        return Ok(());
    };
    let start = user_ptr(sizes.write_buffer.wrapping_add(sizes.write_consumed));
    let user = UserSlice::new(start, usize::try_from(rest)?).reader();
    let mut commands = CommandReader::new(user, sizes.write_consumed);
    while !commands.is_empty() && !sender.thread.has_failed() {
        execute(sender, commands.next()?)?;
        commands.commit();
        sizes.write_consumed = commands.consumed();
    }
    Ok(())
}

fn execute(sender: &mut Sender<'_>, command: Command) -> Result {
    let thread = sender.thread;
    match command {
        Command::Transaction(message) => send::send(sender, &message)?,
        Command::Reply(message) => reply::reply(sender, &message)?,
        Command::FreeBuffer(address) => free::free(thread, address),
        Command::AddRef(count, handle) => refs::add(&thread.process, handle, count)?,
        Command::RemoveRef(count, handle) => refs::remove(&thread.process, handle, count),
        Command::Confirm(count, node) => refs::confirm(&thread.process, &node, count),
        // What makes no sense is ignored.
        Command::RequestDeath(what) => forgive(subscribe::request(thread, Topic::Death, &what))?,
        Command::ClearDeath(what) => forgive(subscribe::clear(thread, Topic::Death, &what))?,
        Command::DeathDone(cookie) => forgive(subscribe::confirm(thread, Topic::Death, cookie))?,
        Command::RequestFreeze(what) => subscribe::request(thread, Topic::Freeze, &what)?,
        Command::ClearFreeze(what) => subscribe::clear(thread, Topic::Freeze, &what)?,
        Command::FreezeDone(cookie) => subscribe::confirm(thread, Topic::Freeze, cookie)?,
        Command::RegisterLooper => looper::register(thread),
        Command::EnterLooper => looper::enter(thread),
        Command::ExitLooper => looper::exit(thread),
    }
    Ok(())
}

/// Takes a command that makes no sense for one that does nothing.
fn forgive(result: Result) -> Result {
    match result {
        Err(EINVAL) => Ok(()),
        result => result,
    }
}

/// Reads what there is, or waits for it.
fn read(sender: &mut Sender<'_>, sizes: &mut WriteRead) -> Result {
    let size = usize::try_from(sizes.read_size)?;
    let buffer = user_ptr(sizes.read_buffer);
    let nonblocking = sender.file.nonblocking();
    let mut writer = ReturnWriter::begin(buffer, size, sizes.read_consumed)?;
    Reader::new(sender.thread, sender.own, &mut writer, nonblocking).read()?;
    sizes.read_consumed = writer.consumed();
    Ok(())
}
