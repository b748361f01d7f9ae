// SPDX-License-Identifier: GPL-2.0

//! How a transaction fails.
//!
//! The sender of a transaction that fails reads one of three returns, and can ask for an errno that
//! says more. The errno of the ioctl has nothing to do with it: that one is for commands that are
//! no commands at all.

use kernel::{
    prelude::*,
    uapi, //
};

/// A transaction or a reply did not reach its target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure {
    /// The return that tells the sender.
    pub(crate) command: u32,
    /// The negative errno that `BINDER_GET_EXTENDED_ERROR` gives, or 0.
    pub(crate) param: i32,
}

impl Failure {
    /// The transaction was wrong, or something it needs could not be had.
    pub(crate) fn failed(err: Error) -> Self {
        Self {
            command: uapi::binder_driver_return_protocol_BR_FAILED_REPLY,
            param: err.to_errno(),
        }
    }

    /// There is nobody at the other end.
    pub(crate) fn dead(err: Error) -> Self {
        Self {
            command: uapi::binder_driver_return_protocol_BR_DEAD_REPLY,
            param: err.to_errno(),
        }
    }

    /// Whether the message made no sense.
    pub(crate) fn is_user_error(&self) -> bool {
        self.command == uapi::binder_driver_return_protocol_BR_FAILED_REPLY
            && [EINVAL, EPROTO, EFAULT]
                .iter()
                .any(|err| err.to_errno() == self.param)
    }

    /// The target takes no calls at the moment.
    pub(crate) const FROZEN: Self = Self {
        command: uapi::binder_driver_return_protocol_BR_FROZEN_REPLY,
        param: 0,
    };

    /// Whoever was to answer died while the caller waited.
    pub(crate) const DIED: Self = Self {
        command: uapi::binder_driver_return_protocol_BR_DEAD_REPLY,
        param: 0,
    };
}

impl From<Error> for Failure {
    /// No room in the target's area because it has none means that the target is gone.
    fn from(err: Error) -> Self {
        if err == ESRCH {
            Self::dead(err)
        } else {
            Self::failed(err)
        }
    }
}
