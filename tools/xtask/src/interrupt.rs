// SPDX-License-Identifier: GPL-2.0

//! Ctrl-C leaves nothing behind: no child that runs on, no half-made folder.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result};
use rustix::process::{kill_process, Pid, Signal};

struct State {
    children: Vec<u32>,
    scratch: Vec<PathBuf>,
}

static STATE: Mutex<State> = Mutex::new(State {
    children: Vec::new(),
    scratch: Vec::new(),
});

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on SIGINT, SIGTERM and SIGHUP end the children, then remove what was half made.
pub fn install() -> Result<()> {
    ctrlc::set_handler(|| {
        let state = state();
        for pid in &state.children {
            terminate(*pid);
        }
        for path in &state.scratch {
            remove(path);
        }
        // The terminal may be what went away, and `eprintln!` would panic then.
        let _ = writeln!(io::stderr(), "\ninterrupted");
        std::process::exit(130);
    })
    .context("cannot catch Ctrl-C")
}

fn terminate(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended by itself: Ctrl-C reaches it too.
        let _ = kill_process(pid, Signal::TERM);
    }
}

/// A child that an interrupt should end.
pub fn watch(pid: u32) {
    state().children.push(pid);
}

/// The child has ended by itself.
pub fn unwatch(pid: u32) {
    state().children.retain(|other| *other != pid);
}

/// A folder or file under construction: removed when dropped or interrupted, unless kept.
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Takes the path; whatever an earlier run that was killed left there is removed.
    pub fn new(path: PathBuf) -> Self {
        remove(&path);
        state().scratch.push(path.clone());
        Self { path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// It is complete: moves it to its real place in one step.
    pub fn keep_as(self, target: &Path) -> Result<()> {
        fs::rename(&self.path, target).with_context(|| format!("cannot make {}", target.display()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.path);
        state().scratch.retain(|other| *other != self.path);
    }
}

fn remove(path: &Path) {
    // A child may still write into the folder while it dies, so one try may not be enough.
    for _ in 0..20 {
        let _ = if path.is_dir() {
            fs::remove_dir_all(path)
        } else {
            fs::remove_file(path)
        };
        if !path.exists() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("xtask-scratch-{name}-{}", std::process::id()))
    }

    #[test]
    fn what_is_not_kept_goes() {
        let scratch = Scratch::new(folder("drop"));
        fs::create_dir_all(scratch.path().join("in")).unwrap();
        let path = scratch.path().to_path_buf();
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn what_is_kept_stays() {
        let scratch = Scratch::new(folder("keep"));
        fs::create_dir_all(scratch.path().join("in")).unwrap();
        let target = folder("kept");
        scratch.keep_as(&target).unwrap();
        assert!(target.join("in").is_dir());
        fs::remove_dir_all(&target).unwrap();
    }
}
