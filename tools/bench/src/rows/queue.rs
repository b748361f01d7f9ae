// SPDX-License-Identifier: GPL-2.0

//! Many calls that nobody has taken yet.

use std::path::Path;

use anyhow::Result;
use binder::proto::{self, Return};

use super::Operation;
use crate::wire::{command, Command, Data, Wire};

/// So many oneway calls are sent and only then taken; one thread does both, so that nobody else
/// runs and nobody has to be woken.
struct Outstanding {
    number: u32,
    manager: Wire,
    client: Wire,
    call: Command,
    _data: Data,
}

impl Operation for Outstanding {
    fn once(&mut self) -> Result<()> {
        for _ in 0..self.number {
            self.client.put(&self.call);
            self.client
                .until(|got| matches!(got, Return::Complete).then_some(()))?;
        }
        for _ in 0..self.number {
            let call = self.manager.message()?;
            self.manager.free(call.data);
        }
        self.manager.flush()
    }

    fn size(&self) -> u32 {
        self.number
    }
}

pub fn outstanding(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    let manager = Wire::open_wide(path)?;
    manager.become_manager()?;
    let data = Data::plain(4);
    Ok(Box::new(Outstanding {
        number: number as u32,
        manager,
        client: Wire::open(path)?,
        call: command(proto::BC_TRANSACTION, 0, 0, proto::TF_ONE_WAY, &data),
        _data: data,
    }))
}
