// SPDX-License-Identifier: GPL-2.0

//! Commands: what user space writes.
//!
//! Commands are staged: as many bytes as fit are copied at once, and each command is decoded from
//! kernel memory. To user space it looks as if each were read by itself: what can be read takes
//! effect, and the first byte that cannot be read fails the call at the command that holds it.

use super::{
    object::Count,
    structs::{
        PtrCookie,
        TransactionData,
        TransactionDataSg, //
    }, //
};
use crate::diag::{
    commands::{
        self,
        Counters, //
    },
    trace, //
};
use kernel::{
    prelude::*,
    uaccess::UserSliceReader,
    uapi, //
};
use zerocopy_derive::{
    Immutable,
    KnownLayout, //
};

/// Room for what clients write most: the release of one buffer and one transaction.
const STAGE_SIZE: usize = 96;

/// A decoded command.
pub(crate) enum Command {
    /// `BC_TRANSACTION`, `BC_TRANSACTION_SG`, with [`CommandReader::message`].
    Transaction,
    /// `BC_REPLY`, `BC_REPLY_SG`, with [`CommandReader::message`].
    Reply,
    /// `BC_FREE_BUFFER`, with the buffer's address.
    FreeBuffer(u64),
    /// `BC_ACQUIRE`, `BC_INCREFS`, with the handle.
    AddRef(Count, u32),
    /// `BC_RELEASE`, `BC_DECREFS`, with the handle.
    RemoveRef(Count, u32),
    /// `BC_ACQUIRE_DONE`, `BC_INCREFS_DONE`, with the node.
    Confirm(Count, PtrCookie),
    /// `BC_REQUEST_DEATH_NOTIFICATION`.
    RequestDeath(HandleCookie),
    /// `BC_CLEAR_DEATH_NOTIFICATION`.
    ClearDeath(HandleCookie),
    /// `BC_DEAD_BINDER_DONE`, with the cookie.
    DeathDone(u64),
    /// `BC_REQUEST_FREEZE_NOTIFICATION`.
    RequestFreeze(HandleCookie),
    /// `BC_CLEAR_FREEZE_NOTIFICATION`.
    ClearFreeze(HandleCookie),
    /// `BC_FREEZE_NOTIFICATION_DONE`, with the cookie.
    FreezeDone(u64),
    /// `BC_REGISTER_LOOPER`.
    RegisterLooper,
    /// `BC_ENTER_LOOPER`.
    EnterLooper,
    /// `BC_EXIT_LOOPER`.
    ExitLooper,
}

/// A handle and what its holder calls it; packed on the wire.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, Immutable, KnownLayout)]
pub(crate) struct HandleCookie {
    handle: [u8; size_of::<u32>()],
    cookie: [u8; size_of::<u64>()],
}

const _: () = assert!(size_of::<HandleCookie>() == size_of::<uapi::binder_handle_cookie>());

impl HandleCookie {
    /// The handle.
    pub(crate) fn handle(&self) -> u32 {
        u32::from_ne_bytes(self.handle)
    }

    /// The cookie.
    pub(crate) fn cookie(&self) -> u64 {
        u64::from_ne_bytes(self.cookie)
    }
}

/// Reads commands one by one and knows how many bytes the complete ones took.
pub(crate) struct CommandReader {
    user: UserSliceReader,
    stage: [u8; STAGE_SIZE],
    /// Where the next command starts in the stage.
    pos: usize,
    /// How many bytes of the stage are filled.
    filled: usize,
    /// How many bytes the command takes that was read last.
    size: usize,
    consumed: u64,
}

impl CommandReader {
    /// Reads from `user`, of which `consumed` bytes were already dealt with in an earlier call.
    pub(crate) fn new(user: UserSliceReader, consumed: u64) -> Self {
        Self {
            user,
            stage: [0; STAGE_SIZE],
            pos: 0,
            filled: 0,
            size: 0,
            consumed,
        }
    }

    /// How many bytes of commands took effect, those of earlier calls included.
    pub(crate) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Whether all commands were read.
    pub(crate) fn is_empty(&self) -> bool {
        self.pos == self.filled && self.user.is_empty()
    }

