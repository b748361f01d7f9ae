// SPDX-License-Identifier: GPL-2.0

//! Android's Binder, in safe Rust.
//!
//! The folders are layers. Each may use those below it, and all may use `diag`:
//!
//! - `entry`: the kernel calls us,
//! - `op`: one Binder operation a file,
//! - `object`: what lives: contexts, processes, threads, nodes, transactions,
//! - `res`: kernel resources that are owned by values,
//! - `pure`: data structures that know no kernel object,
//! - `proto`: the wire.

#![forbid(unsafe_code)]

use kernel::{
    fs::pseudo::Registration,
    net::netlink,
    prelude::*, //
};

mod diag;
mod entry;
mod object;
mod op;
mod proto;
mod pure;
mod res;

use entry::{
    binderfs::Binderfs,
    driver::Driver, //
};

module! {
    type: BinderModule,
    name: "binder_safe",
    authors: ["The binder_safe developers"],
    description: "Android Binder in safe Rust",
    license: "GPL",
    alias: ["binder_linux", "fs-binder"],
    params_prefix: "binder",
    params: {
        debug_mask: AtomicU32Param {
            default: 7,
            description: "Which messages are printed, as bits",
        },
        alloc_debug_mask: AtomicU32Param {
            default: 1,
            description: "Which messages about areas are printed, as bits",
        },
        stop_on_user_error: AtomicU32Param {
            default: 0,
            description: "1 to stop all clients when one makes an error, which makes it 2",
        },
    },
}

/// The module: as long as it is there, binderfs can be mounted.
struct BinderModule {
    _reports: netlink::Registration,
    _binderfs: Registration<Binderfs>,
}

impl kernel::Module for BinderModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            _reports: diag::report::register()?,
            _binderfs: Registration::new(Driver::new()?)?,
        })
    }
}
