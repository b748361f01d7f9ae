// SPDX-License-Identifier: GPL-2.0

//! Many calls that nobody has taken yet.

use std::path::Path;

use anyhow::Result;
use binder::proto::{self, Return};

use super::Operation;
use crate::{
    server,
    sys::Child,
    wire::{command, Command, Data, Wire},
};

/// So many oneway calls are sent and only then taken; one thread does both, so that nobody else
/// runs and nobody has to be woken.
struct Outstanding {
    number: u32,
    receiver: Wire,
    client: Wire,
    call: Command,
    _data: Data,
    _server: Child,
}

impl Operation for Outstanding {
    fn once(&mut self) -> Result<()> {
        for _ in 0..self.number {
            self.client.put(&self.call);
            self.client
                .until(|got| matches!(got, Return::Complete).then_some(()))?;
        }
        for _ in 0..self.number {
            let call = self.receiver.message()?;
            self.receiver.free(call.data);
        }
        self.receiver.flush()
    }

    fn size(&self) -> u32 {
        self.number
    }
}

pub fn outstanding(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    let server = server::start(path, 1)?;
    let mut receiver = Wire::open_wide(path)?;
    let mut client = Wire::open(path)?;
    let handle = server::introduce(&mut client, &mut receiver)?;
    let data = Data::plain(4);
    let flags = proto::TF_ONE_WAY;
    Ok(Box::new(Outstanding {
        number: number as u32,
        receiver,
        client,
        call: command(proto::BC_TRANSACTION, handle, 0, flags, &data),
        _data: data,
        _server: server,
    }))
}
