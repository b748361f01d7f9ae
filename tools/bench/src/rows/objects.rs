// SPDX-License-Identifier: GPL-2.0

//! Calls with something in them that the driver has to translate.

use std::{
    fs::File,
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
};

use anyhow::{bail, Result};
use binder::proto::{self, Object};

use super::{
    calls::{Call, NODE},
    Operation,
};
use crate::{
    server::code,
    wire::{command, gather_command, Data, GatherCommand},
};

/// A call with a node that the server holds already.
pub fn node(path: &Path, _: usize) -> Result<Box<dyn Operation>> {
    let mut call = Call::new(path, code::EMPTY, Data::objects(&[NODE]))?;
    call.give_node()?;
    Ok(Box::new(call))
}

/// A call with a node that the driver has not seen; the server lets go of it.
struct NewNode(Call);

impl Operation for NewNode {
    fn once(&mut self) -> Result<()> {
        let address = &mut self.0.data.bytes[8..16];
        let next = u64::from_ne_bytes((&*address).try_into()?) + 1;
        address.copy_from_slice(&next.to_ne_bytes());
        self.0.once()
    }
}

pub fn new_node(path: &Path, _: usize) -> Result<Box<dyn Operation>> {
    let call = Call::new(path, code::EMPTY, Data::objects(&[NODE]))?;
    Ok(Box::new(NewNode(call)))
}

/// A call with a handle of a node of the server.
pub fn handle(path: &Path, _: usize) -> Result<Box<dyn Operation>> {
    let mut call = Call::new(path, code::EMPTY, Data::default())?;
    let reply = call.send(code::NODES, &Data::number(1))?;
    let [handle] = call.wire.keep_handles(&reply)?[..] else {
        bail!("the server gave no node");
    };
    call.data = Data::objects(&[Object::Handle(handle)]);
    call.call = command(proto::BC_TRANSACTION, 0, code::EMPTY, 0, &call.data);
    Ok(Box::new(call))
}

/// Files that a call carries; they stay open here.
struct Files<T> {
    call: T,
    _open: Vec<OwnedFd>,
}

impl<T: Operation> Operation for Files<T> {
    fn once(&mut self) -> Result<()> {
        self.call.once()
    }
}

fn open(number: usize) -> Result<Vec<OwnedFd>> {
    (0..number)
        .map(|_| Ok(File::open("/dev/null")?.into()))
        .collect()
}

/// A call with a file descriptor, which the server closes.
pub fn file(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    let open = open(number)?;
    let objects: Vec<Object> = open
        .iter()
        .map(|fd| Object::Fd(fd.as_raw_fd() as u32))
        .collect();
    let call = Call::new(path, code::FILES, Data::objects(&objects))?;
    Ok(Box::new(Files { call, _open: open }))
}

/// A call with a buffer outside of its data, which the driver gathers.
struct Gathered {
    call: Call,
    command: GatherCommand,
    _buffer: Vec<u8>,
}

impl Gathered {
    /// A call with `buffer`, and with `more` behind the object that describes it.
    fn new(path: &Path, code: u32, buffer: Vec<u8>, more: &[u8]) -> Result<Self> {
        // The C driver takes an object at the very start for none when another refers to it.
        let mut data = Data {
            offsets: vec![8],
            bytes: vec![0; 8],
        };
        data.bytes
            .extend(proto::buffer(buffer.as_ptr() as u64, buffer.len() as u64));
        if !more.is_empty() {
            data.offsets.push(data.bytes.len() as u64);
            data.bytes.extend_from_slice(more);
        }
        let room = (buffer.len() as u64).next_multiple_of(8);
        let call = Call::new(path, code, data)?;
        Ok(Self {
            command: gather_command(code, &call.data, room),
            call,
            _buffer: buffer,
        })
    }
}

impl Operation for Gathered {
    fn once(&mut self) -> Result<()> {
        let wire = &mut self.call.wire;
        wire.put(&self.command);
        let reply = wire.message()?;
        wire.free(reply.data);
        Ok(())
    }
}

pub fn buffer(path: &Path, size: usize) -> Result<Box<dyn Operation>> {
    let call = Gathered::new(path, code::EMPTY, vec![0x5a; size], &[])?;
    Ok(Box::new(call))
}

/// A call with an array of file descriptors, which the server closes.
pub fn file_array(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    let open = open(number)?;
    let numbers = open
        .iter()
        .flat_map(|fd| fd.as_raw_fd().to_ne_bytes())
        .collect();
    let array = proto::fd_array(number as u64);
    let call = Gathered::new(path, code::FILE_ARRAY, numbers, &array)?;
    Ok(Box::new(Files { call, _open: open }))
}
