// SPDX-License-Identifier: GPL-2.0

//! Running one program with a time limit.

use std::{
    fs, io,
    os::{fd::RawFd, unix::process::CommandExt},
    process::{Command, Stdio},
    ptr,
    time::{Duration, Instant},
};

use crate::{list::Program, say};

/// How long a killed program may take to go; after that something in the kernel holds it.
const GRACE: Duration = Duration::from_secs(5);

/// What a limit of zero means.
const FOREVER: Duration = Duration::from_secs(1 << 30);

/// No echo, no newline translation: bytes go out as written.
pub fn make_raw(tty: RawFd) -> io::Result<()> {
    // SAFETY: `termios` is plain data, for which all zeroes is a value, and outlives the calls.
    unsafe {
        let mut termios: libc::termios = std::mem::zeroed();
        if libc::tcgetattr(tty, &mut termios) < 0 {
            return Err(io::Error::last_os_error());
        }
        libc::cfmakeraw(&mut termios);
        if libc::tcsetattr(tty, libc::TCSANOW, &termios) < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Makes `tty` standard input, output and error of this process.
pub fn become_stdio(tty: RawFd) -> io::Result<()> {
    for fd in 0..3 {
        // SAFETY: Only file descriptors are touched.
        if unsafe { libc::dup2(tty, fd) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

fn own_session() -> io::Result<()> {
    // SAFETY: Called between fork and exec; `setsid` is async-signal-safe.
    if unsafe { libc::setsid() } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn take_terminal() -> io::Result<()> {
    // SAFETY: Called between fork and exec; the argument is no pointer.
    if unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) } < 0 {
        return Err(io::Error::last_os_error());
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
    // SAFETY: The function makes one async-signal-safe call.
    unsafe { cmd.pre_exec(own_session) };
    if program.console {
        let tty = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/ttyS0")?;
        cmd.stdin(tty.try_clone()?)
            .stdout(tty.try_clone()?)
            .stderr(tty);
        // SAFETY: The function makes one async-signal-safe call.
        unsafe { cmd.pre_exec(take_terminal) };
    } else {
        cmd.stdin(Stdio::null());
    }
    Ok(cmd)
}

/// What became of a child, or nothing if it still runs.
fn look(pid: i32) -> Option<String> {
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    if unsafe { libc::waitpid(pid, &mut status, libc::WNOHANG) } != pid {
        return None;
    }
    Some(if libc::WIFSIGNALED(status) {
        format!("signal {}", libc::WTERMSIG(status))
    } else {
        format!("code {}", libc::WEXITSTATUS(status))
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

fn wait(pid: i32, limit: Duration) -> Option<String> {
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
fn sweep(pid: i32) {
    // SAFETY: Only signals and child states are touched; a null status pointer is allowed.
    unsafe {
        libc::kill(-pid, libc::SIGKILL);
        while libc::waitpid(-1, ptr::null_mut(), libc::WNOHANG) > 0 {}
    }
}

/// Runs the program and says when it starts and how it ended.
pub fn run(program: &Program) {
    say(&format!("start {}", program.name));
    let child = match command(program).and_then(|mut cmd| cmd.spawn()) {
        Ok(child) => child,
        Err(err) => return say(&format!("end {} fault {err}", program.name)),
    };
    let pid = child.id() as i32;
    let end = wait(pid, program.limit).unwrap_or_else(|| {
        // The kernel log then shows where blocked tasks are; absent sysrq is no loss.
        let _ = fs::write("/proc/sysrq-trigger", "w");
        // SAFETY: No memory is touched.
        unsafe { libc::kill(-pid, libc::SIGKILL) };
        match wait(pid, GRACE) {
            Some(_) => "timeout killed".to_string(),
            None => "timeout stuck".to_string(),
        }
    });
    sweep(pid);
    say(&format!("end {} {end}", program.name));
}
