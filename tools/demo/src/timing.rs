// SPDX-License-Identifier: GPL-2.0

//! The cost of a round trip: the driver's work and as little else as can be.
//!
//! Commands are put together once and returns are read in place, so that our own share is a few
//! hundred instructions. The cost of starting goes away as long run minus short run.

use std::{path::Path, time::Instant};

use anyhow::{Context, Result};
use zerocopy::IntoBytes;

use binder::{
    proto::{self, Transaction},
    sys::{self, Device},
};

use crate::story::Role;

/// Calls before the clock starts: by then pages, slabs and the scheduler are warm.
const WARM_UP: u32 = 500;

/// BC_FREE_BUFFER with its address, then a transaction or a reply.
const FREE: usize = 12;
const SEND: usize = 4 + size_of::<Transaction>();

/// One side of the conversation.
struct Side {
    device: Device,
    commands: [u8; FREE + SEND],
    /// Where in `commands` the next write starts: nothing is freed before the first message came.
    start: usize,
    input: [u8; 256],
}

impl Side {
    fn open(path: &Path, number: u32, data: &[u8]) -> Result<Self> {
        let device = Device::open(path).with_context(|| format!("cannot open {path:?}"))?;
        device.version()?;
        device.write_read(&proto::BC_ENTER_LOOPER.to_ne_bytes(), &mut [])?;
        let message = Transaction {
            code: 1,
            data_size: data.len() as u64,
            data: data.as_ptr() as u64,
            ..Transaction::default()
        };
        let mut commands = [0; FREE + SEND];
        commands[..4].copy_from_slice(&proto::BC_FREE_BUFFER.to_ne_bytes());
        commands[FREE..FREE + 4].copy_from_slice(&number.to_ne_bytes());
        commands[FREE + 4..].copy_from_slice(message.as_bytes());
        Ok(Self {
            device,
            commands,
            start: FREE,
            input: [0; 256],
        })
    }

    /// Sends the message and waits for the next one that comes.
    fn turn(&mut self) -> Result<()> {
        let mut write = &self.commands[self.start..];
        loop {
            let length = self.device.write_read(write, &mut self.input)?;
            if let Some(buffer) = proto::message_buffer(&self.input[..length])? {
                self.commands[4..FREE].copy_from_slice(&buffer.to_ne_bytes());
                self.start = 0;
                return Ok(());
            }
            write = &[];
        }
    }

    fn turns(&mut self, number: u32) -> Result<u128> {
        let start = Instant::now();
        for _ in 0..number {
            self.turn()?;
        }
        Ok(start.elapsed().as_nanos())
    }
}

/// The side that answers; it takes the first call before it has anything to send.
pub fn server(path: &Path) -> Result<()> {
    let mut side = Side::open(path, proto::BC_REPLY, &[])?;
    side.device.become_manager()?;
    println!("ready");
    side.start = side.commands.len();
    loop {
        side.turn()?;
    }
}

/// Prints the nanoseconds of one round trip for each size, both processes on one CPU.
pub fn run(path: &Path, count: u32, sizes: &[usize]) -> Result<()> {
    sys::pin()?;
    let _server = Role::start("timing-server", path)?;
    for &size in sizes {
        let data = vec![0x5a; size];
        let mut side = Side::open(path, proto::BC_TRANSACTION, &data)?;
        side.turns(WARM_UP)?;
        let short = side.turns(count)?;
        let long = side.turns(2 * count)?;
        let each = long.saturating_sub(short) / u128::from(count.max(1));
        println!("round trip: {size} bytes {each} ns");
    }
    Ok(())
}
