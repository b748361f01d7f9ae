// SPDX-License-Identifier: GPL-2.0

//! Builds the kernel's documentation where the series adds pages: `make docs`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{bail, Context, Result};

use crate::{
    kernel,
    paths::Paths,
    run,
    series::overlay,
    setup::{self, packages},
};

/// What the kernel's documentation takes besides what kernels take.
const NEEDED: &[&str] = &["python3-sphinx", "python3-yaml"];

/// Sphinx's own, since it cannot find its modules from another.
const PYTHON: &str = "/usr/bin/python3";

const PREFIX: &str = "Documentation/";

/// How many lines make prints, for the progress bar.
const LINES: u64 = 900;

#[derive(clap::Args)]
pub struct Args {}

/// The pages of the series, by their paths below `Documentation`.
fn pages(paths: &Paths) -> Result<Vec<String>> {
    let files = overlay::list(&paths.root)?;
    let pages: Vec<String> = files
        .iter()
        .filter_map(|file| file.path.strip_prefix(PREFIX))
        .filter(|path| path.ends_with(".rst"))
        .map(str::to_string)
        .collect();
    if pages.is_empty() {
        bail!("the series has no pages in Documentation");
    }
    Ok(pages)
}

/// The books that they are in.
fn books(pages: &[String]) -> BTreeSet<&str> {
    pages
        .iter()
        .filter_map(|page| Some(page.split_once('/')?.0))
        .collect()
}

/// The lines of Sphinx's output that are about one of the pages.
fn complaints<'a>(log: &'a str, pages: &[String]) -> Vec<&'a str> {
    log.lines()
        .filter(|line| {
            ["WARNING", "ERROR", "CRITICAL"]
                .iter()
                .any(|word| line.contains(word))
        })
        .filter(|line| pages.iter().any(|page| line.contains(page.as_str())))
        .collect()
}

fn make(tree: &Path, out: &Path, books: &BTreeSet<&str>) -> Command {
    let books: Vec<&str> = books.iter().copied().collect();
    let mut make = Command::new("make");
    make.arg("-C")
        .arg(tree)
        .arg(format!("O={}", out.display()))
        .arg(format!("PYTHON3={PYTHON}"))
        .arg(format!("SPHINXDIRS={}", books.join(" ")))
        .arg("htmldocs");
    for name in ["MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"] {
        make.env_remove(name);
    }
    make
}

/// Where the page of that name is once it is built.
fn html(out: &Path, page: &str) -> PathBuf {
    out.join("Documentation/output")
        .join(page)
        .with_extension("html")
}

pub fn run(paths: &Paths, _args: Args) -> Result<()> {
    packages::ensure_more(paths, NEEDED)?;
    setup::ensure(paths)?;
    let pages = pages(paths)?;
    let tree = kernel::source(paths)?;
    let out = paths.build("docs");
    fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
    let log = paths.log("docs")?;
    let mut make = make(&tree, &out, &books(&pages));
    run::logged(
        "Building the kernel's documentation",
        Some(LINES),
        &log,
        &mut make,
    )?;
    let text =
        fs::read_to_string(&log).with_context(|| format!("cannot read {}", log.display()))?;
    let complaints = complaints(&text, &pages);
    if !complaints.is_empty() {
        bail!(
            "the pages of the series have faults:\n{}",
            complaints.join("\n")
        );
    }
    for page in &pages {
        let html = html(&out, page);
        if !html.is_file() {
            bail!("{page} was not built; log: {}", log.display());
        }
        println!("{}", html.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_other_pages_are_theirs() {
        let pages = [
            "admin-guide/a.rst".to_string(),
            "driver-api/b.rst".to_string(),
        ];
        let log = "reading sources... [ 1%] admin-guide/a\n\
                   /x/Documentation/admin-guide/other.rst:3: WARNING: bad\n\
                   /x/Documentation/driver-api/b.rst:9: WARNING: Title underline too short.\n";
        assert_eq!(complaints(log, &pages).len(), 1);
        assert_eq!(
            books(&pages).into_iter().collect::<Vec<_>>(),
            ["admin-guide", "driver-api"]
        );
    }

    #[test]
    fn the_pages_of_the_series_are_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let paths = Paths {
            root,
            cache: "/".into(),
            kdir: None,
        };
        let pages = pages(&paths).unwrap();
        assert!(
            pages.contains(&"driver-api/binder-safe.rst".to_string()),
            "{pages:?}"
        );
    }
}
