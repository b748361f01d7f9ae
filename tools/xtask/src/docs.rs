// SPDX-License-Identifier: GPL-2.0

//! Builds the pages that the series adds to the kernel's documentation, as the kernel builds its
//! own: `make docs`.
//!
//! The books that they are in have hundreds of pages more and take many minutes, so there is a book
//! of ours alone. It goes through the kernel's make, with the kernel's settings and extensions.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{bail, Context, Result};

use crate::{
    kernel,
    paths::Paths,
    report::Tally,
    run,
    series::overlay,
    setup::{self, packages},
};

/// What the kernel's documentation takes besides what kernels take.
const NEEDED: &[&str] = &["python3-sphinx", "python3-yaml"];

/// Sphinx's own, since it cannot find its modules from another.
const PYTHON: &str = "/usr/bin/python3";

const PREFIX: &str = "Documentation/";

/// The book of ours.
const BOOK: &str = "binder-safe-pages";

#[derive(clap::Args)]
pub struct Args {}

pub fn run(paths: &Paths, _args: Args) -> Result<()> {
    for html in build(paths)? {
        println!("{}", html.display());
    }
    Ok(())
}

/// What `xtask test` calls.
pub fn tally(paths: &Paths) -> Result<Tally> {
    build(paths).map(|_| Tally::one(true))
}

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

/// What a page is called in our book.
fn name(page: &str) -> String {
    page.replace('/', "-")
}

/// The first page of our book.
fn index(pages: &[String]) -> String {
    let lines: String = pages
        .iter()
        .map(|page| format!("   {}\n", name(page).trim_end_matches(".rst")))
        .collect();
    format!(".. SPDX-License-Identifier: GPL-2.0\n\nPages\n=====\n\n.. toctree::\n\n{lines}")
}

/// Puts our book into the tree of the documentation.
fn write(book: &Path, documentation: &Path, pages: &[String]) -> Result<()> {
    fs::create_dir_all(book).with_context(|| format!("cannot create {}", book.display()))?;
    for page in pages {
        let from = documentation.join(page);
        fs::copy(&from, book.join(name(page)))
            .with_context(|| format!("cannot copy {}", from.display()))?;
    }
    fs::write(book.join("index.rst"), index(pages))?;
    Ok(())
}

/// The lines of Sphinx's output that are about our book.
fn complaints(log: &str) -> Vec<&str> {
    let is_fault = |line: &&str| ["WARNING", "ERROR"].iter().any(|word| line.contains(word));
    log.lines()
        .filter(is_fault)
        .filter(|line| line.contains(BOOK))
        .collect()
}

fn make(tree: &Path, out: &Path) -> Command {
    let mut make = Command::new("make");
    make.arg("-C")
        .arg(tree)
        .arg(format!("O={}", out.display()))
        .arg(format!("PYTHON3={PYTHON}"))
        .arg(format!("SPHINXDIRS={BOOK}"))
        .arg("htmldocs");
    for name in ["MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"] {
        make.env_remove(name);
    }
    make
}

/// Builds the pages and gives where they are. Fails if there is anything wrong with them.
fn build(paths: &Paths) -> Result<Vec<PathBuf>> {
    packages::ensure_more(paths, NEEDED)?;
    setup::ensure(paths)?;
    let pages = pages(paths)?;
    let tree = kernel::source(paths)?;
    let documentation = tree.join("Documentation");
    let book = documentation.join(BOOK);
    let out = paths.build("docs");
    // Sphinx leaves alone what it thinks it has built.
    if out.exists() {
        fs::remove_dir_all(&out).with_context(|| format!("cannot remove {}", out.display()))?;
    }
    fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
    let log = paths.log("docs")?;
    write(&book, &documentation, &pages)?;
    let made = run::logged(
        "Building the pages of the series",
        None,
        &log,
        &mut make(&tree, &out),
    );
    fs::remove_dir_all(&book).with_context(|| format!("cannot remove {}", book.display()))?;
    made?;
    let text =
        fs::read_to_string(&log).with_context(|| format!("cannot read {}", log.display()))?;
    let complaints = complaints(&text);
    if !complaints.is_empty() {
        bail!("the pages have faults:\n{}", complaints.join("\n"));
    }
    let output = out.join("Documentation/output").join(BOOK);
    let built: Vec<PathBuf> = pages
        .iter()
        .map(|page| output.join(name(page)).with_extension("html"))
        .collect();
    match built.iter().find(|html| !html.is_file()) {
        Some(html) => bail!("there is no {}; log: {}", html.display(), log.display()),
        None => Ok(built),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_our_pages_count() {
        let log = "reading sources... [ 1%] admin-guide-a\n\
                   WARNING: dot(1) not found\n\
                   /x/Documentation/binder-safe-pages/a.rst:9: WARNING: Title underline too short.\n";
        assert_eq!(complaints(log).len(), 1);
    }

    #[test]
    fn the_first_page_lists_the_others() {
        let text = index(&[
            "admin-guide/a.rst".to_string(),
            "driver-api/b.rst".to_string(),
        ]);
        assert!(text.ends_with(".. toctree::\n\n   admin-guide-a\n   driver-api-b\n"));
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
