// SPDX-License-Identifier: GPL-2.0

//! `BINDER_WRITE_READ`: first the commands, then the returns.

use crate::{
    diag::{
        messages,
        trace, //
    },
    process::{
        commands,
        subscribe,
        subscription::Topic,
        Process, //
    },
    thread::{
        loopers,
        read::Reader,
        Thread, //
    },
    transaction::{
        free,
        message::{
            user_ptr,
            Sender, //
        },
        reply,
        send, //
    },
    wire::{
        command::{
            Command,
            CommandReader, //
        },
        returns::ReturnWriter,
        structs::WriteRead, //
    }, //
};
use core::{
    mem::offset_of,
    ops::Range, //
};
use kernel::{
    fs::file::IoctlFile,
    prelude::*,
    sync::atomic::Relaxed,
    uaccess::UserSlice, //
};

/// Where user space finds what was consumed, of both, and what lies between.
const CONSUMED: Range<usize> =
    offset_of!(WriteRead, write_consumed)..offset_of!(WriteRead, read_buffer);

/// Carries out the ioctl. What was consumed is reported however it ends.
pub(crate) fn write_read(process: &Process, file: &IoctlFile<'_>, arg: UserPtr) -> Result {
    let thread = &process.current_thread()?;
    // A task is in one ioctl at a time, so nobody else uses what is its own.
    let mut local = thread.local.try_borrow_mut().ok_or(EBUSY)?;
    let mut sizes = WriteRead::default();
    let mut reader = UserSlice::new(arg, size_of::<WriteRead>()).reader();
    if reader.read_up_to(sizes.as_mut_bytes()) < size_of::<WriteRead>() {
        return Err(EFAULT);
    }
    let mut sender = Sender {
        process,
        thread,
        local: &mut local,
        file,
        id: 0,
    };
    let result = exchange(&mut sender, &mut sizes);
    show_completions(&sender);
    // A read has already done this.
    thread.flush_call(&mut local);
    UserSlice::new(arg.wrapping_byte_add(CONSUMED.start), CONSUMED.len())
        .writer()
        .write_obj(&sizes.as_bytes()[CONSUMED])?;
    result
}

fn exchange(sender: &mut Sender<'_>, sizes: &mut WriteRead) -> Result {
    if sizes.write_size > 0 {
        let result = write(sender, sizes);
        trace::WriteDone::with(&result);
        if let Err(err) = result {
            sizes.read_consumed = 0;
            return Err(err);
        }
        // The thread may wait long before it is told.
        show_completions(sender);
    }
    if sizes.read_size > 0 {
        let result = read(sender, sizes);
        trace::ReadDone::with(&result);
        result?;
    }
    Ok(())
}

/// Lets logs see what the thread has yet to be told.
fn show_completions(sender: &Sender<'_>) {
    let completions = sender.local.completions;
    sender.thread.unread_completions.store(completions, Relaxed);
}

/// Carries out commands until all are done or one fails.
fn write(sender: &mut Sender<'_>, sizes: &mut WriteRead) -> Result {
    let Some(rest) = sizes.write_size.checked_sub(sizes.write_consumed) else {
        return Ok(());
    };
    let start = user_ptr(sizes.write_buffer.wrapping_add(sizes.write_consumed));
    let user = UserSlice::new(start, usize::try_from(rest)?).reader();
    let mut commands = CommandReader::new(user, sizes.write_consumed);
    while !commands.is_empty() && sender.thread.failure().is_none() {
        let result = commands
            .next(&sender.thread.counters)
            .and_then(|command| execute(sender, command, &commands));
        if !matches!(result, Ok(true)) {
            complain(sender.thread, &commands, result);
        }
        result?;
        commands.commit();
        sizes.write_consumed = commands.consumed();
    }
    Ok(())
}

/// Carries out the command that was read last. Returns whether it made sense; what does not is
/// ignored.
fn execute(sender: &mut Sender<'_>, command: Command, commands: &CommandReader) -> Result<bool> {
    let (process, thread) = (sender.process, sender.thread);
    match command {
        Command::Transaction => {
            send::send(sender, &commands.message()?);
            Ok(true)
        }
        Command::Reply => {
            reply::reply(sender, &commands.message()?);
            Ok(true)
        }
        Command::FreeBuffer(address) => Ok(free::free(process, thread, address)),
        Command::AddRef(count, handle) => {
            commands::add(process, handle, count, &mut sender.local.ids)
        }
        Command::RemoveRef(count, handle) => Ok(commands::remove(process, handle, count)),
        Command::Confirm(count, node) => Ok(commands::confirm(process, &node, count)),
        Command::RequestDeath(what) => {
            forgive(subscribe::request(process, thread, Topic::Death, &what))
        }
        Command::ClearDeath(what) => {
            forgive(subscribe::clear(process, thread, Topic::Death, &what))
        }
        Command::DeathDone(cookie) => forgive(subscribe::confirm(thread, Topic::Death, cookie)),
        Command::RequestFreeze(what) => {
            done(subscribe::request(process, thread, Topic::Freeze, &what))
        }
        Command::ClearFreeze(what) => done(subscribe::clear(process, thread, Topic::Freeze, &what)),
        Command::FreezeDone(cookie) => done(subscribe::confirm(thread, Topic::Freeze, cookie)),
        Command::RegisterLooper => Ok(loopers::register(thread)),
        Command::EnterLooper => Ok(loopers::enter(thread)),
        Command::ExitLooper => {
            loopers::exit(thread);
            Ok(true)
        }
    }
}

/// A command that fails if it makes no sense.
fn done(result: Result) -> Result<bool> {
    result.map(|()| true)
}

/// A command that does nothing if it makes no sense.
fn forgive(result: Result) -> Result<bool> {
    match result {
        Err(EINVAL) => Ok(false),
        result => done(result),
    }
}

/// Says what is wrong with the command that was read last.
#[cold]
fn complain(thread: &Thread, commands: &CommandReader, result: Result<bool>) {
    let (name, argument) = (commands.name(), commands.argument());
    let errno = result.err().map_or(0, Error::to_errno);
    let what = fmt!("{name} {argument:#x} invalid command: {errno}");
    messages::user_error(thread.who(), what);
}

/// Reads what there is, or waits for it.
fn read(sender: &mut Sender<'_>, sizes: &mut WriteRead) -> Result {
    let size = usize::try_from(sizes.read_size)?;
    let buffer = user_ptr(sizes.read_buffer);
    let nonblocking = sender.file.nonblocking();
    let counters = &sender.thread.counters;
    let mut writer = ReturnWriter::begin(buffer, size, sizes.read_consumed, counters)?;
    let (process, thread) = (sender.process, sender.thread);
    Reader::new(process, thread, sender.local, &mut writer, nonblocking).read()?;
    sizes.read_consumed = writer.consumed();
    Ok(())
}
