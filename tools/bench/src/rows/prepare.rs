// SPDX-License-Identifier: GPL-2.0

//! What a process can have much of, made ready to end.

use std::{
    any::Any,
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    mem,
    os::unix::net::UnixStream,
    path::Path,
};

use anyhow::{Context, Result};
use binder::{
    proto::{self, Object},
    sys::add_device,
};

use crate::{
    server,
    sys::{self, Child},
    wire::Wire,
};

/// Files that a process has besides those of the device.
const OTHER_FILES: u64 = 64;

/// Where binderfs is mounted; in the root, which is in memory.
const MOUNT: &str = "/scale";

/// Ends what was made ready, and gives what is to go afterwards.
pub type End = Box<dyn FnOnce() -> Result<Box<dyn Any>>>;

/// Makes so many of something ready to end, through this device.
pub type Prepare = fn(&Path, usize) -> Result<End>;

/// Opens the device so often and leaves it to the end of the process to close it.
fn open(path: &Path, number: usize) -> Result<()> {
    sys::allow_files(number as u64 + OTHER_FILES)?;
    for at in 0..number {
        let file = OpenOptions::new().read(true).write(true).open(path);
        mem::forget(file.with_context(|| format!("cannot open {path:?} after {at} times"))?);
    }
    Ok(())
}

/// A process that has opened the device so often exits.
pub fn exit(path: &Path, number: usize) -> Result<End> {
    let (mut ours, mut theirs) = UnixStream::pair()?;
    // Only the process itself has its end of the socket: should it fail, we see that.
    let child = Child::start(move || {
        let end = open(path, number).and_then(|()| {
            theirs.write_all(&[1])?;
            Ok(theirs.read_exact(&mut [0])?)
        });
        if let Err(error) = &end {
            eprintln!("error: {error:#}");
        }
        end.is_err().into()
    })?;
    ours.read_exact(&mut [0]).context("a process has gone")?;
    Ok(Box::new(move || {
        ours.write_all(&[1])?;
        child.wait()?;
        Ok(Box::new(()))
    }))
}

/// An open device that holds handles of nodes of another closes; each was the subject of `request`.
fn close(path: &Path, number: usize, request: Option<u32>) -> Result<End> {
    let server = server::start(path, 1)?;
    let (mut owner, mut holder) = (Wire::open(path)?, Wire::open(path)?);
    let to_holder = server::introduce(&mut owner, &mut holder)?;
    let node = |ptr| Object::Binder { ptr, cookie: ptr };
    let nodes: Vec<Object> = (2..number as u64 + 2).map(node).collect();
    let handles = server::hand_over(&mut owner, &mut holder, to_holder, &nodes)?;
    if let Some(request) = request {
        for handle in handles {
            holder.handle(request, handle);
            holder.put(&u64::from(handle).to_ne_bytes());
            holder.settle()?;
        }
    }
    Ok(Box::new(move || {
        drop(holder);
        Ok(Box::new((owner, server)))
    }))
}

/// Handles and nothing else: what the next two are to be compared with.
pub fn handles(path: &Path, number: usize) -> Result<End> {
    close(path, number, None)
}

pub fn deaths(path: &Path, number: usize) -> Result<End> {
    close(path, number, Some(proto::BC_REQUEST_DEATH_NOTIFICATION))
}

pub fn freezes(path: &Path, number: usize) -> Result<End> {
    close(path, number, Some(proto::BC_REQUEST_FREEZE_NOTIFICATION))
}

/// An instance of binderfs with so many devices more than it begins with is unmounted.
pub fn umount(_: &Path, number: usize) -> Result<End> {
    let mount = Path::new(MOUNT);
    fs::create_dir_all(mount)?;
    sys::mount_binder(mount).context("cannot mount binderfs")?;
    let control = File::open(mount.join("binder-control"))?;
    for at in 0..number {
        let added = add_device(&control, &format!("device-{at}"));
        added.with_context(|| format!("cannot add a device to {at}"))?;
    }
    drop(control);
    Ok(Box::new(move || {
        sys::umount(Path::new(MOUNT)).context("cannot unmount binderfs")?;
        Ok(Box::new(()))
    }))
}
