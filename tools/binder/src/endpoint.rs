// SPDX-License-Identifier: GPL-2.0

//! One thread's conversation with the driver.

use std::{collections::VecDeque, io, path::Path, time::Duration};

use anyhow::{anyhow, bail, Context, Result};
use zerocopy::IntoBytes;

use crate::{
    proto::{self, Object, Return, Transaction},
    sys::Device,
};

/// Room for a few returns; a transaction is the longest, and the driver keeps some in reserve.
const READ_SIZE: usize = 256;

/// The data of a message and where its objects are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub data: Vec<u8>,
    pub offsets: Vec<u64>,
}

impl Message {
    /// A message of one object.
    pub fn object(object: Object) -> Self {
        Self {
            data: object.bytes().to_vec(),
            offsets: vec![0],
        }
    }

    /// Has `transaction` point to this message, which must stay until the driver has read it.
    fn describe(&self, transaction: Transaction) -> Transaction {
        Transaction {
            data_size: self.data.len() as u64,
            data: self.data.as_ptr() as u64,
            offsets_size: size_of_val(&self.offsets[..]) as u64,
            offsets: self.offsets.as_ptr() as u64,
            ..transaction
        }
    }

    /// The first object, if there is one.
    pub fn first_object(&self) -> Option<Object> {
        Object::read(self.data.get(*self.offsets.first()? as usize..)?)
    }
}

impl From<&[u8]> for Message {
    fn from(data: &[u8]) -> Self {
        Self {
            data: data.to_vec(),
            offsets: Vec::new(),
        }
    }
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The reply is in [`Endpoint::received`].
    Reply,
    /// The target is gone: BR_DEAD_REPLY.
    Dead,
    /// The driver refused the call: BR_FAILED_REPLY.
    Failed,
}

/// An open device and what is under way on it.
///
/// The buffers are reused from call to call, so that a call costs no allocation.
pub struct Endpoint {
    device: Device,
    commands: Vec<u8>,
    returns: VecDeque<Return>,
    input: [u8; READ_SIZE],
    /// The reply that `commands` points to; it stays until the driver has read it.
    reply: Message,
    /// The last message that came.
    pub received: Message,
    /// Cookies of the deaths we were told of.
    pub deaths: Vec<u64>,
}

impl Endpoint {
    /// Opens the device and offers this thread for work.
    pub fn open(path: &Path) -> Result<Self> {
        let device = Device::open(path)
            .with_context(|| format!("cannot open and map {}", path.display()))?;
        let mut endpoint = Self {
            device,
            commands: Vec::new(),
            returns: VecDeque::new(),
            input: [0; READ_SIZE],
            reply: Message::default(),
            received: Message::default(),
            deaths: Vec::new(),
        };
        endpoint.version()?;
        endpoint.command(proto::BC_ENTER_LOOPER, &[]);
        endpoint.flush()?;
        Ok(endpoint)
    }

    /// The protocol version of the driver.
    pub fn version(&self) -> Result<i32> {
        self.device.version().context("BINDER_VERSION failed")
    }

    /// Becomes the context manager.
    pub fn become_manager(&self) -> io::Result<()> {
        self.device.become_manager()
    }

    /// Becomes a context manager that asks for the security contexts of callers.
    pub fn become_manager_with_labels(&self) -> io::Result<()> {
        self.device.become_manager_for_files(true)
    }

    /// Why the last call failed: a number from `errno.h`, or 0.
    pub fn last_error(&self) -> io::Result<i32> {
        self.device.last_error()
    }

    /// Adds a command to the ones that go out next.
    pub fn command(&mut self, number: u32, payload: &[u8]) {
        self.commands.extend_from_slice(&number.to_ne_bytes());
        self.commands.extend_from_slice(payload);
    }

    /// Sends the commands without waiting for anything.
    pub fn flush(&mut self) -> io::Result<()> {
        let result = self.device.write_read(&self.commands, &mut []);
        self.commands.clear();
        result.map(drop)
    }

