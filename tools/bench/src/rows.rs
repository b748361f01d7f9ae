// SPDX-License-Identifier: GPL-2.0

//! What is measured.

use std::path::Path;

use anyhow::{bail, Result};
use binder::proto::{self, Object};

use crate::{
    server::{self, code},
    sys::Child,
    wire::{command, Command, Data, Wire},
};

/// Something to do again and again.
pub trait Operation {
    /// Does it once.
    fn once(&mut self) -> Result<()>;
}

/// How one row is made: the device, and the row's parameter.
pub type Make = fn(&Path, usize) -> Result<Box<dyn Operation>>;

/// A kind of row.
pub struct Kind {
    pub name: &'static str,
    /// One row for each.
    pub parameters: &'static [usize],
    /// The difference of the two run lengths.
    pub count: u32,
    pub make: Make,
}

/// All of them.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "two-way",
        parameters: &[4, 128, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10],
        count: 1000,
        make: two_way,
    },
    Kind {
        name: "oneway",
        parameters: &[128],
        count: 1000,
        make: oneway,
    },
    Kind {
        name: "node",
        parameters: &[1],
        count: 1000,
        make: node,
    },
    Kind {
        name: "new-node",
        parameters: &[1],
        count: 1000,
        make: new_node,
    },
    Kind {
        name: "handle",
        parameters: &[1],
        count: 1000,
        make: handle,
    },
];

/// A call to the server that is answered.
struct Call {
    wire: Wire,
    call: Command,
    data: Data,
    _server: Child,
}

impl Call {
    fn new(path: &Path, number: u32, data: Data) -> Result<Self> {
        let server = server::start(path)?;
        Ok(Self {
            wire: Wire::open(path)?,
            call: command(number, 0, code::EMPTY, 0, &data),
            data,
            _server: server,
        })
    }

    fn send(&mut self, call: &Command) -> Result<proto::Transaction> {
        self.wire.put(call);
        let reply = self.wire.message()?;
        self.wire.free(reply.data);
        Ok(reply)
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

fn two_way(path: &Path, size: usize) -> Result<Box<dyn Operation>> {
    let call = Call::new(path, proto::BC_TRANSACTION, Data::plain(size))?;
    Ok(Box::new(call))
}

const NODE: Object = Object::Binder {
    ptr: 0x77,
    cookie: 0x78,
};

/// A call with a node that the server holds already.
fn node(path: &Path, _: usize) -> Result<Box<dyn Operation>> {
    let mut call = Call::new(path, proto::BC_TRANSACTION, Data::objects(&[NODE]))?;
    let keep = command(proto::BC_TRANSACTION, 0, code::KEEP, 0, &call.data);
    call.send(&keep)?;
    Ok(Box::new(call))
}

/// A call with a node that the driver has not seen; the server lets go of it.
struct NewNode(Call);

impl Operation for NewNode {
    fn once(&mut self) -> Result<()> {
        let address = &mut self.0.data.bytes[8..16];
        let next = u64::from_ne_bytes(address.try_into()?) + 1;
        address.copy_from_slice(&next.to_ne_bytes());
        self.0.once()
    }
}

fn new_node(path: &Path, _: usize) -> Result<Box<dyn Operation>> {
    let call = Call::new(path, proto::BC_TRANSACTION, Data::objects(&[NODE]))?;
    Ok(Box::new(NewNode(call)))
}

/// A call with a handle of a node of the server.
fn handle(path: &Path, _: usize) -> Result<Box<dyn Operation>> {
    let mut call = Call::new(path, proto::BC_TRANSACTION, Data::default())?;
    call.wire.put(&command(
        proto::BC_TRANSACTION,
        0,
        code::NODE,
        0,
        &call.data,
    ));
    let reply = call.wire.message()?;
    let Object::Handle(handle) = call.wire.object(&reply)? else {
        bail!("the server gave no node");
    };
    call.wire.handle(proto::BC_ACQUIRE, handle);
    call.wire.free(reply.data);
    call.data = Data::objects(&[Object::Handle(handle)]);
    call.call = command(proto::BC_TRANSACTION, 0, code::EMPTY, 0, &call.data);
    Ok(Box::new(call))
}

/// A oneway call there and a oneway call back: each side sends when it has read, so that there is
/// never more than one under way.
struct Oneway(Call);

impl Operation for Oneway {
    fn once(&mut self) -> Result<()> {
        self.0.once()
    }
}

fn oneway(path: &Path, size: usize) -> Result<Box<dyn Operation>> {
    let mut call = Call::new(path, proto::BC_TRANSACTION, Data::objects(&[NODE]))?;
    let keep = command(proto::BC_TRANSACTION, 0, code::KEEP, 0, &call.data);
    call.send(&keep)?;
    call.data = Data::plain(size);
    call.call = command(
        proto::BC_TRANSACTION,
        0,
        code::BACK,
        proto::TF_ONE_WAY,
        &call.data,
    );
    Ok(Box::new(Oneway(call)))
}
