// SPDX-License-Identifier: GPL-2.0

//! The system calls that the standard library has no name for; all `unsafe` of the measurements.

use std::{
    fs, io, mem,
    path::Path,
    ptr,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

use anyhow::{bail, Context, Result};
use rustix::{
    mount::{mount, unmount, MountFlags, UnmountFlags},
    process::{setrlimit, Resource, Rlimit},
    thread::{sched_setaffinity, CpuSet},
};

/// A process of ours; it does not outlive this value.
pub struct Child(libc::pid_t);

impl Child {
    /// Runs `body` in a copy of this process, which must have one thread alone.
    pub fn start(body: impl FnOnce() -> i32) -> io::Result<Self> {
        // SAFETY: With one thread, nothing is locked or half done in the copy.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                // SAFETY: No pointers are passed.
                unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
                std::process::exit(body())
            }
            pid => Ok(Self(pid)),
        }
    }

    /// Waits until it ends; that must be well.
    pub fn wait(self) -> Result<()> {
        let mut status = 0;
        // SAFETY: The process is a child that nobody has waited for, and the status is ours.
        let got = unsafe { libc::waitpid(self.0, &mut status, 0) };
        // Nothing is left to end.
        mem::forget(self);
        match (got, status) {
            (-1, _) => Err(io::Error::last_os_error().into()),
            (_, 0) => Ok(()),
            (_, status) => bail!("a process ended with status {status:#x}"),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // SAFETY: The process is a child that nobody has waited for, so the number is its.
        unsafe {
            libc::kill(self.0, libc::SIGKILL);
            libc::waitpid(self.0, ptr::null_mut(), 0);
        }
    }
}

/// A number that a process shares with its copies, and that they can wait at.
pub struct Word(&'static AtomicU32);

impl Word {
    /// Starts at zero, in memory of its own, which stays.
    pub fn shared() -> io::Result<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        // SAFETY: A new mapping at an address of the kernel's choice takes nothing from anyone.
        let page = unsafe { libc::mmap(ptr::null_mut(), 4096, protection, flags, -1, 0) };
        if page == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: The page is readable, writable, aligned, zeroed and never unmapped.
        Ok(Self(unsafe { &*page.cast::<AtomicU32>() }))
    }

    fn futex(&self, operation: libc::c_int, value: u32) {
        let none = ptr::null::<libc::timespec>();
        // SAFETY: The word is valid for ever, and these operations use nothing else.
        unsafe { libc::syscall(libc::SYS_futex, self.0.as_ptr(), operation, value, none) };
    }

    /// Changes the number and wakes who waits.
    pub fn set_and_wake(&self, value: u32) {
        self.0.store(value, SeqCst);
        self.futex(libc::FUTEX_WAKE, 1);
    }

    pub fn get(&self) -> u32 {
        self.0.load(SeqCst)
    }

    /// Makes the number as large as this, if it is smaller.
    pub fn raise(&self, value: u32) {
        self.0.fetch_max(value, SeqCst);
    }

    /// Sleeps while the number is this.
    pub fn wait_while(&self, value: u32) {
        while self.0.load(SeqCst) == value {
            self.futex(libc::FUTEX_WAIT, value);
        }
    }
}

/// Tells a profiler outside that something begins or ends, by a system call that nothing else makes.
pub fn mark() {
    // SAFETY: The call takes a number and gives a number.
    unsafe { libc::sched_get_priority_max(libc::SCHED_OTHER) };
}

/// Lets this process have so many open files.
pub fn allow_files(number: u64) -> io::Result<()> {
    let limit = Rlimit {
        current: Some(number),
        maximum: Some(number),
    };
    Ok(setrlimit(Resource::Nofile, limit)?)
}

/// Has this thread run only while nobody else wants to, or as usual.
pub fn set_idle(yes: bool) -> io::Result<()> {
    // SAFETY: All fields are numbers.
    let none: libc::sched_param = unsafe { mem::zeroed() };
    let policy = match yes {
        true => libc::SCHED_IDLE,
        false => libc::SCHED_OTHER,
    };
    // SAFETY: The call reads the structure, which outlives it.
    match unsafe { libc::sched_setscheduler(0, policy, &none) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Keeps this thread, and the processes that it starts, on one CPU.
pub fn pin(cpu: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    Ok(sched_setaffinity(None, &set)?)
}

/// How long a CPU has been idle since the start.
pub fn idle(cpu: usize) -> Result<Duration> {
    let text = fs::read_to_string("/proc/stat")?;
    let name = format!("cpu{cpu} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&name));
    let ticks = line.and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
    // USER_HZ is 100 on every machine that we know.
    let ticks = ticks.with_context(|| format!("/proc/stat has nothing about CPU {cpu}"))?;
    Ok(Duration::from_millis(10 * ticks))
}

/// Mounts an instance of binderfs.
pub fn mount_binder(at: &Path) -> io::Result<()> {
    Ok(mount("binder", at, "binder", MountFlags::empty(), None)?)
}

/// Takes what is mounted there away.
pub fn umount(at: &Path) -> io::Result<()> {
    Ok(unmount(at, UnmountFlags::empty())?)
}
