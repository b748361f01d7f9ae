// SPDX-License-Identifier: GPL-2.0

//! Tempting misuses of the abstractions: each file of `tools/misuse` must not compile against the
//! kernel crate as it was built, for the reason that its head names; `fine.rs` must.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{bail, Context, Result};

use super::replay::{Build, Saved};
use crate::{kernel, paths::Paths, report::Tally, series::checks::Checks, Config, Driver};

/// The driver: what uses the kernel crate is compiled as it is.
pub const DRIVER: &str = "drivers/android/binder_safe/main.o";

/// What stands before the expected error in the head of a file.
const EXPECTED: &str = "//! error: ";

/// The kernel that they are compiled against.
pub fn kernel() -> kernel::Args {
    kernel::Args::of(Driver::Safe, Config::Release)
}

/// Tries every file, on a kernel which is built if need be.
pub fn tally(paths: &Paths) -> Result<Tally> {
    let build = Build::of(paths, &kernel())?;
    let saved = build.command(DRIVER)?;
    let mut checks = Checks::default();
    for file in files(&paths.root)? {
        let text = fs::read_to_string(&file)?;
        let expected = text.lines().find_map(|line| line.strip_prefix(EXPECTED));
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let what = match expected {
            Some(code) => format!("{name} does not compile ({code})"),
            None => format!("{name} compiles"),
        };
        checks.item(&what, try_file(&build, &saved, &file, expected));
    }
    Ok(checks.tally)
}

fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let dir = root.join("tools/misuse");
    let entries = fs::read_dir(&dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let mut files = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|ext| ext == "rs"));
    files.sort();
    Ok(files)
}

fn try_file(build: &Build, saved: &Saved, file: &Path, expected: Option<&str>) -> Result<()> {
    let verdict = build.compile(saved, file)?;
    let error = verdict.first("error");
    match (expected, error) {
        (None, None) if verdict.success => Ok(()),
        (Some(_), None) if verdict.success => bail!("it compiles"),
        (Some(code), Some(error)) if error.starts_with(&format!("error[{code}]")) => Ok(()),
        (_, error) => bail!(
            "{}",
            error.unwrap_or("the compiler failed and said nothing")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_misuse_says_what_stops_it() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let files = files(&root).unwrap();
        let without: Vec<_> = files
            .iter()
            .filter(|file| !fs::read_to_string(file).unwrap().contains(EXPECTED))
            .map(|file| file.file_name().unwrap())
            .collect();
        assert_eq!(without, ["fine.rs"]);
        assert!(files.len() > 10);
    }
}
