// SPDX-License-Identifier: GPL-2.0

//! binderfs: each mount is an instance with devices of its own.

pub(crate) mod control;
pub(crate) mod device;
pub(crate) mod device_limit;
pub(crate) mod driver;
pub(crate) mod features;
pub(crate) mod fs_type;
pub(crate) mod initial_devices;
pub(crate) mod minors;
pub(crate) mod misc;
pub(crate) mod mount;
pub(crate) mod names;
pub(crate) mod new_device;
pub(crate) mod options;
pub(crate) mod param;

use self::{
    control::ControlFile,
    device::FIRST_DEVICE_INO,
    driver::Driver,
    features::add_features,
    fs_type::Binderfs,
    minors::MAX_MINORS,
    mount::Mount,
    options::{
        Options,
        PARAMS, //
    }, //
};
use crate::logs::mounted::add_logs;
use kernel::{
    fs::{
        param::{
            MountLog,
            Param, //
        },
        pseudo::{
            ChrNode,
            Dir,
            Entry,
            FileSystem,
            Flags,
            NewSuperBlock,
            Owner,
            Rename,
            SuperBlock, //
        }, //
    },
    prelude::*,
    seq_file::{
        seq_print,
        SeqFile, //
    },
    sync::Arc,
    uapi, //
};

/// The inode number of `binder-control`; the root has 1.
const CONTROL_INO: u64 = 2;

#[vtable]
impl FileSystem for Binderfs {
    const NAME: &'static CStr = c"binder";
    const MAGIC: usize = uapi::BINDERFS_SUPER_MAGIC as usize;
    const FLAGS: Flags = Flags::USERNS_MOUNT
        .union(Flags::DEVICES)
        .union(Flags::NOEXEC);
    const RESERVED_INODES: u32 = FIRST_DEVICE_INO + MAX_MINORS;
    const PARAMS: &'static [Param<Options>] = PARAMS;

    type Context = Arc<Driver>;
    type Data = Mount;
    type Options = Options;

    fn fill_super(sb: &NewSuperBlock<'_, Self>, options: &Options) -> Result<Mount> {
        Mount::new(sb.context(), options)
    }

    fn populate(root: &Dir<'_, Self>, _options: &Options) -> Result {
        let mount = root.super_block().data();
        add_control(root, mount)?;
        for name in mount.first.names(&mount.driver) {
            let device = mount.new_device(name)?;
            device.insert(root, name, mount.first.access())?;
        }
        add_features(root)?;
        if mount.stats {
            add_logs(root, mount)?;
        }
        Ok(())
    }

    fn reconfigure(sb: &SuperBlock<Self>, options: &Options, log: &MountLog<'_>) -> Result {
        let mount = sb.data();
        if options.stats != mount.stats {
            return Err(log.invalid(fmt!("'stats' cannot be changed by a remount")));
        }
        if mount.first.differs(&options.first) {
            return Err(log.invalid(fmt!("the first devices cannot be changed by a remount")));
        }
        mount.limit.set_max(options.max);
        Ok(())
    }

    fn show_options(sb: &SuperBlock<Self>, m: &SeqFile) -> Result {
        let mount = sb.data();
        seq_print!(m, ",max={}", mount.limit.max());
        if mount.stats {
            seq_print!(m, ",stats=global");
        }
        mount.first.show(m);
        Ok(())
    }

    fn may_unlink(entry: &Entry<'_, Self>) -> Result {
        not_control(entry)
    }

    fn may_rename(rename: &Rename<'_, Self>) -> Result {
        not_control(&rename.source)?;
        rename.target.as_ref().map_or(Ok(()), not_control)
    }
}

/// Makes the node that makes devices. It does not count as one.
fn add_control(root: &Dir<'_, Binderfs>, mount: &Mount) -> Result {
    let minor = mount.take_minor()?;
    let node = ChrNode {
        dev: minor.dev,
        mode: 0o600,
        ino: Some(CONTROL_INO),
        owner: Owner::ROOT,
    };
    root.create_chr::<ControlFile>(c"binder-control", node, minor)
}

/// A mount keeps its control node, under its name.
fn not_control(entry: &Entry<'_, Binderfs>) -> Result {
    match entry.context::<ControlFile>() {
        Some(_) => Err(EPERM),
        None => Ok(()),
    }
}
