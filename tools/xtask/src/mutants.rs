// SPDX-License-Identifier: GPL-2.0

//! Puts bugs that Binder drivers have had back into the driver, one at a time, and sees whether a
//! test finds each. They are the patches in `tools/mutants`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{bail, Context, Result};

use crate::{
    interrupt::Scratch,
    kernel,
    paths::Paths,
    report::Tally,
    run, selftest,
    series::{git, overlay},
    vm::image::Choice,
    Config, Driver,
};

const FOLDER: &str = "tools/mutants";

#[derive(clap::Args)]
pub struct Args {
    /// Only these, by the names of their patches.
    #[arg(long, num_args = 1.., value_name = "NAME")]
    only: Vec<String>,
}

/// A bug to put back.
#[derive(Debug, PartialEq, Eq)]
struct Mutant {
    name: String,
    /// Which bug it is.
    bug: String,
    /// What must find it: a test program, or PROGRAM:TEST.
    test: String,
    patch: PathBuf,
}

impl Mutant {
    /// Reads the lines `Bug: …` and `Test: …` at the head of a patch.
    fn read(patch: &Path) -> Result<Self> {
        let text = fs::read_to_string(patch)
            .with_context(|| format!("cannot read {}", patch.display()))?;
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key));
            line.map(|value| value.trim().to_string())
                .with_context(|| format!("{} has no line `{key} …`", patch.display()))
        };
        let name = patch.file_stem().unwrap_or_default();
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            bug: value("Bug:")?,
            test: value("Test:")?,
            patch: patch.to_path_buf(),
        })
    }

    /// Changes the files in `root`, or only says whether that could be done.
    fn apply(&self, root: &Path, only_check: bool) -> Result<()> {
        let mut apply = git::git(root);
        apply
            .arg("apply")
            .args(only_check.then_some("--check"))
            .arg(&self.patch);
        run::output(&mut apply)
            .with_context(|| format!("{} no longer fits; bring it up to date", self.name))?;
        Ok(())
    }

    /// Builds the kernel with the bug, and whether the test finds it.
    fn is_found(&self, paths: &Paths) -> Result<bool> {
        println!("{}: {}", self.name, self.bug);
        let copy = Scratch::new(paths.builds().join("mutant"));
        copy_sources(&paths.root, copy.path())?;
        self.apply(copy.path(), false)?;
        let with_bug = Paths {
            root: copy.path().to_path_buf(),
            ..paths.clone()
        };
        let kernel = kernel::Args::of(Driver::Safe, Config::Release);
        let mut choice = Choice::of(Driver::Safe, Config::Release);
        choice.image = Some(kernel::build(&with_bug, &kernel)?);
        Ok(selftest::one(paths, choice, &self.test)?.failed > 0)
    }
}

/// All of them, by name.
fn all(root: &Path) -> Result<Vec<Mutant>> {
    let mut patches = Vec::new();
    for entry in fs::read_dir(root.join(FOLDER)).with_context(|| format!("no {FOLDER}"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "patch") {
            patches.push(path);
        }
    }
    patches.sort();
    patches.iter().map(|patch| Mutant::read(patch)).collect()
}

/// A copy of what git knows, so that the sources themselves never have the bug.
fn copy_sources(from: &Path, to: &Path) -> Result<()> {
    for file in overlay::tracked(from, &[])? {
        let (source, copy) = (from.join(&file), to.join(&file));
        if !source.is_file() {
            continue;
        }
        fs::create_dir_all(copy.parent().unwrap_or(to))?;
        fs::copy(&source, &copy).with_context(|| format!("cannot write {}", copy.display()))?;
    }
    run::output(git::plain(Command::new("git").arg("-C").arg(to)).args(["init", "--quiet"]))?;
    Ok(())
}

/// What the lint calls: whether all of them can still be put back.
pub fn check(root: &Path) -> Result<()> {
    all(root)?
        .iter()
        .try_for_each(|mutant| mutant.apply(root, true))
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    let mut mutants = all(&paths.root)?;
    if let Some(wrong) = args
        .only
        .iter()
        .find(|name| !mutants.iter().any(|mutant| mutant.name == **name))
    {
        bail!("there is no {FOLDER}/{wrong}.patch");
    }
    mutants.retain(|mutant| args.only.is_empty() || args.only.contains(&mutant.name));
    let mut found = Vec::new();
    for mutant in &mutants {
        found.push(mutant.is_found(paths)?);
    }
    println!();
    let mut tally = Tally::default();
    for (mutant, found) in mutants.iter().zip(found) {
        let how = if found { "found by" } else { "NOT found by" };
        println!("  {:<26} {how} {}", mutant.name, mutant.test);
        tally += Tally::one(found);
    }
    println!("bugs put back: {tally}");
    tally.verdict()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_head_of_a_patch() {
        let dir = tempfile::tempdir().unwrap();
        let patch = dir.path().join("a-bug.patch");
        fs::write(&patch, "Bug: CVE-1: x.\nTest: y_test:z\n\n--- a/f\n").unwrap();
        let mutant = Mutant::read(&patch).unwrap();
        assert_eq!(mutant.name, "a-bug");
        assert_eq!(mutant.bug, "CVE-1: x.");
        assert_eq!(mutant.test, "y_test:z");
        fs::write(&patch, "Bug: x\n").unwrap();
        let error = Mutant::read(&patch).unwrap_err().to_string();
        assert!(error.ends_with("has no line `Test: …`"), "{error}");
    }
}
