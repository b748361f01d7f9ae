// SPDX-License-Identifier: GPL-2.0

//! Running other programs: output to a log, progress to the terminal, one line on failure.

use std::{
    fs::File,
    io::{BufRead, BufReader, IsTerminal, Write},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{bail, Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

/// How often a long step says that it is alive where there is no terminal.
const PLAIN_INTERVAL: Duration = Duration::from_secs(30);

/// A step that takes long enough for people to wonder: a counter on a terminal, plain lines off it.
pub struct Progress {
    title: String,
    bar: Option<ProgressBar>,
    last: Instant,
    count: u64,
}

impl Progress {
    /// Announces the step. `total` is what the counter runs to, where that is known.
    pub fn start(title: &str, total: Option<u64>) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = match total {
                Some(n) => ProgressBar::new(n),
                None => ProgressBar::new_spinner(),
            };
            let style = match total {
                Some(_) => "  {prefix:<8} {bar:30} {pos}/{len} {elapsed} {wide_msg}",
                None => "  {prefix:<8} {spinner} {pos} {elapsed} {wide_msg}",
            };
            bar.set_style(ProgressStyle::with_template(style).expect("the template is constant"));
            bar.set_prefix(title.to_string());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        if bar.is_none() {
            eprintln!("  {title}");
        }
        Self { title: title.to_string(), bar, last: Instant::now(), count: 0 }
    }

    /// One unit of work is done; `what` names it.
    pub fn tick(&mut self, what: &str) {
        self.count += 1;
        match &self.bar {
            Some(bar) => {
                bar.inc(1);
                bar.set_message(what.to_string());
            }
            None if self.last.elapsed() >= PLAIN_INTERVAL => {
                eprintln!("  {} … {} steps, now: {}", self.title, self.count, what);
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

/// Runs `cmd` with all its output in `log`; on a terminal each line of output counts as progress.
///
/// Fails with one line that says which step failed, why, and where the log is.
pub fn logged(title: &str, total: Option<u64>, log: &Path, cmd: &mut Command) -> Result<()> {
    let mut out = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    writeln!(out, "$ {cmd:?}")?;
    let err = out.try_clone()?;
    let mut progress = Progress::start(title, total);
    let mut child = cmd
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(err)
        .spawn()
        .with_context(|| format!("cannot run {}", cmd.get_program().to_string_lossy()))?;
    let stdout = child.stdout.take().context("the child has no stdout")?;
    let mut last = String::new();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        writeln!(out, "{line}")?;
        progress.tick(line.trim());
        last = line;
    }
    let status = child.wait()?;
    progress.finish();
    if !status.success() {
        bail!("{title} failed ({status}); last line: {}; log: {}", last.trim(), log.display());
    }
    Ok(())
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
