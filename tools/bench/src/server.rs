// SPDX-License-Identifier: GPL-2.0

//! The other side: a process that is the context manager and answers.

use std::{io::Read, io::Write, os::unix::net::UnixStream, path::Path};

use anyhow::{Context, Result};
use binder::proto::{self, Object};

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
    /// A reply with a node.
    pub const NODE: u32 = 3;
    /// No reply, but a call of the same kind to the object that was kept.
    pub const BACK: u32 = 4;
}

/// The node that [`code::NODE`] gives.
const NODE: Object = Object::Binder {
    ptr: 0x5e,
    cookie: 0xc0,
};

struct Server {
    wire: Wire,
    empty: Command,
    node: Command,
    back: Command,
    _node: Data,
}

impl Server {
    fn new(wire: Wire) -> Self {
        let node = Data::objects(&[NODE]);
        let reply = |data| command(proto::BC_REPLY, 0, 0, 0, data);
        Self {
            wire,
            empty: reply(&Data::default()),
            node: reply(&node),
            back: reply(&Data::default()),
            _node: node,
        }
    }

    fn serve(&mut self) -> Result<()> {
        let call = self.wire.message()?;
        if call.code == code::KEEP {
            if let Object::Handle(handle) = self.wire.object(&call)? {
                self.wire.handle(proto::BC_ACQUIRE, handle);
                let flags = proto::TF_ONE_WAY;
                self.back = command(
                    proto::BC_TRANSACTION,
                    handle,
                    code::BACK,
                    flags,
                    &Data::default(),
                );
            }
        }
        self.wire.free(call.data);
        let next = match call.code {
            code::NODE => &self.node,
            code::BACK => &self.back,
            _ => &self.empty,
        };
        self.wire.put(next);
        Ok(())
    }
}

fn run(path: &Path, mut ready: UnixStream) -> Result<()> {
    let wire = Wire::open(path)?;
    wire.become_manager()?;
    let mut server = Server::new(wire);
    ready.write_all(&[1])?;
    loop {
        server.serve()?;
    }
}

/// Starts a server; it is ready when this returns and goes with the value.
pub fn start(path: &Path) -> Result<Child> {
    let (mut ours, theirs) = UnixStream::pair()?;
    let child = Child::start(|| {
        if let Err(error) = run(path, theirs) {
            eprintln!("error: server: {error:#}");
        }
        1
    })?;
    ours.read_exact(&mut [0])
        .context("the server did not start")?;
    Ok(child)
}
