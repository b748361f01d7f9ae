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
    cdev,
    fs::pseudo,
    module,
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
    dev::DevNodes,
    driver::Driver,
    file::DeviceFile,
    minors::Served, //
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

/// The module: as long as it is there, binderfs can be mounted. The parts end from the first on.
struct BinderModule {
    _binderfs: pseudo::Registration<Binderfs>,
    _dev_nodes: DevNodes,
    _numbers: cdev::Registration<Served>,
    _reports: netlink::Registration,
}

impl kernel::Module for BinderModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let reports = diag::report::register().inspect_err(|err| explain(err, "netlink family"))?;
        let driver = Driver::new()?;
        let numbers = cdev::Registration::new::<DeviceFile>(Served(driver.minors.clone()))?;
        let dev_nodes = DevNodes::new(&driver)?;
        // The last, since mounts may come at once.
        let binderfs = pseudo::Registration::new(driver);
        Ok(Self {
            _binderfs: binderfs.inspect_err(|err| explain(err, "file system"))?,
            _dev_nodes: dev_nodes,
            _numbers: numbers,
            _reports: reports,
        })
    }
}

/// The names in `/sys/module` of other drivers for Binder, modules or built in. A second
/// `binder_linux` is refused by the kernel before it is asked.
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
