// SPDX-License-Identifier: GPL-2.0

//! One thread's side of a conversation, with as little work of its own as can be: what it costs is
//! part of every figure.

use std::{io, path::Path, sync::Arc, thread, time::Duration};

use anyhow::{bail, Context, Result};
use binder::{
    proto::{self, Object, Return, Transaction},
    sys::Device,
};
use zerocopy::IntoBytes;

/// The bytes of a command with a transaction in it.
pub type Command = [u8; 4 + size_of::<Transaction>()];

/// A command that sends `data`, which must stay where it is.
pub fn command(number: u32, target: u32, code: u32, flags: u32, data: &Data) -> Command {
    let transaction = Transaction {
        target: target.into(),
        code,
        flags,
        data_size: data.bytes.len() as u64,
        data: data.bytes.as_ptr() as u64,
        offsets_size: size_of_val(&data.offsets[..]) as u64,
        offsets: data.offsets.as_ptr() as u64,
        ..Transaction::default()
    };
    let mut bytes = [0; size_of::<Command>()];
    bytes[..4].copy_from_slice(&number.to_ne_bytes());
    bytes[4..].copy_from_slice(transaction.as_bytes());
    bytes
}

/// What a message holds.
#[derive(Default)]
pub struct Data {
    pub bytes: Vec<u8>,
    pub offsets: Vec<u64>,
}

impl Data {
    /// So many bytes and no object.
    pub fn plain(size: usize) -> Self {
        Self {
            bytes: vec![0x5a; size],
            offsets: Vec::new(),
        }
    }

    /// Objects, one after the other.
    pub fn objects(objects: &[Object]) -> Self {
        Self {
            bytes: objects.iter().flat_map(|object| object.bytes()).collect(),
            offsets: (0..objects.len() as u64).map(|at| 24 * at).collect(),
        }
    }
}

/// An open device and what goes out on it next.
pub struct Wire {
    pub device: Arc<Device>,
    out: Vec<u8>,
    input: [u8; 256],
}

impl Wire {
    /// Opens the device and offers this thread for work.
    pub fn open(path: &Path) -> Result<Self> {
        let device = Device::open(path).with_context(|| format!("cannot open {path:?}"))?;
        device.version()?;
        Self::join(Arc::new(device))
    }

    /// Offers this thread for the work of an open device.
    pub fn join(device: Arc<Device>) -> Result<Self> {
        device.write_read(&proto::BC_ENTER_LOOPER.to_ne_bytes(), &mut [])?;
        Ok(Self {
            device,
            out: Vec::with_capacity(512),
            input: [0; 256],
        })
    }

    /// Becomes the context manager; the one before may still be on its way out.
    pub fn become_manager(&self) -> Result<()> {
        for _ in 0..1000 {
            match self.device.become_manager() {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                    thread::sleep(Duration::from_millis(1));
                }
                other => return other.context("cannot become the context manager"),
            }
        }
        bail!("there is another context manager")
    }

    /// Adds bytes to what goes out next.
    pub fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Gives a buffer back with what goes out next.
    pub fn free(&mut self, buffer: u64) {
        self.put(&proto::BC_FREE_BUFFER.to_ne_bytes());
        self.put(&buffer.to_ne_bytes());
    }

    /// A command about one handle.
    pub fn handle(&mut self, number: u32, handle: u32) {
        self.put(&number.to_ne_bytes());
        self.put(&handle.to_ne_bytes());
    }

    /// Sends what is to go out, then waits until `wanted` gives something for a return.
    ///
    /// What every thread has to answer is answered here, with what goes out next.
    pub fn until<T>(&mut self, mut wanted: impl FnMut(&Return) -> Option<T>) -> Result<T> {
        loop {
            let length = self.device.write_read(&self.out, &mut self.input)?;
            self.out.clear();
            let mut rest = &self.input[..length];
            let mut found = None;
            while let Some((got, length)) = Return::read(rest) {
                rest = &rest[length..];
                if let Some(value) = wanted(&got) {
                    found = Some(value);
                    continue;
                }
                match got {
                    Return::Increfs { ptr, cookie } => {
                        answer(&mut self.out, proto::BC_INCREFS_DONE, ptr, cookie)
                    }
                    Return::Acquire { ptr, cookie } => {
                        answer(&mut self.out, proto::BC_ACQUIRE_DONE, ptr, cookie)
                    }
                    Return::Noop | Return::Complete | Return::Other(_) => {}
                    other => bail!("the driver said {other:x?}"),
                }
            }
            if let Some(value) = found {
                return Ok(value);
            }
        }
    }

    /// Sends what is to go out, then waits for a call or a reply.
    pub fn message(&mut self) -> Result<Transaction> {
        self.until(|got| match got {
            Return::Transaction(message) | Return::Reply(message) => Some(*message),
            _ => None,
        })
    }

    /// The first object of a message that came.
    pub fn object(&self, message: &Transaction) -> Result<Object> {
        let mut bytes = Vec::new();
        self.device
            .copy(message.data, message.data_size, &mut bytes)?;
        Object::read(&bytes).context("there is no object in the message")
    }
}

fn answer(out: &mut Vec<u8>, number: u32, ptr: u64, cookie: u64) {
    out.extend_from_slice(&number.to_ne_bytes());
    out.extend_from_slice(&ptr.to_ne_bytes());
    out.extend_from_slice(&cookie.to_ne_bytes());
}
