// SPDX-License-Identifier: GPL-2.0

//! The names of commands and returns.

use kernel::{
    trace_event::Symbols,
    uapi, //
};

macro_rules! symbols {
    ($protocol:ident: $($name:ident)*) => {
        kernel::macros::paste! {
            &[$((uapi::[<$protocol _ $name>] as u64, stringify!($name)),)*]
        }
    };
}

/// All commands, those that no driver takes included.
pub(super) const COMMANDS: &Symbols = symbols! {
    binder_driver_command_protocol:
    BC_TRANSACTION
    BC_REPLY
    BC_ACQUIRE_RESULT
    BC_FREE_BUFFER
    BC_INCREFS
    BC_ACQUIRE
    BC_RELEASE
    BC_DECREFS
    BC_INCREFS_DONE
    BC_ACQUIRE_DONE
    BC_ATTEMPT_ACQUIRE
    BC_REGISTER_LOOPER
    BC_ENTER_LOOPER
    BC_EXIT_LOOPER
    BC_REQUEST_DEATH_NOTIFICATION
    BC_CLEAR_DEATH_NOTIFICATION
    BC_DEAD_BINDER_DONE
    BC_TRANSACTION_SG
    BC_REPLY_SG
    BC_REQUEST_FREEZE_NOTIFICATION
    BC_CLEAR_FREEZE_NOTIFICATION
    BC_FREEZE_NOTIFICATION_DONE
};

/// All returns.
pub(super) const RETURNS: &Symbols = symbols! {
    binder_driver_return_protocol:
    BR_ERROR
    BR_OK
    BR_TRANSACTION_SEC_CTX
    BR_TRANSACTION
    BR_REPLY
    BR_ACQUIRE_RESULT
    BR_DEAD_REPLY
    BR_TRANSACTION_COMPLETE
    BR_INCREFS
    BR_ACQUIRE
    BR_RELEASE
    BR_DECREFS
    BR_ATTEMPT_ACQUIRE
    BR_NOOP
    BR_SPAWN_LOOPER
    BR_FINISHED
    BR_DEAD_BINDER
    BR_CLEAR_DEATH_NOTIFICATION_DONE
    BR_FAILED_REPLY
    BR_FROZEN_REPLY
    BR_ONEWAY_SPAM_SUSPECT
    BR_TRANSACTION_PENDING_FROZEN
    BR_FROZEN_BINDER
    BR_CLEAR_FREEZE_NOTIFICATION_DONE
};
