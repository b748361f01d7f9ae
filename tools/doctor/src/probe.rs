// SPDX-License-Identifier: GPL-2.0

//! A call in an instance of our own, which nobody else sees: in namespaces of its own, and not even
//! attached to a place.

use std::{
    env, fs,
    fs::File,
    io::{self, Read},
    os::fd::{AsRawFd, OwnedFd},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::{bail, Context, Result};
use binder::{
    endpoint::{Answer, Endpoint, Message},
    proto::Return,
    sys,
};
use rustix::{
    io::{fcntl_setfd, FdFlags},
    mount::{
        fsconfig_create, fsconfig_set_string, fsmount, fsopen, FsMountFlags, FsOpenFlags,
        MountAttrFlags,
    },
    process::{geteuid, set_parent_process_death_signal, Signal},
    thread::UnshareFlags,
};
use serde::{Deserialize, Serialize};

/// The devices that the probe makes: for a plain manager, and for one that asks for labels.
const DEVICE: &str = "doctor";
const LABELLED: &str = "doctor-labels";

/// What is sent there and back.
const SIZE: usize = 128;

/// For all of it; in an emulator on a busy machine it takes a while.
const LIMIT: Duration = Duration::from_secs(60);

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Whether a mount takes the option `devices=`.
    pub takes_devices: Option<bool>,
    /// Why there could be no instance: no fault of the driver.
    pub not_tried: Option<String>,
    /// What went wrong.
    pub failure: Option<String>,
    /// The protocol's version.
    pub version: Option<i32>,
    /// What came of a call to a manager that asks for security contexts: 0, or a number from
    /// `errno.h`.
    pub labels: Option<i32>,
}

/// A mount that is attached nowhere.
fn mount(options: &[(&str, &str)]) -> io::Result<OwnedFd> {
    let context = fsopen("binder", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in options {
        fsconfig_set_string(&context, *key, *value)?;
    }
    fsconfig_create(&context)?;
    let flags = FsMountFlags::FSMOUNT_CLOEXEC;
    Ok(fsmount(&context, flags, MountAttrFlags::empty())?)
}

/// Namespaces of our own. Without privileges there has to be a user namespace, in which we have
/// them, and then an IPC namespace that belongs to it.
fn enter_namespaces() -> io::Result<()> {
    let user = geteuid();
    if user.is_root() {
        return sys::leave_namespaces(UnshareFlags::NEWNS);
    }
    let group = rustix::process::getegid();
    sys::leave_namespaces(UnshareFlags::NEWUSER | UnshareFlags::NEWNS | UnshareFlags::NEWIPC)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {} 1", user.as_raw()))?;
    fs::write("/proc/self/gid_map", format!("0 {} 1", group.as_raw()))
}

/// Another process of ours; it does not outlive this value.
struct Role(Child);

impl Role {
    fn start(arguments: &[&str]) -> Result<Self> {
        let child = Command::new(env::current_exe()?)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start another process")?;
        Ok(Self(child))
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // It may have ended before, which is no error.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The manager's process: says when it is ready, then answers each call with what came.
pub fn manager(device: &Path, labels: bool) -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let mut endpoint = Endpoint::open(device)?;
    let became = match labels {
        true => endpoint.become_manager_with_labels(),
        false => endpoint.become_manager(),
    };
    became.context("cannot become the context manager")?;
    println!("ready");
    loop {
        let next = endpoint.next()?;
        if let Some(Return::Transaction(call)) = endpoint.chore(next) {
            endpoint.take(&call)?;
            endpoint.echo();
        }
    }
}

/// Starts a manager; it is ready when this returns.
fn start_manager(device: &Path, options: &[&str]) -> Result<Role> {
    let path = device.display().to_string();
    let mut manager = Role::start(&[&["manager", &path], options].concat())?;
    let mut said = [0; 5];
    let stdout = manager.0.stdout.as_mut().context("no pipe")?;
    if stdout.read_exact(&mut said).is_err() {
        bail!("the manager ended before it was ready");
    }
    Ok(manager)
}

/// Opens, maps and calls; gives the protocol's version.
fn call(device: &Path) -> Result<i32> {
    let mut client = Endpoint::open(device)?;
    let version = client.version()?;
    let _manager = start_manager(device, &[])?;
    let message = Message::from(&[0x5a; SIZE][..]);
    match client.call(0, 1, 0, &message)? {
        Answer::Reply if client.received == message => Ok(version),
        Answer::Reply => bail!("the answer is not what was sent"),
        Answer::Dead => bail!("the manager is dead to the driver (BR_DEAD_REPLY)"),
        Answer::Failed => bail!("the driver refuses the call (BR_FAILED_REPLY)"),
    }
}

/// Calls a manager that asks for security contexts; gives 0, or why the call fails.
fn call_with_label(device: &Path) -> Result<i32> {
    let mut client = Endpoint::open(device)?;
    let _manager = start_manager(device, &["--labels"])?;
    let message = Message::from(&[0x5a; SIZE][..]);
    match client.call(0, 1, 0, &message)? {
        Answer::Reply => Ok(0),
        Answer::Dead | Answer::Failed => Ok(client.last_error()?),
    }
}

/// What the driver does with an instance.
fn exercise(instance: &OwnedFd, probe: &mut Probe) -> Result<()> {
    let root = PathBuf::from(format!("/proc/self/fd/{}", instance.as_raw_fd()));
    let control = root.join("binder-control");
    let control = File::open(&control).context("cannot open binder-control")?;
    for name in [DEVICE, LABELLED] {
        sys::add_device(&control, name).context("BINDER_CTL_ADD failed")?;
    }
    // The manager's process inherits it.
    fcntl_setfd(instance, FdFlags::empty())?;
    probe.version = Some(call(&root.join(DEVICE))?);
    // Drivers of old kernels know no labels, which is no fault.
    probe.labels = call_with_label(&root.join(LABELLED)).ok();
    Ok(())
}

/// In a process of its own, which has left the namespaces of its parent: tells what came of it.
pub fn child() -> Result<()> {
    let mut probe = Probe::default();
    match enter_namespaces().and_then(|()| mount(&[])) {
        Err(err) if err.kind() == io::ErrorKind::PermissionDenied => {
            probe.not_tried = Some(format!("no permission to mount here ({err})"));
        }
        Err(err) => probe.failure = Some(format!("cannot mount binderfs: {err}")),
        Ok(instance) => {
            probe.takes_devices = Some(mount(&[("devices", DEVICE)]).is_ok());
            if let Err(err) = exercise(&instance, &mut probe) {
                probe.failure = Some(format!("{err:#}"));
            }
        }
    }
    println!("{}", serde_json::to_string(&probe)?);
    Ok(())
}

/// Tries it all in a child, which is ended if the driver does not answer.
pub fn run() -> Result<Probe> {
    let mut child = Role::start(&["probe"])?;
    let mut stdout = child.0.stdout.take().context("no pipe")?;
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let result = stdout.read_to_string(&mut text).map(|_| text);
        // If nobody waits any more, it was too late.
        let _ = send.send(result);
    });
    let Ok(text) = receive.recv_timeout(LIMIT) else {
        return Ok(Probe {
            failure: Some(format!("no answer within {} s", LIMIT.as_secs())),
            ..Probe::default()
        });
    };
    let text = text?;
    serde_json::from_str(&text).with_context(|| format!("the probe ended early: `{}`", text.trim()))
}
