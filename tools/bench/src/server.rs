// SPDX-License-Identifier: GPL-2.0

//! The other side: a process that answers.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    sync::{Arc, Barrier},
    thread,
};

use anyhow::{bail, Context, Result};
use binder::{
    proto::{self, u32_at, u64_at, Object, Transaction},
    sys::received_file,
};

use crate::{
    sys::Child,
    wire::{command, Command, Data, Wire},
};

/// What a call asks for.
pub mod code {
    /// An empty reply.
    pub const EMPTY: u32 = 1;
    /// An empty reply, and the object in the message is kept.
    pub const KEEP: u32 = 2;
    /// A reply with as many new nodes as the number in the message says.
    pub const NODES: u32 = 3;
    /// No reply, but a oneway call of the same kind to the object that was kept.
    pub const BACK: u32 = 4;
    /// Nothing at all: meant for oneway calls.
    pub const SINK: u32 = 5;
    /// An empty reply, once the object that was kept has been called.
    pub const CALL_BACK: u32 = 6;
    /// An empty reply, and the files in the message are closed.
    pub const FILES: u32 = 7;
    /// The same for an array of files.
    pub const FILE_ARRAY: u32 = 8;
    /// A reply with the object that was kept.
    pub const GIVE: u32 = 9;
}

/// The size of the oneway calls that go back.
const BACK_SIZE: usize = 128;

struct Server {
    wire: Wire,
    empty: Command,
    back: Command,
    call_back: Command,
    back_data: Data,
    nodes: Data,
    kept: Data,
    last_node: u64,
}

impl Server {
    fn new(wire: Wire) -> Self {
        let empty = command(proto::BC_REPLY, 0, 0, 0, &Data::default());
        Self {
            wire,
            empty,
            back: empty,
            call_back: empty,
            back_data: Data::plain(BACK_SIZE),
            nodes: Data::default(),
            kept: Data::default(),
            last_node: 0,
        }
    }

    fn keep(&mut self, call: &Transaction) -> Result<()> {
        let Object::Handle(handle) = self.wire.object(call)? else {
            bail!("there is nothing to keep");
        };
        self.wire.handle(proto::BC_ACQUIRE, handle);
        let to = |code, flags, data| command(proto::BC_TRANSACTION, handle, code, flags, data);
        self.back = to(code::BACK, proto::TF_ONE_WAY, &self.back_data);
        self.call_back = to(code::EMPTY, 0, &Data::default());
        self.kept = Data::objects(&[Object::Handle(handle)]);
        Ok(())
    }

    /// Makes the reply to [`code::NODES`].
    fn nodes(&mut self, call: &Transaction) -> Result<Command> {
        let number = u32_at(&self.wire.data(call)?, 0).context("how many nodes?")?;
        let objects: Vec<Object> = (0..number)
            .map(|_| {
                self.last_node += 1;
                Object::Binder {
                    ptr: self.last_node,
                    cookie: self.last_node,
                }
            })
            .collect();
        self.nodes = Data::objects(&objects);
        Ok(command(proto::BC_REPLY, 0, 0, 0, &self.nodes))
    }

    fn close_files(&mut self, call: &Transaction) -> Result<()> {
        for object in self.wire.objects(call)? {
            if let Object::Fd(fd) = object {
                drop(received_file(fd));
            }
        }
        Ok(())
    }

    fn close_file_array(&mut self, call: &Transaction) -> Result<()> {
        // The object that describes the buffer comes behind eight bytes.
        let data = self.wire.data(call)?;
        let (address, length) = (u64_at(&data, 16), u64_at(&data, 24));
        let mut numbers = Vec::new();
        if let (Some(address), Some(length)) = (address, length) {
            self.wire.device.copy(address, length, &mut numbers)?;
        }
        for fd in (0..numbers.len())
            .step_by(4)
            .filter_map(|at| u32_at(&numbers, at))
        {
            drop(received_file(fd));
        }
        Ok(())
    }

