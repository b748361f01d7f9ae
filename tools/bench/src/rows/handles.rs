// SPDX-License-Identifier: GPL-2.0

//! Calls by one of many handles.

use std::path::Path;

use anyhow::Result;
use binder::proto;

use super::{calls::Call, Operation};
use crate::{
    server::code,
    wire::{command, Command, Data},
};

/// Nodes in one reply.
const BATCH: usize = 128;

/// A call whose reply brings a handle of a new node, which is taken and released.
struct Held(Call);

impl Operation for Held {
    fn once(&mut self) -> Result<()> {
        let wire = &mut self.0.wire;
        wire.put(&self.0.call);
        let reply = wire.message()?;
        for handle in wire.keep_handles(&reply)? {
            wire.handle(proto::BC_RELEASE, handle);
        }
        Ok(())
    }
}

/// The same with so many handles held meanwhile.
pub fn held(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    let mut call = Call::new(path, code::NODES, Data::number(1))?;
    hold(&mut call, number)?;
    Ok(Box::new(Held(call)))
}

/// Has the server give handles of so many nodes.
fn hold(call: &mut Call, number: usize) -> Result<Vec<u32>> {
    let mut handles = Vec::with_capacity(number);
    while handles.len() < number {
        let batch = BATCH.min(number - handles.len());
        let reply = call.send(code::NODES, &Data::number(batch as u32))?;
        handles.extend(call.wire.keep_handles(&reply)?);
        call.wire.flush()?;
    }
    Ok(handles)
}

/// Calls by a handle that is taken at random, the same ones in each run.
struct Random {
    call: Call,
    commands: Vec<Command>,
    state: u64,
}

impl Operation for Random {
    fn once(&mut self) -> Result<()> {
        // Marsaglia's xorshift: any spread will do, and this one costs next to nothing.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let at = self.state as usize % self.commands.len();
        self.call.call = self.commands[at];
        self.call.once()
    }
}

pub fn random(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    let mut call = Call::new(path, code::EMPTY, Data::plain(128))?;
    let handles = hold(&mut call, number)?;
    let to = |handle: &u32| command(proto::BC_TRANSACTION, *handle, code::EMPTY, 0, &call.data);
    let commands = handles.iter().map(to).collect();
    Ok(Box::new(Random {
        commands,
        call,
        state: 0x9e37_79b9_7f4a_7c15,
    }))
}
