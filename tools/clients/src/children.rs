// SPDX-License-Identifier: GPL-2.0

//! The processes that a test starts; they end with it.

use std::{
    env, fs,
    path::Path,
    process::{Child, Command, Output},
    thread,
    time::{Duration, Instant},
};

use anyhow::{bail, ensure, Context, Result};
use rsbinder::{hub, Strong};

use crate::service::ICheck;

/// Where the manager is that the tests talk to.
pub const DEVICE: &str = "/dev/binderfs/binder";

/// How long anything may take: a debug kernel in an emulator is slow.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until it is so.
pub fn until(what: &str, is_so: impl Fn() -> bool) -> Result<()> {
    let start = Instant::now();
    while !is_so() {
        ensure!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// A process that is killed with this value.
pub struct Killed(Child);

impl Killed {
    pub fn start(program: &Path, args: &[&str]) -> Result<Self> {
        let child = Command::new(program).args(args).spawn();
        let child = child.with_context(|| format!("cannot run {}", program.display()))?;
        Ok(Self(child))
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a program says that ends by itself.
pub fn output(program: &str, args: &[&str]) -> Result<Output> {
    let output = Command::new(program).args(args).output();
    output.with_context(|| format!("cannot run {program}"))
}

/// A service manager on a device of binderfs.
pub fn hub(device: &str) -> Result<Killed> {
    let program = Path::new("/bin/rsb_hub");
    Killed::start(program, &["--device", device, "--insecure-allow-all"])
}

/// A service in a process of its own.
pub struct Service {
    process: Killed,
    pub check: Strong<dyn ICheck>,
}

impl Service {
    /// Starts it and waits until the manager knows it.
    pub fn start(name: &str) -> Result<Self> {
        let process = Killed::start(&env::current_exe()?, &["serve", name])?;
        until(&format!("there is a service {name}"), || {
            hub::check_service(name).is_some()
        })?;
        let check = hub::check_interface::<dyn ICheck>(name)?;
        Ok(Self { process, check })
    }

    pub fn pid(&self) -> Result<i32> {
        Ok(self.process.0.id().try_into()?)
    }
}

/// Waits until the driver has none of the objects that processes make, which it counts.
pub fn nothing_is_left() -> Result<()> {
    let start = Instant::now();
    loop {
        let stats = fs::read_to_string("/sys/kernel/debug/binder/stats")?;
        let left: Vec<&str> = stats.lines().filter(|line| is_left(line)).collect();
        if left.is_empty() {
            ensure!(stats.contains("proc: active 0"), "no counts in {stats:?}");
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            bail!("left: {}", left.join(", "));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a line of the statistics tells of objects that are there. The C driver loses a node when
/// its owner dies during a call to it.
fn is_left(line: &str) -> bool {
    let Some((kind, counts)) = line.split_once(": active ") else {
        return false;
    };
    let may_be = kind == "node" && env::var("BINDER_DRIVER").is_ok_and(|driver| driver != "safe");
    !counts.starts_with("0 ") && !may_be
}
