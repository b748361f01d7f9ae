// SPDX-License-Identifier: GPL-2.0

//! Compiles the kernel crate and the driver in the configurations that others have:
//! `tools/configs/matrix` lists them.

use std::{fs, path::Path, time::Instant};

use anyhow::{bail, Context, Result};

use super::{arch::Arch, config, lock, tree, Job};
use crate::{paths::Paths, report::Tally, run, series::checks::Checks, setup};

#[derive(clap::Args)]
pub struct Args {
    /// Only these configurations.
    #[arg(long, num_args = 1.., value_name = "NAME")]
    only: Vec<String>,
    /// List the configurations.
    #[arg(long, conflicts_with = "only")]
    list: bool,
}

/// One line of the list.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    name: String,
    arch: Arch,
    /// Lines of a fragment that have to hold in the end.
    wanted: String,
    /// Lines that need not.
    wished: String,
    /// Whether the driver may be impossible to select.
    may_lack_driver: bool,
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    let mut entries = entries(&paths.root)?;
    if args.list {
        entries.iter().for_each(|entry| println!("{}", entry.name));
        return Ok(());
    }
    if !args.only.is_empty() {
        entries = pick(entries, &args.only)?;
    }
    let tally = compile_all(paths, &entries)?;
    tally.verdict()?;
    println!("{tally}");
    Ok(())
}

/// Compiles all, for `xtask test --all`.
pub fn tally(paths: &Paths) -> Result<Tally> {
    compile_all(paths, &entries(&paths.root)?)
}

fn pick(entries: Vec<Entry>, names: &[String]) -> Result<Vec<Entry>> {
    for name in names {
        if !entries.iter().any(|entry| entry.name == *name) {
            bail!("there is no configuration {name}; `--list` lists them");
        }
    }
    let is_named = |entry: &Entry| names.contains(&entry.name);
    Ok(entries.into_iter().filter(is_named).collect())
}

fn entries(root: &Path) -> Result<Vec<Entry>> {
    let file = root.join("tools/configs/matrix");
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            entry(line).with_context(|| format!("{}:{}", file.display(), number + 1))
        })
        .collect()
}

fn entry(line: &str) -> Result<Entry> {
    let mut words = line.split_whitespace();
    let name = words.next().context("there is no name")?.to_string();
    let machine = words.next().context("there is no machine")?;
    let mut entry = Entry {
        name,
        arch: Arch::of(machine).with_context(|| format!("there is no machine {machine}"))?,
        wanted: String::new(),
        wished: String::new(),
        may_lack_driver: false,
    };
    for word in words {
        match (word.strip_suffix('?'), word.contains('=')) {
            _ if word == "without-driver" => entry.may_lack_driver = true,
            (Some(symbol), _) => entry.wished += &format!("CONFIG_{symbol}=y\n"),
            (None, true) => entry.wanted += &format!("CONFIG_{word}\n"),
            (None, false) => bail!("{word} is not a symbol and a value"),
        }
    }
    Ok(entry)
}

fn compile_all(paths: &Paths, entries: &[Entry]) -> Result<Tally> {
    let mut checks = Checks::default();
    for entry in entries {
        let start = Instant::now();
        let result = compile(paths, entry);
        let seconds = start.elapsed().as_secs_f64();
        let what = format!("{} compiles ({seconds:.0} s)", entry.name);
        match result {
            Ok(true) => checks.item(&what, Ok(())),
            Ok(false) => checks.item(&format!("{what}, the driver cannot be selected"), Ok(())),
            Err(error) => checks.item(&what, Err(error)),
        }
    }
    Ok(checks.tally)
}

/// Compiles the crate with one configuration, and the driver if it can be selected. Gives whether
/// it can.
fn compile(paths: &Paths, entry: &Entry) -> Result<bool> {
    let tools = setup::ensure(paths)?;
    let _lock = lock::take(&paths.cache)?;
    // One folder for each machine: the programs that the build needs are the same.
    let job = Job {
        source: tree::with_series(paths)?,
        tools,
        dir: paths.build(&format!("configs-{}", entry.arch.name())),
        name: format!("configs-{}", entry.name),
        arch: entry.arch,
        strict: false,
    };
    fs::create_dir_all(&job.dir).with_context(|| format!("cannot create {}", job.dir.display()))?;
    let base = config::parts(&paths.root, &["base", entry.arch.name(), "driver-safe"])?;
    let fragment = format!("{base}{}{}", entry.wished, entry.wanted);
    config::start(&job, paths, "tinyconfig", &fragment)?;
    let got = config::read(&job)?;
    config::check(&entry.wanted, &got)?;
    let has_driver = got
        .lines()
        .any(|line| line.starts_with("CONFIG_ANDROID_BINDER_SAFE="));
    if !has_driver && !entry.may_lack_driver {
        bail!("the driver cannot be selected");
    }
    let mut make = job.make();
    make.args(["KRUSTFLAGS=-Dwarnings", "rust/"]);
    make.args(has_driver.then_some("drivers/android/"));
    let log = paths.log(&format!("build-{}", job.name))?;
    run::logged(&format!("Compiling {}", entry.name), None, &log, &mut make)?;
    Ok(has_driver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_understood() {
        let entry = entry("no-x  arm64  X=n Y? Z=m without-driver").unwrap();
        assert_eq!(entry.name, "no-x");
        assert_eq!(entry.arch, Arch::Arm64);
        assert_eq!(entry.wanted, "CONFIG_X=n\nCONFIG_Z=m\n");
        assert_eq!(entry.wished, "CONFIG_Y=y\n");
        assert!(entry.may_lack_driver);
    }

    #[test]
    fn a_bad_line_is_refused() {
        for line in ["one", "one pdp11 X=n", "one x86_64 X"] {
            assert!(entry(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_list_is_sound() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let entries = entries(&root).unwrap();
        let mut names: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), entries.len());
    }

    #[test]
    fn only_what_is_asked_for() {
        let list = || {
            vec![
                entry("a x86_64 X=n").unwrap(),
                entry("b arm64 X=y").unwrap(),
            ]
        };
        assert_eq!(pick(list(), &["b".into()]).unwrap().len(), 1);
        let error = pick(list(), &["c".into()]).unwrap_err().to_string();
        assert!(error.contains("no configuration c"), "{error}");
    }
}
