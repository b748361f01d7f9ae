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

/// A command that also says how much room buffers need: [`proto::BC_TRANSACTION_SG`].
pub type GatherCommand = [u8; size_of::<Command>() + 8];

/// A call to the context manager whose buffers take so many bytes.
pub fn gather_command(code: u32, data: &Data, buffers: u64) -> GatherCommand {
    let mut bytes = [0; size_of::<GatherCommand>()];
    let (call, size) = bytes.split_at_mut(size_of::<Command>());
    call.copy_from_slice(&command(proto::BC_TRANSACTION_SG, 0, code, 0, data));
    size.copy_from_slice(&buffers.to_ne_bytes());
    bytes
}

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

    /// A number.
    pub fn number(number: u32) -> Self {
        Self {
            bytes: number.to_ne_bytes().to_vec(),
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

/// Drivers map no more than this.
const WIDE: usize = 4 << 20;

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
        Self::with(device)
    }

    /// The same, with room for as much as there can be.
    pub fn open_wide(path: &Path) -> Result<Self> {
        let device = Device::open_sized(path, WIDE);
        Self::with(device.with_context(|| format!("cannot open {path:?}"))?)
    }

    fn with(device: Device) -> Result<Self> {
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
            match self.device.become_manager_for_files(false) {
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
            if let Some(value) = take(&self.input[..length], &mut self.out, &mut wanted)? {
                return Ok(value);
            }
        }
    }

    /// Sends what is to go out and waits for nothing.
    pub fn flush(&mut self) -> Result<()> {
        self.device.write_read(&self.out, &mut [])?;
        self.out.clear();
        Ok(())
    }

    /// Sends what is to go out and takes the returns that are there already.
    ///
    /// That the device is readable does not say that there is a return to read, so nothing may wait.
    pub fn settle(&mut self) -> Result<()> {
        self.device.set_nonblocking(true)?;
        loop {
            self.flush()?;
            let length = match self.device.write_read(&[], &mut self.input) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                other => other?,
            };
            take(&self.input[..length], &mut self.out, &mut |_| None::<()>)?;
        }
        Ok(self.device.set_nonblocking(false)?)
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
        let first = self.objects(message)?.into_iter().next();
        first.context("there is no object in the message")
    }

    /// The objects of a message that holds nothing but nodes, handles and descriptors.
    pub fn objects(&self, message: &Transaction) -> Result<Vec<Object>> {
        let bytes = self.data(message)?;
        bytes
            .chunks_exact(24)
            .map(|bytes| Object::read(bytes).context("something else is in the message"))
            .collect()
    }

    /// The handles of a message that holds nothing but them; they are kept when it goes.
    pub fn keep_handles(&mut self, message: &Transaction) -> Result<Vec<u32>> {
        let mut handles = Vec::new();
        for object in self.objects(message)? {
            let Object::Handle(handle) = object else {
                bail!("a handle was due and {object:?} came")
            };
            self.handle(proto::BC_ACQUIRE, handle);
            handles.push(handle);
        }
        self.free(message.data);
        Ok(handles)
    }

    /// The bytes of a message that came.
    pub fn data(&self, message: &Transaction) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.device
            .copy(message.data, message.data_size, &mut bytes)?;
        Ok(bytes)
    }
}

/// Looks through returns for the one that is wanted and answers what every thread has to answer.
fn take<T>(
    mut returns: &[u8],
    out: &mut Vec<u8>,
    wanted: &mut impl FnMut(&Return) -> Option<T>,
) -> Result<Option<T>> {
    let mut found = None;
    while let Some((got, length)) = Return::read(returns) {
        returns = &returns[length..];
        if let Some(value) = wanted(&got) {
            found = Some(value);
            continue;
        }
        match got {
            Return::Increfs { ptr, cookie } => answer(out, proto::BC_INCREFS_DONE, ptr, cookie),
            Return::Acquire { ptr, cookie } => answer(out, proto::BC_ACQUIRE_DONE, ptr, cookie),
            Return::Frozen(cookie) => {
                out.extend_from_slice(&proto::BC_FREEZE_NOTIFICATION_DONE.to_ne_bytes());
                out.extend_from_slice(&cookie.to_ne_bytes());
            }
            Return::Noop | Return::Complete | Return::Other(_) => {}
            other => bail!("the driver said {other:x?}"),
        }
    }
    Ok(found)
}

fn answer(out: &mut Vec<u8>, number: u32, ptr: u64, cookie: u64) {
    out.extend_from_slice(&number.to_ne_bytes());
    out.extend_from_slice(&ptr.to_ne_bytes());
    out.extend_from_slice(&cookie.to_ne_bytes());
}
