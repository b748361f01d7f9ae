// SPDX-License-Identifier: GPL-2.0

//! One VM from boot to end: who runs, for how long it may, and what was wrong.

use std::{
    fs::{self, File},
    io::{LineWriter, Write},
    path::{Path, PathBuf},
    sync::mpsc::RecvTimeoutError,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rustix::fs::{flock, FlockOperation};

use super::{
    accel,
    check::{strip_stamp, Check},
    guest, initramfs,
    qemu::{self, Line, Qemu},
    End, Event, Outcome, Vm,
};
use crate::{interrupt::Scratch, paths::Paths};

/// Starts the lines of our init that are meant for us.
const MARK: &str = "@@vm ";

/// How much longer than its own limit a program may keep the VM: after that the VM hangs.
const MARGIN: Duration = Duration::from_secs(40);

/// Time for the leak scans and the restart once the programs are done.
const WIND_DOWN: Duration = Duration::from_secs(300);

/// Packs the initramfs; it goes when the VM does.
fn pack(paths: &Paths, vm: &Vm) -> Result<Scratch> {
    let bin = guest::build(paths)?;
    let mut files = vec![
        ("/init".to_string(), bin.join("init")),
        ("/bin/demo".to_string(), bin.join("demo")),
        ("/bin/bench".to_string(), bin.join("bench")),
    ];
    files.extend(vm.files.iter().cloned());
    let dir = paths.build("initramfs");
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let name = format!("{}-{}.cpio.gz", vm.name, std::process::id());
    let initramfs = Scratch::new(dir.join(name));
    initramfs::write(initramfs.path(), &files, &vm.programs)?;
    Ok(initramfs)
}

/// What we know of the guest while it runs.
struct Session<'a> {
    vm: &'a Vm,
    log: LineWriter<File>,
    tell: &'a mut dyn FnMut(Event),
    check: Check,
    problems: Vec<String>,
    /// Programs that started so far.
    started: usize,
    running: Option<String>,
    up: bool,
    down: bool,
    hung: bool,
    leaks_checked: bool,
    deadline: Option<Instant>,
}

impl<'a> Session<'a> {
    fn new(vm: &'a Vm, log: File, tell: &'a mut dyn FnMut(Event)) -> Self {
        Self {
            vm,
            log: LineWriter::new(log),
            tell,
            check: Check::default(),
            problems: Vec::new(),
            started: 0,
            running: None,
            up: false,
            down: false,
            hung: false,
            leaks_checked: false,
            deadline: None,
        }
    }

    fn allow(&mut self, time: Duration) {
        self.deadline = Some(Instant::now() + time);
    }

    /// Time left, or nothing if there is no limit.
    fn left(&self) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    fn line(&mut self, line: Line) -> Result<()> {
        match line {
            Line::Kernel(line) => {
                writeln!(self.log, "{line}")?;
                let line = strip_stamp(&line);
                self.check.line(line);
                (self.tell)(Event::Kernel(line.to_string()));
            }
            Line::Output(line) => {
                writeln!(self.log, "| {line}")?;
                // A program may leave its last line open; the mark then follows in the same line.
                let (text, mark) = match line.split_once(MARK) {
                    Some((text, mark)) => (text, Some(mark)),
                    None => (line.as_str(), None),
                };
                if mark.is_none() || !text.is_empty() {
                    (self.tell)(Event::Output(text.to_string()));
                }
                if let Some(mark) = mark {
                    self.mark(mark);
                }
            }
        }
        Ok(())
    }

    fn mark(&mut self, mark: &str) {
        let (word, rest) = mark.split_once(' ').unwrap_or((mark, ""));
        match word {
            "up" => {
                self.up = true;
                self.allow(WIND_DOWN);
            }
            "start" => self.start(rest),
            "end" => self.end(rest),
            "leak" => self.leak(rest),
            "leaks-checked" => self.leaks_checked = true,
            "down" => self.down = true,
            _ => self.problems.push(format!("init of the VM: {mark}")),
        }
    }

    fn start(&mut self, name: &str) {
        let limit = self
            .vm
            .programs
            .get(self.started)
            .map_or(WIND_DOWN, |program| program.limit);
        self.started += 1;
        self.running = Some(name.to_string());
        self.deadline = (!limit.is_zero()).then(|| Instant::now() + limit + MARGIN);
        (self.tell)(Event::Start(name.to_string()));
    }

