// SPDX-License-Identifier: GPL-2.0

//! The mount options of binderfs.

use super::{
    initial_devices::First,
    minors::MAX_MINORS, //
};
use kernel::{
    capability::Capability,
    fs::param::{
        MountLog,
        Param, //
    },
    prelude::*, //
};

/// What a mount was asked for.
pub(crate) struct Options {
    /// `max=`: how many devices it may have.
    pub(crate) max: u32,
    /// `stats=global`: it shows the logs of all processes.
    pub(crate) stats: bool,
    /// `devices=`, `mode=`, `uid=` and `gid=`: what it has from the start.
    pub(crate) first: First,
}

/// All options.
pub(crate) const PARAMS: &[Param<Options>] = &[
    Param::u32(c"max", set_max),
    Param::choice(c"stats", &[c"global"], set_stats),
    Param::text(c"devices", set_devices),
    Param::octal(c"mode", set_mode),
    Param::u32(c"uid", set_uid),
    Param::u32(c"gid", set_gid),
];

impl Default for Options {
    fn default() -> Self {
        Self {
            max: MAX_MINORS,
            stats: false,
            first: First::default(),
        }
    }
}

fn set_max(options: &mut Options, max: u32, log: &MountLog<'_>) -> Result {
    if max > MAX_MINORS {
        return Err(log.invalid(fmt!("'max' cannot be above {MAX_MINORS}")));
    }
    options.max = max;
    Ok(())
}

/// The logs tell about processes of all users and namespaces, so only an administrator may ask.
fn set_stats(options: &mut Options, _word: usize, _log: &MountLog<'_>) -> Result {
    if !Capability::SYS_ADMIN.is_held() {
        return Err(EPERM);
    }
    options.stats = true;
    Ok(())
}

fn set_devices(options: &mut Options, names: &CStr, log: &MountLog<'_>) -> Result {
    let result = options.first.set_names(names);
    result.map_err(|err| match err {
        ENOMEM => err,
        _ => log.invalid(fmt!("'devices' must be names with ':' between")),
    })
}

fn set_mode(options: &mut Options, mode: u32, log: &MountLog<'_>) -> Result {
    let result = options.first.set_mode(mode);
    result.map_err(|_| log.invalid(fmt!("'mode' cannot be above 777")))
}

fn set_uid(options: &mut Options, uid: u32, _log: &MountLog<'_>) -> Result {
    options.first.uid = Some(uid);
    Ok(())
}

fn set_gid(options: &mut Options, gid: u32, _log: &MountLog<'_>) -> Result {
    options.first.gid = Some(gid);
    Ok(())
}
