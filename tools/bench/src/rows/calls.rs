// SPDX-License-Identifier: GPL-2.0

//! Calls of plain bytes.

use std::path::Path;

use anyhow::Result;
use binder::proto::{self, Object, Return};

use super::Operation;
use crate::{
    server::{self, code},
    sys::Child,
    wire::{command, Command, Data, Wire},
};

/// A call to a server that has one thread; it is answered.
pub struct Call {
    pub wire: Wire,
    pub call: Command,
    /// What the call points to.
    pub data: Data,
    _server: Child,
}

impl Call {
    pub fn new(path: &Path, number: u32, data: Data) -> Result<Self> {
        let server = server::start(path, 1)?;
        Ok(Self {
            wire: Wire::open(path)?,
            call: command(proto::BC_TRANSACTION, 0, number, 0, &data),
            data,
            _server: server,
        })
    }

    /// Sends something else than usual and waits for the reply.
    pub fn send(&mut self, code: u32, data: &Data) -> Result<proto::Transaction> {
        let call = command(proto::BC_TRANSACTION, 0, code, 0, data);
        self.wire.put(&call);
        self.wire.message()
    }

    /// Gives the server a node of ours to keep.
    pub fn give_node(&mut self) -> Result<()> {
        let reply = self.send(code::KEEP, &Data::objects(&[NODE]))?;
        self.wire.free(reply.data);
        Ok(())
    }
}

impl Operation for Call {
    fn once(&mut self) -> Result<()> {
        self.wire.put(&self.call);
        let reply = self.wire.message()?;
        self.wire.free(reply.data);
        Ok(())
    }
}

/// A node of the client.
pub const NODE: Object = Object::Binder {
    ptr: 0x77,
    cookie: 0x78,
};

pub fn two_way(path: &Path, size: usize) -> Result<Box<dyn Operation>> {
    Ok(Box::new(Call::new(path, code::EMPTY, Data::plain(size))?))
}

/// A oneway call there and one back: each side sends when it has read, so that there is never
/// more than one under way.
struct Oneway(Call);

impl Operation for Oneway {
    fn once(&mut self) -> Result<()> {
        self.0.once()
    }

    fn size(&self) -> u32 {
        2
    }
}

fn oneway_call(path: &Path, size: usize) -> Result<Call> {
    let mut call = Call::new(path, code::BACK, Data::plain(size))?;
    call.give_node()?;
    call.call = oneway_command(code::BACK, &call.data);
    Ok(call)
}

fn oneway_command(code: u32, data: &Data) -> Command {
    command(proto::BC_TRANSACTION, 0, code, proto::TF_ONE_WAY, data)
}

pub fn oneway(path: &Path, size: usize) -> Result<Box<dyn Operation>> {
    Ok(Box::new(Oneway(oneway_call(path, size)?)))
}

/// So many oneway calls are sent without waiting for the server; the last one is answered by one.
const BURST: u32 = 100;

struct Flood {
    call: Call,
    silent: Command,
}

impl Operation for Flood {
    fn once(&mut self) -> Result<()> {
        for _ in 1..BURST {
            self.call.wire.put(&self.silent);
            self.call
                .wire
                .until(|got| matches!(got, Return::Complete).then_some(()))?;
        }
        self.call.once()
    }

    fn size(&self) -> u32 {
        BURST
    }
}

pub fn flood(path: &Path, size: usize) -> Result<Box<dyn Operation>> {
    let call = oneway_call(path, size)?;
    let silent = oneway_command(code::SINK, &call.data);
    Ok(Box::new(Flood { call, silent }))
}

/// A call that the server answers after it has called back.
struct Nested {
    call: Call,
    empty: Command,
}

impl Operation for Nested {
    fn once(&mut self) -> Result<()> {
        let wire = &mut self.call.wire;
        wire.put(&self.call.call);
        let back = wire.message()?;
        wire.free(back.data);
        wire.put(&self.empty);
        let reply = wire.message()?;
        wire.free(reply.data);
        Ok(())
    }
}

pub fn nested(path: &Path, size: usize) -> Result<Box<dyn Operation>> {
    let mut call = Call::new(path, code::CALL_BACK, Data::plain(size))?;
    call.give_node()?;
    let empty = command(proto::BC_REPLY, 0, 0, 0, &Data::default());
    Ok(Box::new(Nested { call, empty }))
}
