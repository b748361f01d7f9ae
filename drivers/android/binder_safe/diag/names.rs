// SPDX-License-Identifier: GPL-2.0

//! The names of commands and returns.

use kernel::{
    ioctl::_IOC_NR,
    macros,
    uapi, //
};

/// Words of the ABI and their names.
pub(crate) type Names = [(u64, &'static str)];

macro_rules! names {
    ($protocol:ident: $($name:ident)*) => {
        macros::paste!(&[$((uapi::[<$protocol _ $name>] as u64, stringify!($name))),*])
    };
}

/// All commands, those that no driver takes included.
pub(crate) const COMMANDS: &Names = names! {
    binder_driver_command_protocol:
    BC_TRANSACTION_SG BC_TRANSACTION BC_REPLY_SG BC_REPLY BC_FREE_BUFFER
    BC_ENTER_LOOPER BC_REGISTER_LOOPER BC_EXIT_LOOPER
    BC_ACQUIRE BC_ACQUIRE_DONE BC_RELEASE BC_ATTEMPT_ACQUIRE BC_ACQUIRE_RESULT
    BC_INCREFS BC_INCREFS_DONE BC_DECREFS
    BC_REQUEST_DEATH_NOTIFICATION BC_DEAD_BINDER_DONE BC_CLEAR_DEATH_NOTIFICATION
    BC_REQUEST_FREEZE_NOTIFICATION BC_FREEZE_NOTIFICATION_DONE BC_CLEAR_FREEZE_NOTIFICATION
};

/// All returns, those that no driver gives included.
pub(crate) const RETURNS: &Names = names! {
    binder_driver_return_protocol:
    BR_TRANSACTION BR_TRANSACTION_SEC_CTX BR_REPLY
    BR_TRANSACTION_COMPLETE BR_TRANSACTION_PENDING_FROZEN BR_ONEWAY_SPAM_SUSPECT
    BR_FAILED_REPLY BR_DEAD_REPLY BR_FROZEN_REPLY
    BR_NOOP BR_SPAWN_LOOPER BR_FINISHED BR_OK BR_ERROR
    BR_ACQUIRE BR_RELEASE BR_ATTEMPT_ACQUIRE BR_ACQUIRE_RESULT BR_INCREFS BR_DECREFS
    BR_DEAD_BINDER BR_CLEAR_DEATH_NOTIFICATION_DONE
    BR_FROZEN_BINDER BR_CLEAR_FREEZE_NOTIFICATION_DONE
};

/// Puts names where the numbers of their words say; of two words with one number the first counts.
///
/// # Panics
///
/// If there is no word for a number below `N`, or one for a higher number, which stops the build
/// where this is used for a constant.
pub(super) const fn by_number<const N: usize>(names: &Names) -> [&'static str; N] {
    let mut table = [""; N];
    let mut missing = N;
    let mut i = 0;
    while i < names.len() {
        let (word, name) = names[i];
        let place = &mut table[_IOC_NR(word as u32) as usize];
        if place.is_empty() {
            *place = name;
            missing -= 1;
        }
        i += 1;
    }
    assert!(missing == 0, "a number has no word");
    table
}
