// SPDX-License-Identifier: GPL-2.0

//! Running one program with a time limit.

use std::{
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    ptr,
    time::{Duration, Instant},
};

use rustix::{
    process::{self, Pid, Signal, WaitOptions},
    stdio,
    termios::{tcgetattr, tcsetattr, OptionalActions},
};

use crate::{list::Program, say};

/// How long a killed program may take to go; after that something in the kernel holds it.
const GRACE: Duration = Duration::from_secs(5);

/// What a limit of zero means.
const FOREVER: Duration = Duration::from_secs(1 << 30);

/// No echo, no newline translation: bytes go out as written.
pub fn make_raw(tty: &File) -> io::Result<()> {
    let mut termios = tcgetattr(tty)?;
    termios.make_raw();
    Ok(tcsetattr(tty, OptionalActions::Now, &termios)?)
}

/// Makes `tty` standard input, output and error of this process.
pub fn become_stdio(tty: &File) -> io::Result<()> {
    stdio::dup2_stdin(tty)?;
    stdio::dup2_stdout(tty)?;
    Ok(stdio::dup2_stderr(tty)?)
}

/// A session of its own for the child, with the console as its terminal if it gets that.
fn own_session(console: bool) -> io::Result<()> {
    process::setsid()?;
    if console {
        process::ioctl_tiocsctty(io::stdin())?;
    }
    Ok(())
}

fn command(program: &Program) -> io::Result<Command> {
    let mut cmd = Command::new(&program.argv[0]);
    cmd.args(&program.argv[1..])
        .env_clear()
        .env("PATH", "/bin")
        .env("HOME", "/tmp")
        .env("TERM", "linux")
        .envs(program.env.iter().map(|(key, value)| (key, value)))
        .current_dir("/tmp");
    let console = program.console;
    if console {
        let tty = File::options().read(true).write(true).open("/dev/ttyS0")?;
        cmd.stdin(tty.try_clone()?)
            .stdout(tty.try_clone()?)
            .stderr(tty);
    } else {
        cmd.stdin(Stdio::null());
    }
    // SAFETY: The function makes two async-signal-safe calls and does not allocate.
    unsafe { cmd.pre_exec(move || own_session(console)) };
    Ok(cmd)
}

/// What became of a child, or nothing if it still runs.
fn look(pid: Pid) -> Option<String> {
    let (_, status) = process::waitpid(Some(pid), WaitOptions::NOHANG).ok()??;
    Some(match (status.terminating_signal(), status.exit_status()) {
        (Some(signal), _) => format!("signal {signal}"),
        (None, code) => format!("code {}", code.unwrap_or(-1)),
    })
}

/// Holds back the signal that a child's end sends, so that [`wait`] can sleep on it.
pub fn hold_child_signal() -> io::Result<()> {
    // SAFETY: The set is valid for the call; a null old set is allowed.
    let ret = unsafe { libc::sigprocmask(libc::SIG_BLOCK, &child_signal(), ptr::null_mut()) };
    if ret < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn child_signal() -> libc::sigset_t {
    // SAFETY: `sigset_t` is plain data and is initialised by `sigemptyset` before it is used.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGCHLD);
        set
    }
}

/// Sleeps until some child ends or the time is over. Sleeping beats looking every few
/// milliseconds: this process must not disturb a measurement.
fn sleep_until_child(most: Duration) {
    let time = libc::timespec {
        tv_sec: most.as_secs() as libc::time_t,
        tv_nsec: most.subsec_nanos().into(),
    };
    // SAFETY: Both arguments are valid for the call; a null info pointer is allowed.
    unsafe { libc::sigtimedwait(&child_signal(), ptr::null_mut(), &time) };
}

fn wait(pid: Pid, limit: Duration) -> Option<String> {
    let start = Instant::now();
    let limit = if limit.is_zero() { FOREVER } else { limit };
    loop {
        if let Some(end) = look(pid) {
            return Some(end);
        }
        sleep_until_child(
            limit
                .checked_sub(start.elapsed())
                .filter(|left| !left.is_zero())?,
        );
    }
}

/// Ends what is left of the program's session and takes in orphans, which are ours as process 1.
fn sweep(pid: Pid) {
    // There mostly is nothing left, which is no error here.
    let _ = process::kill_process_group(pid, Signal::KILL);
    while let Ok(Some(_)) = process::waitpid(None, WaitOptions::NOHANG) {}
}

/// Runs the program and says when it starts and how it ended.
pub fn run(program: &Program) {
    say(&format!("start {}", program.name));
    let child = match command(program).and_then(|mut cmd| cmd.spawn()) {
        Ok(child) => child,
        Err(err) => return say(&format!("end {} fault {err}", program.name)),
    };
    let pid = Pid::from_child(&child);
    let end = wait(pid, program.limit).unwrap_or_else(|| {
        // The kernel log then shows where blocked tasks are; absent sysrq is no loss.
        let _ = fs::write("/proc/sysrq-trigger", "w");
        let _ = process::kill_process_group(pid, Signal::KILL);
        match wait(pid, GRACE) {
            Some(_) => "timeout killed".to_string(),
            None => "timeout stuck".to_string(),
        }
    });
    sweep(pid);
    say(&format!("end {} {end}", program.name));
}