    /// Decodes the next command, which counts as consumed once [`Self::commit`] is called, and in
    /// `counters` at once.
    ///
    /// Fails with `EINVAL` if there is no such command, and with `EFAULT` if it cannot be read
    /// whole; in both cases nothing more can be read.
    pub(crate) fn next(&mut self, counters: &Counters) -> Result<Command> {
        let word = self.get::<u32>(0)?;
        counters.count_command(word);
        trace::Command::trace(|| trace::Command { cmd: word });
        // The size of a command's payload is part of its number.
        self.size = size_of::<u32>() + kernel::ioctl::_IOC_SIZE(word);
        Ok(match word {
            uapi::binder_driver_command_protocol_BC_TRANSACTION
            | uapi::binder_driver_command_protocol_BC_TRANSACTION_SG => {
                self.fetch(self.size)?;
                Command::Transaction
            }
            uapi::binder_driver_command_protocol_BC_REPLY
            | uapi::binder_driver_command_protocol_BC_REPLY_SG => {
                self.fetch(self.size)?;
                Command::Reply
            }
            uapi::binder_driver_command_protocol_BC_FREE_BUFFER => {
                Command::FreeBuffer(self.payload()?)
            }
            uapi::binder_driver_command_protocol_BC_REQUEST_DEATH_NOTIFICATION => {
                Command::RequestDeath(self.payload()?)
            }
            uapi::binder_driver_command_protocol_BC_CLEAR_DEATH_NOTIFICATION => {
                Command::ClearDeath(self.payload()?)
            }
            uapi::binder_driver_command_protocol_BC_DEAD_BINDER_DONE => {
                Command::DeathDone(self.payload()?)
            }
            uapi::binder_driver_command_protocol_BC_REQUEST_FREEZE_NOTIFICATION => {
                Command::RequestFreeze(self.payload()?)
            }
            uapi::binder_driver_command_protocol_BC_CLEAR_FREEZE_NOTIFICATION => {
                Command::ClearFreeze(self.payload()?)
            }
            uapi::binder_driver_command_protocol_BC_FREEZE_NOTIFICATION_DONE => {
                Command::FreezeDone(self.payload()?)
            }
            uapi::binder_driver_command_protocol_BC_REGISTER_LOOPER => Command::RegisterLooper,
            uapi::binder_driver_command_protocol_BC_ENTER_LOOPER => Command::EnterLooper,
            uapi::binder_driver_command_protocol_BC_EXIT_LOOPER => Command::ExitLooper,
            _ => return self.count(word),
        })
    }

    /// Decodes a command about the references to a node.
    fn count(&mut self, word: u32) -> Result<Command> {
        Ok(match word {
            uapi::binder_driver_command_protocol_BC_ACQUIRE => {
                Command::AddRef(Count::Strong, self.payload()?)
            }
            uapi::binder_driver_command_protocol_BC_INCREFS => {
                Command::AddRef(Count::Weak, self.payload()?)
            }
            uapi::binder_driver_command_protocol_BC_RELEASE => {
                Command::RemoveRef(Count::Strong, self.payload()?)
            }
            uapi::binder_driver_command_protocol_BC_DECREFS => {
                Command::RemoveRef(Count::Weak, self.payload()?)
            }
            uapi::binder_driver_command_protocol_BC_ACQUIRE_DONE => {
                Command::Confirm(Count::Strong, self.payload()?)
            }
            uapi::binder_driver_command_protocol_BC_INCREFS_DONE => {
                Command::Confirm(Count::Weak, self.payload()?)
            }
            _ => return Err(EINVAL),
        })
    }

    /// The command that was read last took effect.
    pub(crate) fn commit(&mut self) {
        self.pos += self.size;
        self.consumed += self.size as u64;
    }

    /// What the command that was read last is called.
    pub(crate) fn name(&self) -> &'static str {
        commands::name(self.peek(0).unwrap_or(0))
    }

    /// The handle, pointer or cookie that it begins with.
    pub(crate) fn argument(&self) -> u64 {
        let at = size_of::<u32>();
        let size = kernel::ioctl::_IOC_SIZE(self.peek(0).unwrap_or(0));
        if size == size_of::<u32>() || size == size_of::<HandleCookie>() {
            self.peek::<u32>(at).map_or(0, u64::from)
        } else {
            self.peek(at).unwrap_or(0)
        }
    }

    /// The transaction or reply that was read last, one without extra room in the form of one with.
    pub(crate) fn message(&self) -> Result<TransactionDataSg> {
        let at = size_of::<u32>();
        let behind = at + size_of::<TransactionData>();
        Ok(TransactionDataSg {
            transaction_data: self.peek(at)?,
            buffers_size: if self.size > behind {
                self.peek(behind)?
            } else {
                0
            },
        })
    }

    /// The structure behind the command word.
    fn payload<T: FromBytes>(&mut self) -> Result<T> {
        self.get(size_of::<u32>())
    }

    /// Decodes a `T` that starts `offset` bytes into the current command.
    fn get<T: FromBytes>(&mut self, offset: usize) -> Result<T> {
        self.fetch(offset + size_of::<T>())?;
        self.peek(offset)
    }

    /// Stages the first `size` bytes of the current command.
    fn fetch(&mut self, size: usize) -> Result {
        if self.pos + size > self.filled {
            self.refill();
            if size > self.filled {
                return Err(EFAULT);
            }
        }
        Ok(())
    }

    /// Decodes a `T` of which all bytes are staged.
    fn peek<T: FromBytes>(&self, offset: usize) -> Result<T> {
        let start = self.pos + offset;
        let bytes = self.stage.get(start..start + size_of::<T>());
        T::read_from_bytes(bytes.ok_or(EFAULT)?).map_err(|_| EFAULT)
    }

    /// Moves the rest of the stage to its front and copies what fits behind it.
    #[cold]
    fn refill(&mut self) {
        self.stage.copy_within(self.pos..self.filled, 0);
        self.filled -= self.pos;
        self.pos = 0;
        self.filled += self.user.read_up_to(&mut self.stage[self.filled..]);
    }
}
