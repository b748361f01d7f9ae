// SPDX-License-Identifier: GPL-2.0

//! The parts of Binder's user interface that the demonstration uses.

use std::mem::offset_of;

use anyhow::{bail, Result};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// An ioctl or protocol number, put together as `asm-generic/ioctl.h` does.
const fn number(direction: u32, kind: u8, nr: u32, size: usize) -> u32 {
    direction << 30 | (size as u32) << 16 | (kind as u32) << 8 | nr
}

const NONE: u32 = 0;
const WRITE: u32 = 1;
const READ: u32 = 2;

pub const WRITE_READ: u32 = number(READ | WRITE, b'b', 1, size_of::<[u64; 6]>());
pub const SET_CONTEXT_MGR: u32 = number(WRITE, b'b', 7, size_of::<i32>());
pub const THREAD_EXIT: u32 = number(WRITE, b'b', 8, size_of::<i32>());
pub const VERSION: u32 = number(READ | WRITE, b'b', 9, size_of::<i32>());
/// The only one for `binder-control`.
pub const CTL_ADD: u32 = number(READ | WRITE, b'b', 1, size_of::<NewDevice>());
pub const SET_CONTEXT_MGR_EXT: u32 = number(WRITE, b'b', 13, OBJECT_SIZE);
pub const GET_EXTENDED_ERROR: u32 = number(READ | WRITE, b'b', 17, size_of::<[u32; 3]>());

pub const BC_TRANSACTION: u32 = number(WRITE, b'c', 0, size_of::<Transaction>());
pub const BC_REPLY: u32 = number(WRITE, b'c', 1, size_of::<Transaction>());
pub const BC_FREE_BUFFER: u32 = number(WRITE, b'c', 3, size_of::<u64>());
pub const BC_ACQUIRE: u32 = number(WRITE, b'c', 5, size_of::<u32>());
pub const BC_RELEASE: u32 = number(WRITE, b'c', 6, size_of::<u32>());
pub const BC_INCREFS_DONE: u32 = number(WRITE, b'c', 8, size_of::<[u64; 2]>());
pub const BC_ACQUIRE_DONE: u32 = number(WRITE, b'c', 9, size_of::<[u64; 2]>());
pub const BC_ENTER_LOOPER: u32 = number(NONE, b'c', 12, 0);
pub const BC_REQUEST_DEATH_NOTIFICATION: u32 = number(WRITE, b'c', 14, 12);
pub const BC_DEAD_BINDER_DONE: u32 = number(WRITE, b'c', 16, size_of::<u64>());
pub const BC_REQUEST_FREEZE_NOTIFICATION: u32 = number(WRITE, b'c', 19, 12);
pub const BC_FREEZE_NOTIFICATION_DONE: u32 = number(WRITE, b'c', 21, size_of::<u64>());
pub const BC_TRANSACTION_SG: u32 = number(WRITE, b'c', 17, size_of::<Transaction>() + 8);

/// What a manager reads that asks for security contexts: the address of one comes behind the rest.
const BR_TRANSACTION_SEC_CTX: u32 = number(READ, b'r', 2, size_of::<Transaction>() + 8);
const BR_TRANSACTION: u32 = number(READ, b'r', 2, size_of::<Transaction>());
const BR_REPLY: u32 = number(READ, b'r', 3, size_of::<Transaction>());
const BR_DEAD_REPLY: u32 = number(NONE, b'r', 5, 0);
const BR_TRANSACTION_COMPLETE: u32 = number(NONE, b'r', 6, 0);
const BR_INCREFS: u32 = number(READ, b'r', 7, size_of::<[u64; 2]>());
const BR_ACQUIRE: u32 = number(READ, b'r', 8, size_of::<[u64; 2]>());
const BR_NOOP: u32 = number(NONE, b'r', 12, 0);
const BR_DEAD_BINDER: u32 = number(READ, b'r', 15, size_of::<u64>());
const BR_FAILED_REPLY: u32 = number(NONE, b'r', 17, 0);
const BR_FROZEN_BINDER: u32 = number(READ, b'r', 21, size_of::<[u64; 2]>());

pub const TF_ONE_WAY: u32 = 0x01;
pub const TF_ACCEPT_FDS: u32 = 0x10;

const fn object_type(letters: [u8; 3]) -> u32 {
    u32::from_be_bytes([letters[0], letters[1], letters[2], 0x85])
}

const TYPE_BINDER: u32 = object_type(*b"sb*");
const TYPE_HANDLE: u32 = object_type(*b"sh*");
const TYPE_FD: u32 = object_type(*b"fd*");
const TYPE_FD_ARRAY: u32 = object_type(*b"fda");
const TYPE_BUFFER: u32 = object_type(*b"pt*");

/// `FLAT_BINDER_FLAG_ACCEPTS_FDS`.
const ACCEPTS_FDS: u32 = 0x100;