    /// Sends the commands, then takes the next return; waits for one if need be.
    pub fn next(&mut self) -> Result<Return> {
        while self.returns.is_empty() {
            let result = self.device.write_read(&self.commands, &mut self.input);
            self.commands.clear();
            let mut rest = &self.input[..result.context("BINDER_WRITE_READ failed")?];
            while !rest.is_empty() {
                let (next, length) = Return::read(rest).ok_or_else(|| anyhow!("a cut return"))?;
                rest = &rest[length..];
                self.returns.push_back(next);
            }
        }
        self.returns.pop_front().ok_or_else(|| anyhow!("no return"))
    }

    /// Like [`Self::next`], but gives up when nothing comes for `time`.
    pub fn next_within(&mut self, time: Duration) -> Result<Option<Return>> {
        self.flush()?;
        if self.returns.is_empty() && !self.device.wait(time)? {
            return Ok(None);
        }
        self.next().map(Some)
    }

    /// Takes a message into [`Self::received`]. The driver's buffer is given back with the next
    /// command; a handle in it stays ours.
    pub fn take(&mut self, transaction: &Transaction) -> Result<()> {
        self.received.data.clear();
        self.received.offsets.clear();
        self.device.copy(
            transaction.data,
            transaction.data_size,
            &mut self.received.data,
        )?;
        if transaction.offsets_size > 0 {
            let mut bytes = Vec::new();
            self.device
                .copy(transaction.offsets, transaction.offsets_size, &mut bytes)?;
            let offsets = (0..bytes.len())
                .step_by(8)
                .filter_map(|at| proto::u64_at(&bytes, at));
            self.received.offsets.extend(offsets);
            if let Some(Object::Handle(handle)) = self.received.first_object() {
                // The buffer's own reference goes with the buffer; this one stays.
                self.command(proto::BC_ACQUIRE, &handle.to_ne_bytes());
            }
        }
        self.command(proto::BC_FREE_BUFFER, &transaction.data.to_ne_bytes());
        Ok(())
    }

    /// Does what any thread has to, whatever it waits for. Gives the rest back.
    pub fn chore(&mut self, from: Return) -> Option<Return> {
        match from {
            Return::Noop | Return::Complete => None,
            Return::Increfs { ptr, cookie } => self.done(proto::BC_INCREFS_DONE, ptr, cookie),
            Return::Acquire { ptr, cookie } => self.done(proto::BC_ACQUIRE_DONE, ptr, cookie),
            Return::DeadBinder(cookie) => {
                self.deaths.push(cookie);
                self.command(proto::BC_DEAD_BINDER_DONE, &cookie.to_ne_bytes());
                None
            }
            other => Some(other),
        }
    }

    fn done(&mut self, number: u32, ptr: u64, cookie: u64) -> Option<Return> {
        self.command(number, &ptr.to_ne_bytes());
        self.commands.extend_from_slice(&cookie.to_ne_bytes());
        None
    }

    /// Calls `handle` and waits for what comes of it.
    pub fn call(&mut self, handle: u32, code: u32, flags: u32, with: &Message) -> Result<Answer> {
        let target = handle.into();
        let call = with.describe(Transaction {
            target,
            code,
            flags,
            ..Transaction::default()
        });
        self.transaction(proto::BC_TRANSACTION, &call);
        loop {
            let next = self.next()?;
            if flags & proto::TF_ONE_WAY != 0 && next == Return::Complete {
                self.received = Message::default();
                return Ok(Answer::Reply);
            }
            match self.chore(next) {
                None => {}
                Some(Return::Reply(reply)) => {
                    self.take(&reply)?;
                    return Ok(Answer::Reply);
                }
                Some(Return::DeadReply) => return Ok(Answer::Dead),
                Some(Return::FailedReply) => return Ok(Answer::Failed),
                Some(other) => bail!("unexpected while waiting for a reply: {other:x?}"),
            }
        }
    }

    /// Answers the call that came last; it goes out with the next command.
    pub fn reply(&mut self, with: Message) {
        self.reply = with;
        let reply = self.reply.describe(Transaction::default());
        self.transaction(proto::BC_REPLY, &reply);
    }

    /// Answers with the very message that was taken.
    pub fn echo(&mut self) {
        let message = std::mem::replace(&mut self.received, std::mem::take(&mut self.reply));
        self.reply(message);
    }

    fn transaction(&mut self, number: u32, transaction: &Transaction) {
        self.command(number, transaction.as_bytes());
    }
}
