// SPDX-License-Identifier: GPL-2.0

//! System calls, and the commands and returns that they carry.

use crate::diag::names::{
    COMMANDS,
    RETURNS, //
};
use kernel::{
    prelude::*,
    trace_event, //
};

trace_event! {
    /// An ioctl begins.
    pub(crate) struct Ioctl("binder", "binder_ioctl") {
        pub(crate) cmd: u32,
        pub(crate) arg: usize,
    }
    print("cmd=0x%x arg=0x%lx", cmd, arg)
}

/// Events that say how something ended: with 0 or with an errno.
macro_rules! ends {
    ($($(#[$meta:meta])* $name:ident($event:literal);)*) => {$(
        trace_event! {
            $(#[$meta])*
            pub(crate) struct $name("binder", $event) {
                ret: i32,
            }
            print("ret=%d", ret)
        }

        impl $name {
            /// Records how it ended.
            #[inline(always)]
            pub(crate) fn with<T>(result: &Result<T>) {
                Self::trace(|| Self {
                    ret: result.as_ref().map_or_else(|err| err.to_errno(), |_| 0),
                });
            }
        }
    )*};
}

ends! {
    /// An ioctl is done.
    IoctlDone("binder_ioctl_done");
    /// The commands of a `BINDER_WRITE_READ` are done.
    WriteDone("binder_write_done");
    /// The read of a `BINDER_WRITE_READ` is done.
    ReadDone("binder_read_done");
}

trace_event! {
    /// A thread looks for work, and is about to sleep if there is none.
    pub(crate) struct WaitForWork("binder", "binder_wait_for_work") {
        /// It takes work of its process.
        pub(crate) proc_work: bool,
        /// It makes or handles a call.
        pub(crate) transaction_stack: bool,
        /// There is work for it.
        pub(crate) thread_todo: bool,
    }
    print(
        "proc_work=%d transaction_stack=%d thread_todo=%d",
        proc_work, transaction_stack, thread_todo
    )
}

trace_event! {
    /// A command was read, and is about to be carried out.
    pub(crate) struct Command("binder", "binder_command") {
        pub(crate) cmd: u32,
    }
    print("cmd=0x%x %s", cmd, cmd as COMMANDS)
}

trace_event! {
    /// A return is written.
    pub(crate) struct Return("binder", "binder_return") {
        pub(crate) cmd: u32,
    }
    print("cmd=0x%x %s", cmd, cmd as RETURNS)
}