/// `FLAT_BINDER_FLAG_TXN_SECURITY_CTX`.
const WANTS_LABELS: u32 = 0x1000;

/// The length of `struct flat_binder_object`.
const OBJECT_SIZE: usize = 24;

/// How long the name of a device can be, with the byte that ends it.
const NAME_SIZE: usize = 256;

/// `struct binderfs_device`.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub struct NewDevice {
    name: [u8; NAME_SIZE],
    major: u32,
    minor: u32,
}

impl NewDevice {
    /// Nothing if the name is too long.
    pub fn named(name: &str) -> Option<Self> {
        let mut bytes = [0; NAME_SIZE];
        bytes[..NAME_SIZE - 1]
            .get_mut(..name.len())?
            .copy_from_slice(name.as_bytes());
        Some(Self {
            name: bytes,
            major: 0,
            minor: 0,
        })
    }
}

/// `struct binder_transaction_data`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Transaction {
    pub target: u64,
    pub cookie: u64,
    pub code: u32,
    pub flags: u32,
    pub sender_pid: i32,
    pub sender_euid: u32,
    pub data_size: u64,
    pub offsets_size: u64,
    pub data: u64,
    pub offsets: u64,
}

pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// An object inside a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// A node of the sender.
    Binder { ptr: u64, cookie: u64 },
    /// A handle of the sender, or in a received message of the receiver.
    Handle(u32),
    /// A file descriptor, likewise.
    Fd(u32),
}

impl Object {
    /// The object as 24 bytes of a message.
    pub fn bytes(self) -> [u8; OBJECT_SIZE] {
        let (kind, value, cookie) = match self {
            Self::Binder { ptr, cookie } => (TYPE_BINDER, ptr, cookie),
            Self::Handle(handle) => (TYPE_HANDLE, handle.into(), 0),
            Self::Fd(fd) => (TYPE_FD, fd.into(), 0),
        };
        let mut bytes = [0; 24];
        bytes[..4].copy_from_slice(&kind.to_ne_bytes());
        bytes[8..16].copy_from_slice(&value.to_ne_bytes());
        bytes[16..].copy_from_slice(&cookie.to_ne_bytes());
        bytes
    }

    /// Reads the object at the start of `bytes`.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let value = u64_at(bytes, 8)?;
        match u32_at(bytes, 0)? {
            TYPE_BINDER => Some(Self::Binder {
                ptr: value,
                cookie: u64_at(bytes, 16)?,
            }),
            TYPE_HANDLE => Some(Self::Handle(value as u32)),
            TYPE_FD => Some(Self::Fd(value as u32)),
            _ => None,
        }
    }
}

/// `struct binder_buffer_object` without a parent, as bytes of a message.
pub fn buffer(address: u64, length: u64) -> [u8; 40] {
    let mut bytes = [0; 40];
    bytes[..4].copy_from_slice(&TYPE_BUFFER.to_ne_bytes());
    bytes[8..16].copy_from_slice(&address.to_ne_bytes());
    bytes[16..24].copy_from_slice(&length.to_ne_bytes());
    bytes
}

/// `struct binder_fd_array_object`: so many descriptors at the start of the buffer that is the
/// first object of the message.
pub fn fd_array(number: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&TYPE_FD_ARRAY.to_ne_bytes());
    bytes[8..16].copy_from_slice(&number.to_ne_bytes());
    bytes
}

/// What a context manager passes so that calls to it may carry descriptors, and so that they come
/// with the label that a security module has for their sender.
pub fn manager_object(labels: bool) -> [u8; OBJECT_SIZE] {
    let flags = ACCEPTS_FDS | if labels { WANTS_LABELS } else { 0 };
    let mut bytes = Object::Binder { ptr: 0, cookie: 0 }.bytes();
    bytes[4..8].copy_from_slice(&flags.to_ne_bytes());
    bytes
}

/// Where [`Transaction::data`] is.
const DATA_OFFSET: usize = offset_of!(Transaction, data);

/// What the driver tells a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    Noop,
    Complete,
    Transaction(Transaction),
    Reply(Transaction),
    DeadReply,
    FailedReply,
    Increfs {
        ptr: u64,
        cookie: u64,
    },
    Acquire {
        ptr: u64,
        cookie: u64,
    },
    DeadBinder(u64),
    /// The owner of the node with this cookie is frozen, or is not.
    Frozen(u64),
    /// A return that the demonstration has no use for, by its number.
    Other(u32),
}