    fn serve(&mut self) -> Result<()> {
        let call = self.wire.message()?;
        let mut next = self.empty;
        match call.code {
            code::KEEP => self.keep(&call)?,
            code::NODES => next = self.nodes(&call)?,
            code::BACK => next = self.back,
            code::GIVE => next = command(proto::BC_REPLY, 0, 0, 0, &self.kept),
            code::FILES => self.close_files(&call)?,
            code::FILE_ARRAY => self.close_file_array(&call)?,
            _ => {}
        }
        self.wire.free(call.data);
        if call.code == code::CALL_BACK {
            self.wire.put(&self.call_back);
            let reply = self.wire.message()?;
            self.wire.free(reply.data);
        }
        if call.code != code::SINK {
            self.wire.put(&next);
        }
        Ok(())
    }
}

/// Answers what comes, for ever.
pub fn serve(wire: Wire) -> Result<()> {
    let mut server = Server::new(wire);
    loop {
        server.serve()?;
    }
}

/// Starts a process that does not return from `body` unless something is wrong.
pub fn start_with(body: impl FnOnce() -> Result<()>) -> Result<Child> {
    Ok(Child::start(|| {
        if let Err(error) = body() {
            eprintln!("error: server: {error:#}");
        }
        1
    })?)
}

fn run(path: &Path, threads: usize, mut ready: UnixStream) -> Result<()> {
    let wire = Wire::open(path)?;
    wire.become_manager()?;
    let barrier = Arc::new(Barrier::new(threads));
    for _ in 1..threads {
        let (device, barrier) = (wire.device.clone(), barrier.clone());
        thread::spawn(move || {
            let wire = Wire::join(device);
            barrier.wait();
            if let Err(error) = wire.and_then(serve) {
                eprintln!("error: a thread of the server: {error:#}");
                std::process::exit(1);
            }
        });
    }
    barrier.wait();
    ready.write_all(&[1])?;
    serve(wire)
}

/// Has the context manager, a server, tell one open device of ours the handle of a node of another; a device cannot call
/// a context manager of its own process.
pub fn introduce(from: &mut Wire, to: &mut Wire) -> Result<u32> {
    let node = Data::objects(&[Object::Binder { ptr: 1, cookie: 1 }]);
    to.put(&command(proto::BC_TRANSACTION, 0, code::KEEP, 0, &node));
    let reply = to.message()?;
    to.free(reply.data);
    to.settle()?;
    let none = Data::default();
    from.put(&command(proto::BC_TRANSACTION, 0, code::GIVE, 0, &none));
    let reply = from.message()?;
    let [handle] = from.keep_handles(&reply)?[..] else {
        bail!("the server gave no handle");
    };
    from.flush()?;
    Ok(handle)
}

/// Nodes and handles that go in one message.
const BATCH: usize = 100;

/// Sends objects to a handle, in batches, and has `to` keep the handles that they become.
pub fn hand_over(
    from: &mut Wire,
    to: &mut Wire,
    handle: u32,
    objects: &[Object],
) -> Result<Vec<u32>> {
    let mut handles = Vec::with_capacity(objects.len());
    for batch in objects.chunks(BATCH) {
        let data = Data::objects(batch);
        let flags = proto::TF_ONE_WAY;
        from.put(&command(proto::BC_TRANSACTION, handle, 0, flags, &data));
        from.settle()?;
        let message = to.message()?;
        handles.extend(to.keep_handles(&message)?);
        to.flush()?;
    }
    from.settle()?;
    Ok(handles)
}

/// Starts a server that is the context manager; it is ready when this returns and goes with the
/// value.
pub fn start(path: &Path, threads: usize) -> Result<Child> {
    let (mut ours, theirs) = UnixStream::pair()?;
    let child = start_with(|| run(path, threads, theirs))?;
    ours.read_exact(&mut [0])
        .context("the server did not start")?;
    Ok(child)
}
