// SPDX-License-Identifier: GPL-2.0

//! What the kernel offers without Binder: the same work cannot cost less than this.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    thread,
};

use anyhow::{Context, Result};

use super::Operation;
use crate::sys::{Child, Word};

/// A message there, and one as long back.
struct Echo<R, W> {
    input: R,
    output: W,
    message: Vec<u8>,
    _server: Child,
}

fn turn(input: &mut impl Read, output: &mut impl Write, message: &mut [u8]) -> io::Result<()> {
    output.write_all(message)?;
    input.read_exact(message)
}

impl<R: Read, W: Write> Operation for Echo<R, W> {
    fn once(&mut self) -> Result<()> {
        Ok(turn(&mut self.input, &mut self.output, &mut self.message)?)
    }
}

/// A process that sends back what comes.
fn echo(mut input: impl Read, mut output: impl Write, size: usize) -> Result<Child> {
    let mut message = vec![0; size];
    Ok(Child::start(move || {
        // It ends with an error, when its peer has gone.
        while input.read_exact(&mut message).is_ok() && output.write_all(&message).is_ok() {}
        0
    })?)
}

pub fn pipe(_: &Path, size: usize) -> Result<Box<dyn Operation>> {
    let (input, their_output) = rustix::pipe::pipe()?;
    let (their_input, output) = rustix::pipe::pipe()?;
    Ok(Box::new(Echo {
        _server: echo(File::from(their_input), File::from(their_output), size)?,
        input: File::from(input),
        output: File::from(output),
        message: vec![0x5a; size],
    }))
}

pub fn socket(_: &Path, size: usize) -> Result<Box<dyn Operation>> {
    let (ours, theirs) = UnixStream::pair()?;
    Ok(Box::new(Echo {
        _server: echo(theirs.try_clone()?, theirs, size)?,
        input: ours.try_clone()?,
        output: ours,
        message: vec![0x5a; size],
    }))
}

/// Two processes wake each other in turn.
struct Futex {
    word: Word,
    _server: Child,
}

const OURS: u32 = 0;
const THEIRS: u32 = 1;

impl Operation for Futex {
    fn once(&mut self) -> Result<()> {
        self.word.set_and_wake(THEIRS);
        self.word.wait_while(THEIRS);
        Ok(())
    }
}

pub fn futex(_: &Path, _: usize) -> Result<Box<dyn Operation>> {
    let word = Word::shared()?;
    let server = Child::start(|| loop {
        word.wait_while(OURS);
        word.set_and_wake(OURS);
    })?;
    Ok(Box::new(Futex {
        word,
        _server: server,
    }))
}

struct Thread;

impl Operation for Thread {
    fn once(&mut self) -> Result<()> {
        let thread = thread::spawn(|| ());
        thread.join().ok().context("the thread panicked")
    }
}

/// A thread that does nothing.
pub fn thread(_: &Path, _: usize) -> Result<Box<dyn Operation>> {
    Ok(Box::new(Thread))
}

struct Process;

impl Operation for Process {
    fn once(&mut self) -> Result<()> {
        Child::start(|| 0)?.wait()
    }
}

/// A process that does nothing.
pub fn process(_: &Path, _: usize) -> Result<Box<dyn Operation>> {
    Ok(Box::new(Process))
}