impl Return {
    /// Reads the return at the start of `bytes`; gives its length too.
    pub fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let number = u32_at(bytes, 0)?;
        let payload = &bytes[4..];
        let length = 4 + (number >> 16 & 0x3fff) as usize;
        let transaction = || {
            Transaction::read_from_prefix(payload)
                .ok()
                .map(|(read, _)| read)
        };
        let pair = || Some((u64_at(payload, 0)?, u64_at(payload, 8)?));
        let parsed = match number {
            BR_NOOP => Self::Noop,
            BR_TRANSACTION_COMPLETE => Self::Complete,
            BR_TRANSACTION | BR_TRANSACTION_SEC_CTX => Self::Transaction(transaction()?),
            BR_REPLY => Self::Reply(transaction()?),
            BR_DEAD_REPLY => Self::DeadReply,
            BR_FAILED_REPLY => Self::FailedReply,
            BR_INCREFS => pair().map(|(ptr, cookie)| Self::Increfs { ptr, cookie })?,
            BR_ACQUIRE => pair().map(|(ptr, cookie)| Self::Acquire { ptr, cookie })?,
            BR_DEAD_BINDER => Self::DeadBinder(u64_at(payload, 0)?),
            BR_FROZEN_BINDER => Self::Frozen(u64_at(payload, 0)?),
            other => Self::Other(other),
        };
        (length <= bytes.len()).then_some((parsed, length))
    }
}

/// Where the data of the call or reply among `returns` is, if there is one.
///
/// # Errors
///
/// Fails for an error return, which ends a measurement.
pub fn message_buffer(mut returns: &[u8]) -> Result<Option<u64>> {
    while let Some(number) = u32_at(returns, 0) {
        match number {
            BR_TRANSACTION | BR_REPLY => return Ok(u64_at(returns, 4 + DATA_OFFSET)),
            BR_NOOP | BR_TRANSACTION_COMPLETE => returns = &returns[4..],
            other => bail!("the driver answered {other:#x}"),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_header() {
        assert_eq!(WRITE_READ, 0xc030_6201);
        assert_eq!(VERSION, 0xc004_6209);
        assert_eq!(CTL_ADD, 0xc108_6201);
        assert_eq!(THREAD_EXIT, 0x4004_6208);
        assert_eq!(SET_CONTEXT_MGR_EXT, 0x4018_620d);
        assert_eq!(BC_TRANSACTION_SG, 0x4048_6311);
        assert_eq!(BC_TRANSACTION, 0x4040_6300);
        assert_eq!(BC_REQUEST_DEATH_NOTIFICATION, 0x400c_630e);
        assert_eq!(BC_REQUEST_FREEZE_NOTIFICATION, 0x400c_6313);
        assert_eq!(BC_FREEZE_NOTIFICATION_DONE, 0x4008_6315);
        assert_eq!(BR_TRANSACTION, 0x8040_7202);
        assert_eq!(BR_TRANSACTION_SEC_CTX, 0x8048_7202);
        assert_eq!(GET_EXTENDED_ERROR, 0xc00c_6211);
        assert_eq!(BR_FROZEN_BINDER, 0x8010_7215);
        assert_eq!(BR_NOOP, 0x0000_720c);
        assert_eq!(TYPE_BINDER, 0x7362_2a85);
        assert_eq!(TYPE_BUFFER, 0x7074_2a85);
        assert_eq!(TYPE_FD_ARRAY, 0x6664_6185);
    }

    #[test]
    fn a_name_has_its_end() {
        let longest = NewDevice::named(&"x".repeat(NAME_SIZE - 1)).unwrap();
        assert_eq!(longest.name[NAME_SIZE - 2..], [b'x', 0]);
        assert!(NewDevice::named(&"x".repeat(NAME_SIZE)).is_none());
    }

    #[test]
    fn a_transaction_survives_the_wire() {
        let sent = Transaction {
            target: 7,
            code: 3,
            data_size: 128,
            ..Transaction::default()
        };
        let mut bytes = BR_REPLY.to_ne_bytes().to_vec();
        bytes.extend_from_slice(sent.as_bytes());
        assert_eq!(Return::read(&bytes), Some((Return::Reply(sent), 68)));
        assert_eq!(Return::read(&bytes[..67]), None);
    }

    #[test]
    fn the_buffer_of_a_message_is_found() {
        let mut bytes = [BR_NOOP.to_ne_bytes(), BR_REPLY.to_ne_bytes()].concat();
        assert_eq!(message_buffer(&bytes[..4]).unwrap(), None);
        let reply = Transaction {
            data: 0xabc,
            ..Transaction::default()
        };
        bytes.extend_from_slice(reply.as_bytes());
        assert_eq!(message_buffer(&bytes).unwrap(), Some(0xabc));
        assert!(message_buffer(&BR_DEAD_REPLY.to_ne_bytes()).is_err());
    }

    #[test]
    fn objects_survive_the_wire() {
        for object in [
            Object::Handle(3),
            Object::Fd(5),
            Object::Binder { ptr: 1, cookie: 2 },
        ] {
            assert_eq!(Object::read(&object.bytes()), Some(object));
        }
        assert_eq!(Object::read(&[0; 24]), None);
    }
}
