// SPDX-License-Identifier: GPL-2.0

//! Running other programs: output to a log, progress to the terminal, one line on failure.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, IsTerminal, Write},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{bail, Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use rustix::pipe::PipeFlags;

use crate::interrupt;

/// How often a long step says that it is alive where there is no terminal.
const PLAIN_INTERVAL: Duration = Duration::from_secs(30);

/// A step that takes long enough for people to wonder: a counter on a terminal, plain lines off it.
pub struct Progress {
    title: String,
    bar: Option<ProgressBar>,
    total: Option<u64>,
    last: Instant,
    count: u64,
}

impl Progress {
    /// Announces the step. `total` is what the counter runs to, where that is known; it grows if
    /// more is done than somebody thought.
    pub fn start(title: &str, total: Option<u64>) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| bar(title, total));
        if bar.is_none() {
            eprintln!("  {title}");
        }
        Self {
            title: title.to_string(),
            bar,
            total,
            last: Instant::now(),
            count: 0,
        }
    }

    /// One unit of work is done; `what` names it.
    pub fn tick(&mut self, what: &str) {
        self.reach(self.count + 1, what);
    }

    /// So many units are done in all.
    pub fn reach(&mut self, count: u64, what: &str) {
        self.count = count;
        self.total = self.total.map(|total| total.max(count));
        match &self.bar {
            Some(bar) => {
                if let Some(total) = self.total {
                    bar.set_length(total);
                }
                bar.set_position(count);
                bar.set_message(what.to_string());
            }
            None if self.last.elapsed() >= PLAIN_INTERVAL => {
                let of = self
                    .total
                    .map(|n| format!(" of about {n}"))
                    .unwrap_or_default();
                eprintln!("  {} … {}{of}, now: {what}", self.title, self.count);
                self.last = Instant::now();
            }
            None => {}
        }
    }

    /// Ends the step, leaving nothing of it on a terminal.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(title: &str, total: Option<u64>) -> ProgressBar {
    let (bar, style) = match total {
        Some(n) => (
            ProgressBar::new(n),
            "  {prefix} {bar:24} {pos}/{len} {elapsed} {wide_msg}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "  {prefix} {spinner} {pos} {elapsed} {wide_msg}",
        ),
    };
    bar.set_style(ProgressStyle::with_template(style).expect("the template is constant"));
    bar.set_prefix(title.to_string());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Runs `cmd` with all its output in `log`; on a terminal each line of output counts as progress.
///
/// Fails with one line that says which step failed, why, and where the log is.
pub fn logged(title: &str, total: Option<u64>, log: &Path, cmd: &mut Command) -> Result<()> {
    let mut out = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    writeln!(out, "$ {cmd:?}")?;
    let (reader, writer) =
        rustix::pipe::pipe_with(PipeFlags::CLOEXEC).context("cannot make a pipe")?;
    let mut progress = Progress::start(title, total);
    let mut child = spawn(
        cmd.stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer),
    )?;
    // The command keeps its ends of the pipe until it gets others; the loop would never end.
    cmd.stdout(Stdio::null()).stderr(Stdio::null());
    for line in BufReader::new(File::from(reader)).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        writeln!(out, "{line}")?;
        // What a program draws over itself, such as git's percentages, ends up as one line.
        progress.tick(line.trim().rsplit('\r').next().unwrap_or_default());
    }
    let status = wait(&mut child)?;
    progress.finish();
    if !status.success() {
        let text = fs::read(log).unwrap_or_default();
        let why = reason(&String::from_utf8_lossy(&text));
        bail!("{title} failed: {why}; log: {}", log.display());
    }
    Ok(())
}

/// Starts `cmd`; an interrupt ends it together with this program.
pub fn spawn(cmd: &mut Command) -> Result<Child> {
    let child = cmd.spawn().with_context(|| {
        let program = cmd.get_program().to_string_lossy();
        format!("cannot run {program}")
    })?;
    interrupt::watch(child.id());
    Ok(child)
}

/// Waits for a child that [`spawn`] started.
pub fn wait(child: &mut Child) -> Result<ExitStatus> {
    let status = child.wait()?;
    interrupt::unwatch(child.id());
    Ok(status)
}

/// What most likely went wrong, from the output of a step that failed.
pub fn reason(text: &str) -> String {
    const KNOWN: &[(&str, &str)] = &[
        ("No space left on device", "the disk is full"),
        ("Could not resolve host", "no network"),
        ("Temporary failure resolving", "no network"),
        ("Could not connect to", "no network"),
        ("Couldn't connect to", "no network"),
        ("Connection timed out", "no network"),
        ("Network is unreachable", "no network"),
    ];
    if let Some((_, what)) = KNOWN.iter().find(|(sign, _)| text.contains(sign)) {
        return what.to_string();
    }
    const SIGNS: &[&str] = &["error:", "error[", "Error:", "E: ", "fatal:", "*** "];
    let lines = || {
        text.lines()
            .skip(1)
            .map(str::trim)
            .filter(|line| !line.is_empty())
    };
    lines()
        .find(|line| SIGNS.iter().any(|sign| line.contains(sign)))
        .or_else(|| lines().last())
        .unwrap_or("it printed nothing")
        .to_string()
}

/// Runs `cmd` and gives its standard output, without the last newline.
pub fn output(cmd: &mut Command) -> Result<String> {
    let out = cmd
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", cmd.get_program().to_string_lossy()))?;
    if !out.status.success() {
        bail!(
            "{} failed ({}): {}",
            cmd.get_program().to_string_lossy(),
            out.status,
            String::from_utf8_lossy(&out.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&out.stdout).trim_end().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_never_passes_its_total() {
        let mut progress = Progress::start("Counting", Some(2));
        for _ in 0..3 {
            progress.tick("");
        }
        assert_eq!((progress.count, progress.total), (3, Some(3)));
        progress.reach(1, "");
        assert_eq!((progress.count, progress.total), (1, Some(3)));
        progress.finish();
    }

    #[test]
    fn names_a_full_disk_and_a_missing_network() {
        let full = "$ make\ncc1: fatal error: closing x.s: No space left on device\nmake: *** [x]";
        assert_eq!(reason(full), "the disk is full");
        let offline = "$ apt-get\nErr:1 http://deb.debian.org Temporary failure resolving 'deb'";
        assert_eq!(reason(offline), "no network");
    }

    #[test]
    fn shows_the_first_error_else_the_last_line() {
        let log = "$ make\n  CC a.o\na.c:1: error: no\n  CC b.o\nmake: *** [a.o] Error 1\n";
        assert_eq!(reason(log), "a.c:1: error: no");
        assert_eq!(reason("$ x\none\ntwo\n\n"), "two");
        assert_eq!(reason("$ x\n"), "it printed nothing");
    }

    #[test]
    fn a_failed_step_says_where_its_log_is() {
        let log = std::env::temp_dir().join(format!("xtask-run-{}.log", std::process::id()));
        let mut cmd = Command::new("sh");
        cmd.args(["-c", "echo one; echo 'error: two' >&2; exit 3"]);
        let error = logged("Trying", None, &log, &mut cmd)
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            format!("Trying failed: error: two; log: {}", log.display())
        );
        let text = fs::read_to_string(&log).unwrap();
        fs::remove_file(&log).unwrap();
        assert!(text.ends_with("one\nerror: two\n"), "{text}");
    }
}
