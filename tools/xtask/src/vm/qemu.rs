// SPDX-License-Identifier: GPL-2.0

//! One QEMU process with its two serial ports, which never outlives us.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    os::{
        fd::{AsRawFd, OwnedFd, RawFd},
        unix::{net::UnixStream, process::CommandExt},
    },
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::{Duration, Instant},
};

use anyhow::{bail, Context, Result};

use super::{tsc, Accel, Clock, Vm};

const PROGRAM: &str = "qemu-system-x86_64";

/// All that QEMU can emulate but page tables of five levels: an interrupt that comes while the
/// kernel finds out about them makes KASAN take good addresses for bad ones.
const EMULATED: &str = "max,la57=off";

/// Time for QEMU to end after its ports have closed.
const GRACE: Duration = Duration::from_secs(60);

/// A line from the VM.
pub enum Line {
    /// From the first port, the kernel's console.
    Kernel(String),
    /// From the second port, where our programs print.
    Output(String),
}

/// A running QEMU; dropping it ends it.
pub struct Qemu {
    child: Child,
    /// What it prints; closed when it is gone.
    pub lines: Receiver<Line>,
}

/// What every VM of ours is started with, up to its serial ports.
///
/// `oops=panic` and `panic=-1` end a VM that is broken at once, instead of at its time limit.
pub fn command(vm: &Vm, accel: Accel, initramfs: &Path) -> Command {
    let mut cmd = Command::new(PROGRAM);
    let cpu = if accel == Accel::Kvm {
        "host"
    } else {
        EMULATED
    };
    // The firmware's MP table, all our kernels know of CPUs, lists one a socket.
    let cpus = format!("{0},sockets={0}", vm.cpus);
    let time = tsc::parameters(vm.clock);
    cmd.args([
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-no-reboot",
    ])
    .args(["-accel", if accel == Accel::Kvm { "kvm" } else { "tcg" }])
    .args(["-cpu", cpu, "-smp", &cpus, "-m", &vm.memory.to_string()])
    .arg("-kernel")
    .arg(&vm.image)
    .arg("-initrd")
    .arg(initramfs)
    .args([
        "-append",
        &format!("console=ttyS0 oops=panic panic=-1 {time} {}", vm.cmdline),
    ]);
    if vm.clock == Clock::Instructions {
        cmd.args(["-icount", "shift=0,sleep=off"]);
    }
    if let Some(plugin) = &vm.plugin {
        cmd.arg("-plugin").arg(plugin);
    }
    die_with_parent(&mut cmd);
    cmd
}

/// Asks the kernel to kill the child when this thread ends, however it ends.
fn die_with_parent(cmd: &mut Command) {
    let parent = std::process::id() as libc::pid_t;
    let hook = move || {
        // SAFETY: Both calls are async-signal-safe and touch no memory.
        let orphan = unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            libc::getppid() != parent
        };
        if orphan {
            return Err(io::Error::from_raw_os_error(libc::ECANCELED));
        }
        Ok(())
    };
    // SAFETY: The hook only makes async-signal-safe calls and does not allocate.
    unsafe { cmd.pre_exec(hook) };
}

/// Lets the child inherit `fd`.
fn keep_over_exec(cmd: &mut Command, fd: RawFd) {
    let hook = move || {
        // SAFETY: Touches only the flags of a file descriptor that is open.
        if unsafe { libc::fcntl(fd, libc::F_SETFD, 0) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    };
    // SAFETY: The hook only makes an async-signal-safe call and does not allocate.
    unsafe { cmd.pre_exec(hook) };
}

/// Adds a serial port; what comes out of it goes to `sender` line by line.
fn port(
    cmd: &mut Command,
    name: &str,
    sender: Sender<Line>,
    wrap: fn(String) -> Line,
) -> Result<OwnedFd> {
    let (ours, theirs) = UnixStream::pair().context("cannot make a socket pair")?;
    let fd = theirs.as_raw_fd();
    keep_over_exec(cmd, fd);
    cmd.args(["-chardev", &format!("socket,id={name},fd={fd}")])
        .args(["-serial", &format!("chardev:{name}")]);
    thread::spawn(move || {
        for line in BufReader::new(ours).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line)
                .trim_end_matches('\r')
                .to_string();
            if sender.send(wrap(line)).is_err() {
                break;
            }
        }
    });
    Ok(theirs.into())
}

/// Runs QEMU with the first port and QEMU's own monitor on the terminal.
pub fn on_terminal(cmd: &mut Command) -> Result<()> {
    let status = cmd
        .args(["-chardev", "stdio,id=tty,mux=on,signal=off"])
        .args(["-serial", "chardev:tty", "-mon", "chardev=tty"])
        // What our init says on the second port is for programs, not for people.
        .args(["-serial", "null"])
        .status()
        .with_context(no_qemu)?;
    if !status.success() {
        bail!("{PROGRAM} ended with {status}");
    }
    Ok(())
}

fn no_qemu() -> String {
    format!("cannot start {PROGRAM}; `make setup` installs it")
}

impl Qemu {
    /// Starts QEMU; what it itself has to say goes to `log`.
    pub fn start(mut cmd: Command, log: &File) -> Result<Self> {
        let (sender, lines) = mpsc::channel();
        let ports = [
            port(&mut cmd, "kernel", sender.clone(), Line::Kernel)?,
            port(&mut cmd, "programs", sender, Line::Output)?,
        ];
        let child = cmd
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?)
            .spawn()
            .with_context(no_qemu)?;
        drop(ports);
        Ok(Self { child, lines })
    }
}

impl Qemu {
    /// Lets it end by itself: its ports close before a plugin has written what it knows.
    pub fn wait(&mut self) {
        let deadline = Instant::now() + GRACE;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        // It may have exited; then there is nothing to kill, only to collect.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_qemu_says_how_to_get_it() {
        let log = File::create("/dev/null").unwrap();
        let Err(error) = Qemu::start(Command::new("/nowhere/qemu"), &log) else {
            panic!("something was started");
        };
        assert_eq!(
            error.to_string(),
            "cannot start qemu-system-x86_64; `make setup` installs it"
        );
    }
}
