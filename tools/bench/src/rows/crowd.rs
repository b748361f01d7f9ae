// SPDX-License-Identifier: GPL-2.0

//! Many clients at the same time.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
};

use anyhow::{Context, Result};
use binder::proto::{self, Object};

use super::{calls::NODE, Operation};
use crate::{
    server::{self, code},
    sys::Child,
    wire::{command, Data, Wire},
};

/// As many threads as an Android process has for calls unless it asks for others.
const THREADS: usize = 16;

/// What each call holds.
const SIZE: usize = 128;

/// A process that makes as many calls as it is told to, when it is told to.
struct Client {
    control: UnixStream,
    _process: Child,
}

impl Client {
    /// `find` gives the handle that is called.
    fn start(path: &Path, find: fn(&mut Wire) -> Result<u32>) -> Result<Self> {
        let (control, theirs) = UnixStream::pair()?;
        let process = Child::start(|| {
            if let Err(error) = serve_orders(path, find, theirs) {
                eprintln!("error: client: {error:#}");
            }
            1
        })?;
        Ok(Self {
            control,
            _process: process,
        })
    }
}

fn serve_orders(
    path: &Path,
    find: fn(&mut Wire) -> Result<u32>,
    mut control: UnixStream,
) -> Result<()> {
    let mut wire = Wire::open(path)?;
    let handle = find(&mut wire)?;
    let data = Data::plain(SIZE);
    let call = command(proto::BC_TRANSACTION, handle, code::EMPTY, 0, &data);
    let mut order = [0; 4];
    loop {
        control.read_exact(&mut order)?;
        for _ in 0..u32::from_ne_bytes(order) {
            wire.put(&call);
            let reply = wire.message()?;
            wire.free(reply.data);
        }
        control.write_all(&[1])?;
    }
}

/// Clients that all make as many calls; the row is about one call of one of them.
struct Crowd {
    clients: Vec<Client>,
    _servers: Vec<Child>,
    _manager: Option<Wire>,
}

impl Operation for Crowd {
    fn once(&mut self) -> Result<()> {
        self.run(1)
    }

    fn run(&mut self, count: u32) -> Result<()> {
        for client in &mut self.clients {
            client.control.write_all(&count.to_ne_bytes())?;
        }
        for client in &mut self.clients {
            client
                .control
                .read_exact(&mut [0])
                .context("a client is gone")?;
        }
        Ok(())
    }

    fn size(&self) -> u32 {
        self.clients.len() as u32
    }
}

/// Clients of one service that has a pool of threads.
pub fn pool(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    let server = server::start(path, THREADS)?;
    let clients = (0..number).map(|_| Client::start(path, |_| Ok(0)));
    Ok(Box::new(Crowd {
        clients: clients.collect::<Result<_>>()?,
        _servers: vec![server],
        _manager: None,
    }))
}

/// Asks the manager, which has one node at a time, for it.
fn look_up(wire: &mut Wire) -> Result<u32> {
    let data = Data::default();
    wire.put(&command(proto::BC_TRANSACTION, 0, code::EMPTY, 0, &data));
    let reply = wire.message()?;
    let handles = wire.keep_handles(&reply)?;
    wire.flush()?;
    handles.into_iter().next().context("no handle came")
}

/// Clients with a server each; we are the manager that brings them together.
pub fn pairs(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    let mut manager = Wire::open(path)?;
    manager.become_manager()?;
    let (mut clients, mut servers) = (Vec::new(), Vec::new());
    for _ in 0..number {
        servers.push(server::start_with(|| {
            let mut wire = Wire::open(path)?;
            let node = Data::objects(&[NODE]);
            wire.put(&command(proto::BC_TRANSACTION, 0, code::EMPTY, 0, &node));
            let reply = wire.message()?;
            wire.free(reply.data);
            server::serve(wire)
        })?);
        let offer = manager.message()?;
        let handle = manager.keep_handles(&offer)?[0];
        manager.put(&command(proto::BC_REPLY, 0, 0, 0, &Data::default()));
        manager.flush()?;
        clients.push(Client::start(path, look_up)?);
        let request = manager.message()?;
        manager.free(request.data);
        let found = Data::objects(&[Object::Handle(handle)]);
        manager.put(&command(proto::BC_REPLY, 0, 0, 0, &found));
        manager.flush()?;
    }
    manager.settle()?;
    Ok(Box::new(Crowd {
        clients,
        _servers: servers,
        _manager: Some(manager),
    }))
}
