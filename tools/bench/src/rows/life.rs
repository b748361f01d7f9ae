// SPDX-License-Identifier: GPL-2.0

//! Threads and processes that come and go.

use std::{path::Path, sync::Arc, thread};

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

/// A thread that offers itself for work, has the driver forget it, and ends.
struct Thread(Arc<Device>);

impl Operation for Thread {
    fn once(&mut self) -> Result<()> {
        let device = self.0.clone();
        let thread = thread::spawn(move || {
            device.write_read(&proto::BC_ENTER_LOOPER.to_ne_bytes(), &mut [])?;
            device.thread_exit()
        });
        thread.join().ok().context("the thread panicked")??;
        Ok(())
    }
}

pub fn thread(path: &Path, _: usize) -> Result<Box<dyn Operation>> {
    Ok(Box::new(Thread(Wire::open(path)?.device)))
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

/// An open device gives us nodes and goes; we are told of the death of each. Nobody else runs.
struct Death {
    path: Box<Path>,
    manager: Wire,
    nodes: Data,
}

impl Operation for Death {
    fn once(&mut self) -> Result<()> {
        let mut subject = Wire::open(&self.path)?;
        let flags = proto::TF_ONE_WAY;
        subject.put(&command(proto::BC_TRANSACTION, 0, 0, flags, &self.nodes));
        subject.flush()?;
        let offer = self.manager.message()?;
        let handles = self.manager.keep_handles(&offer)?;
        for &handle in &handles {
            self.manager
                .handle(proto::BC_REQUEST_DEATH_NOTIFICATION, handle);
            self.manager.put(&u64::from(handle).to_ne_bytes());
        }
        self.manager.flush()?;
        drop(subject);
        let mut told = 0;
        while told < handles.len() {
            let mut dead = Vec::new();
            self.manager.until(|got| match got {
                Return::DeadBinder(cookie) => {
                    dead.push(*cookie);
                    Some(())
                }
                _ => None,
            })?;
            told += dead.len();
            for cookie in dead {
                self.manager.put(&proto::BC_DEAD_BINDER_DONE.to_ne_bytes());
                self.manager.put(&cookie.to_ne_bytes());
                self.manager.handle(proto::BC_RELEASE, cookie as u32);
            }
        }
        self.manager.flush()
    }

    fn size(&self) -> u32 {
        self.nodes.offsets.len() as u32
    }
}

pub fn death(path: &Path, number: usize) -> Result<Box<dyn Operation>> {
    let manager = Wire::open(path)?;
    manager.become_manager()?;
    let node = |ptr| Object::Binder { ptr, cookie: ptr };
    let nodes: Vec<Object> = (1..=number as u64).map(node).collect();
    Ok(Box::new(Death {
        path: path.into(),
        manager,
        nodes: Data::objects(&nodes),
    }))
}
