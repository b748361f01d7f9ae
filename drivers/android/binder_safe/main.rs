// SPDX-License-Identifier: GPL-2.0

//! Android's Binder, in safe Rust.
//!
//! Each folder has a subject, and `impl`s of its types:
//!
//! - `file`: the operations of an open file,
//! - `binderfs`: mounts, devices, and the module's parameters,
//! - `logs`: state files,
//! - `context`: devices as processes see them, their managers, and lists of everybody,
//! - `process`: processes, their nodes, references and subscriptions,
//! - `thread`: threads, their work, and how they read it,
//! - `transaction`: a message from the command that sends it to its end.
//!
//! Below these, and without knowledge of them:
//!
//! - `memory`: the mapped area of a process, and buffers in it,
//! - `collections`: data structures that use no kernel objects,
//! - `wire`: structures, commands and returns of the ABI,
//! - `diag`: counts, history, messages and trace events.

#![forbid(unsafe_code)]

use kernel::{
    fs::pseudo,
    module,
    net::netlink,
    prelude::*, //
};

mod binderfs;
mod collections;
mod context;
mod diag;
mod file;
mod logs;
mod memory;
mod process;
mod thread;
mod transaction;
mod wire;

use binderfs::{
    driver::Driver,
    fs_type::Binderfs,
    misc::DevNodes, //
};

module! {
    type: BinderModule,
    name: "binder_linux",
    authors: ["The binder_safe developers"],
    description: "Android Binder in safe Rust",
    license: "GPL",
    alias: ["binder_safe", "fs-binder"],
    params_prefix: "binder",
    params: {
        devices: StringParam {
            default: env!("CONFIG_ANDROID_BINDER_DEVICES"),
            description: "Devices of each new mount, and if given also of /dev",
        },
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

/// The module: as long as it is there, binderfs can be mounted. Fields drop in declaration order.
struct BinderModule {
    _binderfs: pseudo::Registration<Binderfs>,
    _dev_nodes: DevNodes,
    _reports: netlink::Registration,
}

impl kernel::Module for BinderModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let reports = diag::report::register().inspect_err(|err| explain(err, "netlink family"))?;
        let driver = Driver::new()?;
        let dev_nodes = DevNodes::new(&driver)?;
        // The last, since mounts may come at once.
        let binderfs = pseudo::Registration::new(driver);
        Ok(Self {
            _binderfs: binderfs.inspect_err(|err| explain(err, "file system"))?,
            _dev_nodes: dev_nodes,
            _reports: reports,
        })
    }
}

/// What other drivers that have the same names are called, as modules or in a kernel that has
/// them built in. A second `binder_linux` is refused before it is asked.
const OTHERS: [&CStr; 2] = [c"rust_binder", c"binder"];

/// Says why the module cannot be there, if the reason is that the name is taken, and by whom.
fn explain(err: &Error, what: &str) {
    if !matches!(*err, EEXIST | EBUSY) {
        return;
    }
    let mut others = OTHERS.into_iter();
    match others.find(|name| module::is_present(name)) {
        Some(name) => pr_err!("the driver {name} has the {what} \"binder\" already\n"),
        None => pr_err!("another Binder driver has the {what} \"binder\" already\n"),
    }
}
