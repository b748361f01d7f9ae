// SPDX-License-Identifier: GPL-2.0

//! What the tools of `libgbinder` do through the driver, with the service of the other tests.

use std::{fs, os::unix::fs::symlink, path::Path, thread, time::Duration};

use anyhow::{ensure, Context, Result};

use crate::{
    children::{hub, output, until, Killed, Service},
    service::TWICE,
};

/// The device of the other tests, by the name that tells these tools to ping as AIDL does.
const DEVICE: &str = "/dev/binder";

/// One more device, with a manager of its own.
const OTHER: &str = "/dev/binderfs/vndbinder";

/// How these tools are to talk on each device: as Android 16 does, which is what the manager is.
/// Without this they talk on the first one as the oldest did.
const CONFIGURATION: &str = "\
[Protocol]
Default = aidl3
/dev/binder = aidl3
[ServiceManager]
Default = aidl6
/dev/binder = aidl6
";

/// A service with a name as Android has them: interface and instance. The bridge serves it by the
/// name of the instance alone.
const BRIDGED: &str = "org.binder_safe.ICheck/bridged";

/// Whether the tools are here.
pub fn is_there() -> bool {
    Path::new("/usr/bin/binder-list").exists()
}

/// Writes the configuration that the tools read, and has the device where they look for it.
pub fn configure() -> Result<()> {
    if !Path::new(DEVICE).exists() {
        symlink("binderfs/binder", DEVICE)?;
    }
    fs::create_dir_all("/etc")?;
    fs::write("/etc/gbinder.conf", CONFIGURATION).context("cannot write /etc/gbinder.conf")
}

/// The output of a tool, or what it complains of.
fn tool(name: &str, args: &[&str]) -> Result<String> {
    let output = output(&format!("/usr/bin/{name}"), args)?;
    let said = |bytes| String::from_utf8_lossy(bytes).into_owned();
    ensure!(
        output.status.success(),
        "{name} {}: {}, {}{}",
        args.join(" "),
        output.status,
        said(&output.stdout),
        said(&output.stderr)
    );
    Ok(said(&output.stdout))
}

/// Names what the manager knows, asked in either way.
pub fn list() -> Result<()> {
    let _service = Service::start("for-gbinder")?;
    for way in ["-v", "-a"] {
        let listed = tool("binder-list", &[way, "-d", DEVICE])?;
        ensure!(
            listed.contains("for-gbinder"),
            "with {way}, it says {listed:?}"
        );
    }
    Ok(())
}

/// Reaches a service that is there, and none other.
pub fn ping() -> Result<()> {
    let _service = Service::start("pinged")?;
    tool("binder-ping", &["-d", DEVICE, "pinged"])?;
    let nobody = tool("binder-ping", &["-d", DEVICE, "nobody"]);
    ensure!(nobody.is_err(), "it reached nobody: {nobody:?}");
    Ok(())
}

/// The service's answer to `twice`, through the manager of a device: no exception, and a number.
/// The tool's exit status is 2 even then, so it does not count.
fn twice(device: &str, name: &str, number: &str) -> Result<String> {
    let what = [
        "-a", "-d", device, name, TWICE, number, "reply", "i32", "i32",
    ];
    let answer = output("/usr/bin/binder-call", &what)?.stdout;
    Ok(String::from_utf8_lossy(&answer).trim().to_string())
}

/// Calls the service and reads its answer.
pub fn call() -> Result<()> {
    let _service = Service::start("called")?;
    let answer = twice(DEVICE, "called", "21")?;
    ensure!(answer == "0 42", "the answer is {answer:?}");
    Ok(())
}

/// Serves on another device what this one has: a program that is client and service at once.
pub fn bridge() -> Result<()> {
    let _service = Service::start(BRIDGED)?;
    let (interface, instance) = BRIDGED.split_once('/').context("no instance")?;
    let _other = hub("vndbinder")?;
    let listed = || tool("binder-list", &["-d", OTHER]);
    until("there is another manager", || listed().is_ok())?;
    let bridge = ["-q", OTHER, DEVICE, instance, interface];
    let bridge = Killed::start(Path::new("/usr/bin/binder-bridge"), &bridge)?;
    until("the service is there, too", || {
        listed().is_ok_and(|list| list.contains(instance))
    })?;
    let answer = twice(OTHER, instance, "34")?;
    ensure!(answer == "0 68", "the answer is {answer:?}");
    drop(bridge);
    // The C driver releases what was closed last first, and waits for RCU each time: it never comes
    // to the bridge while a tool is started and ended without a pause.
    until("the service is gone", || {
        thread::sleep(Duration::from_millis(500));
        listed().is_ok_and(|list| !list.contains(instance))
    })
}
