// SPDX-License-Identifier: GPL-2.0

//! Threads and processes that come and go.

use std::{io, path::Path, sync::Arc, thread};

use anyhow::{Context, Result};
use binder::{
    proto::{self, Object, Return},
    sys::Device,
};

use super::Operation;
use crate::{
    server::{self, code},
    sys::Child,
    wire::{command, Data, Wire},
};

/// The current thread offers itself for work and has the driver forget it.
fn come_and_go(device: &Device) -> io::Result<()> {
    device.write_read(&proto::BC_ENTER_LOOPER.to_ne_bytes(), &mut [])?;
    device.thread_exit()
}

/// A thread that offers itself for work, has the driver forget it, and ends.
struct Thread(Arc<Device>);

impl Operation for Thread {
    fn once(&mut self) -> Result<()> {
        let device = self.0.clone();
        let thread = thread::spawn(move || come_and_go(&device));
        thread.join().ok().context("the thread panicked")??;
        Ok(())
    }
}

pub fn thread(path: &Path, _: usize) -> Result<Box<dyn Operation>> {
    Ok(Box::new(Thread(Wire::open(path)?.device)))
}

/// A task that offers itself for work and has the driver forget it, and goes on.
struct Looper(Arc<Device>);

impl Operation for Looper {
    fn once(&mut self) -> Result<()> {
        Ok(come_and_go(&self.0)?)
    }
}

pub fn looper(path: &Path, _: usize) -> Result<Box<dyn Operation>> {
    Ok(Box::new(Looper(Wire::open(path)?.device)))
}

/// A process that opens and maps the device, makes one call, and ends.
struct Process<'a> {
    path: &'a Path,
    _server: Child,
}

fn visit(path: &Path) -> Result<()> {
    let mut wire = Wire::open(path)?;
    let data = Data::plain(4);
    wire.put(&command(proto::BC_TRANSACTION, 0, code::EMPTY, 0, &data));
    wire.message().map(drop)
}

impl Operation for Process<'_> {
    fn once(&mut self) -> Result<()> {
        Child::start(|| visit(self.path).is_err().into())?.wait()
    }
}

pub fn process(path: &Path, _: usize) -> Result<Box<dyn Operation>> {
    let path: &'static Path = Box::leak(path.into());
    Ok(Box::new(Process {
        path,
        _server: server::start(path, 1)?,
    }))
}

/// A device that is opened, mapped, used for one call and closed by a process that goes on.
struct Visit {
    path: Box<Path>,
    _server: Child,
}

impl Operation for Visit {
    fn once(&mut self) -> Result<()> {
        visit(&self.path)
    }
}

pub fn opened(path: &Path, _: usize) -> Result<Box<dyn Operation>> {
    Ok(Box::new(Visit {
        path: path.into(),
        _server: server::start(path, 1)?,
    }))
}

/// An open device gives another one of ours nodes and goes; that is told of the death of each.
struct Death {
    path: Box<Path>,
    watcher: Wire,
    nodes: Data,
    _server: Child,
}

impl Operation for Death {
    fn once(&mut self) -> Result<()> {
        let mut subject = Wire::open(&self.path)?;
        let handle = server::introduce(&mut subject, &mut self.watcher)?;
        let flags = proto::TF_ONE_WAY;
        subject.put(&command(
            proto::BC_TRANSACTION,
            handle,
            0,
            flags,
            &self.nodes,
        ));
        subject.flush()?;
        let offer = self.watcher.message()?;
        let handles = self.watcher.keep_handles(&offer)?;
        for &handle in &handles {
            self.watcher
                .handle(proto::BC_REQUEST_DEATH_NOTIFICATION, handle);
            self.watcher.put(&u64::from(handle).to_ne_bytes());
        }
        self.watcher.flush()?;
        drop(subject);
        let mut told = 0;
        while told < handles.len() {
            let mut dead = Vec::new();
            self.watcher.until(|got| match got {
                Return::DeadBinder(cookie) => {
                    dead.push(*cookie);
                    Some(())
                }
                _ => None,
            })?;
            told += dead.len();
            for cookie in dead {
                self.watcher.put(&proto::BC_DEAD_BINDER_DONE.to_ne_bytes());
                self.watcher.put(&cookie.to_ne_bytes());
                self.watcher.handle(proto::BC_RELEASE, cookie as u32);
            }
        }
        self.watcher.flush()
    }

    fn size(&self) -> u32 {
        self.nodes.offsets.len() as u32
    }
}

pub fn death(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    let server = server::start(path, 1)?;
    let node = |ptr| Object::Binder { ptr, cookie: ptr };
    let nodes: Vec<Object> = (1..=number as u64).map(node).collect();
    Ok(Box::new(Death {
        path: path.into(),
        watcher: Wire::open(path)?,
        nodes: Data::objects(&nodes),
        _server: server,
    }))
}