    fn end(&mut self, rest: &str) {
        let (name, how) = rest.split_once(' ').unwrap_or((rest, ""));
        let (word, value) = how.split_once(' ').unwrap_or((how, ""));
        let end = match (word, value.parse()) {
            ("code", Ok(code)) => End::Code(code),
            ("signal", Ok(signal)) => End::Signal(signal),
            ("timeout", _) => End::Timeout(value.to_string()),
            _ => End::Fault(value.to_string()),
        };
        self.running = None;
        self.allow(WIND_DOWN);
        (self.tell)(Event::End(name.to_string(), end));
    }

    /// The report of kmemleak: an object starts with "unreferenced", its details follow.
    fn leak(&mut self, line: &str) {
        match self.problems.last_mut() {
            Some(problem) if !line.starts_with("unreferenced") => {
                problem.push_str("\n    ");
                problem.push_str(line);
            }
            _ => self.problems.push(format!("kmemleak: {line}")),
        }
    }

    /// Takes lines until the VM is gone or out of time.
    fn follow(&mut self, qemu: &Qemu) -> Result<()> {
        loop {
            let line = match self.left() {
                Some(left) => qemu.lines.recv_timeout(left),
                None => qemu
                    .lines
                    .recv()
                    .map_err(|_| RecvTimeoutError::Disconnected),
            };
            match line {
                Ok(line) => self.line(line)?,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    self.hung = true;
                    self.problems.push("the VM hung and was ended".to_string());
                    break;
                }
            }
        }
        Ok(())
    }

    /// Accounts for programs that have no end yet, then sums up.
    fn finish(mut self, log: PathBuf) -> Result<Outcome> {
        self.log
            .flush()
            .with_context(|| format!("cannot write {}", log.display()))?;
        if !self.up {
            self.problems.push(format!(
                "the kernel did not start our init: {}",
                last_line(&log)
            ));
        } else if !self.down {
            self.problems
                .push("the VM ended before its programs did".to_string());
        }
        if self.down && self.vm.leak_check && !self.leaks_checked {
            self.problems
                .push("there is no report from kmemleak".to_string());
        }
        if let Some(name) = self.running.take() {
            (self.tell)(Event::End(name, End::Lost));
        }
        for program in self.vm.programs.iter().skip(self.started) {
            (self.tell)(Event::End(program.name.clone(), End::Lost));
        }
        self.problems.extend(self.check.finish());
        Ok(Outcome {
            log,
            problems: self.problems,
            hung: self.hung,
        })
    }
}

/// Opens the log of this VM; if another run is writing it, a log with our process id in its name.
fn open_log(paths: &Paths, name: &str) -> Result<(PathBuf, File)> {
    let mut log = paths.log(&format!("vm-{name}"))?;
    let open = |log: &Path| {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(log);
        file.with_context(|| format!("cannot write {}", log.display()))
    };
    let mut file = open(&log)?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        log = paths.log(&format!("vm-{name}-{}", std::process::id()))?;
        file = open(&log)?;
    }
    file.set_len(0)?;
    Ok((log, file))
}

/// The last thing that the VM, or QEMU itself, had to say.
fn last_line(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    last.unwrap_or("it printed nothing").trim().to_string()
}

/// Boots `vm`, tells everything it says while it runs, and gives what was wrong with it.
pub fn boot(paths: &Paths, vm: &Vm, tell: &mut dyn FnMut(Event)) -> Result<Outcome> {
    let accel = accel::resolve(paths, vm)?;
    let initramfs = pack(paths, vm)?;
    let (log, file) = open_log(paths, &vm.name)?;
    let mut qemu = Qemu::start(qemu::command(vm, accel, initramfs.path()), &file)?;
    let mut session = Session::new(vm, file, tell);
    session.allow(vm.boot_limit);
    session.follow(&qemu)?;
    if !session.hung {
        qemu.wait();
    }
    drop(qemu);
    session.finish(log)
}

/// Boots `vm` with its console on the user's terminal until it ends or the user ends it.
pub fn interact(paths: &Paths, vm: &Vm) -> Result<()> {
    let accel = accel::resolve(paths, vm)?;
    let initramfs = pack(paths, vm)?;
    let mut cmd = qemu::command(vm, accel, initramfs.path());
    qemu::on_terminal(&mut cmd)
}

#[cfg(test)]
mod tests;
