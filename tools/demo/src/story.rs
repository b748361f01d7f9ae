// SPDX-License-Identifier: GPL-2.0

//! The processes of the demonstration and the order they start in.

use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{self, Child, Command, Stdio},
};

use anyhow::{bail, Context, Result};

use binder::{
    endpoint::{Answer, Endpoint, Message},
    proto::Object,
    sys,
};

use crate::{client, server};

/// Another process of ours; it does not outlive this value.
pub struct Role(Child);

impl Drop for Role {
    fn drop(&mut self) {
        // Most roles are told to die on the way, then there is nothing left to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Role {
    /// Starts this program as `role` and waits for the line it prints when it is ready.
    pub fn start(role: &str, device: &Path) -> Result<(Self, String)> {
        let mut child = Command::new(env::current_exe()?)
            .arg("--device")
            .arg(device)
            .arg(role)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start the {role}"))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let role_process = Self(child);
        if line.is_empty() {
            bail!("the {role} ended before it was ready");
        }
        Ok((role_process, line.trim_end().to_string()))
    }
}

/// The manager's process.
pub fn manager(device: &Path) -> Result<()> {
    let endpoint = Endpoint::open(device)?;
    endpoint
        .become_manager()
        .context("cannot become the context manager")?;
    println!("manager (process {}): took handle 0", process::id());
    server::run(endpoint)
}

/// The service's process.
pub fn service(device: &Path) -> Result<()> {
    let mut endpoint = Endpoint::open(device)?;
    let node = Message::object(Object::Binder {
        ptr: 0x5e,
        cookie: 0xc0,
    });
    let pid = process::id();
    match endpoint.call(0, server::REGISTER, 0, &node)? {
        Answer::Reply => println!("service (process {pid}): registered a node with the manager"),
        Answer::Dead => bail!("there is no manager"),
        Answer::Failed => {
            println!("service (process {pid}): cannot register, the driver refuses a node");
            return Ok(());
        }
    }
    server::run(endpoint)
}

/// The whole demonstration. All its processes share one CPU, because an emulated wake-up from one
/// CPU to another costs what the host's scheduler makes of it.
pub fn show(device: &Path, calls: u32) -> Result<bool> {
    sys::pin()?;
    let version = Endpoint::open(device)?.version()?;
    println!("{} speaks protocol version {version}", device.display());
    let (_manager, line) = Role::start("manager", device)?;
    println!("{line}");
    let (_service, line) = Role::start("service", device)?;
    println!("{line}");
    println!("client  (process {}):", process::id());
    client::run(device, calls)
}
