// SPDX-License-Identifier: GPL-2.0

//! Generates `patches/` from the overlay.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};

use super::{git, plan::PATCHES, Built};
use crate::paths::Paths;

/// Write patches/*.patch and the cover letter from the overlay, patches/series and patches/messages/.
#[derive(clap::Args)]
pub struct Args {
    /// Say what would be written or removed, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// What is generated: file name in `patches/`, and text.
pub type Generated = BTreeMap<String, Vec<u8>>;

/// The cover letter; its name does not end in `.patch`, so that `git am patches/*.patch` works.
const COVER: &str = "cover-letter.txt";

/// Options of `git diff` that a user's or a newer git's defaults must not change.
const DIFF: [&str; 10] = [
    "--full-index",
    "--stat=72",
    "--summary",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--diff-algorithm=myers",
    "--src-prefix=a/",
    "--dst-prefix=b/",
];

/// Git's own patterns for the text after `@@` differ from version to version.
const HUNK_HEADERS: [&str; 4] = [
    "-c",
    "diff.rust.xfuncname=^[[:alpha:]_$].*$",
    "-c",
    "diff.cpp.xfuncname=^[[:alpha:]_$].*$",
];

/// Generates everything in `patches/` that is not written by hand.
pub fn generate(paths: &Paths, built: &Built) -> Result<Generated> {
    let dir = paths.base();
    let mut out = Generated::new();
    for (index, (patch, commit)) in built.patches.iter().zip(&built.commits).enumerate() {
        let context = patch.message.context.unwrap_or(3);
        let mut cmd = git::git(&dir);
        cmd.args(HUNK_HEADERS)
            .args(["format-patch", "--stdout", "-1", "-N", "--zero-commit"]);
        cmd.args(["--no-signature", "--no-base", "--no-attach", "--no-thread"]);
        cmd.args(["--subject-prefix=PATCH", "--encode-email-headers"]);
        cmd.args(DIFF).arg(format!("-U{context}")).arg(commit);
        out.insert(
            format!("{:04}-{}.patch", index + 1, patch.slug),
            git::bytes(&mut cmd)?,
        );
    }
    out.insert(COVER.to_string(), cover(paths, built)?);
    Ok(out)
}

/// The cover letter: the written part, then the list of patches and the files they touch.
fn cover(paths: &Paths, built: &Built) -> Result<Vec<u8>> {
    let name = "patches/messages/cover-letter";
    let raw = fs::read_to_string(paths.root.join(name)).with_context(|| format!("no {name}"))?;
    let (subject, body) = raw
        .split_once("\n\n")
        .with_context(|| format!("{name}: no body"))?;
    let count = built.patches.len();
    let mut text = format!(
        "Subject: [PATCH 00/{count:02}] {subject}\n\n{}\n\n",
        body.trim_end()
    );
    text.push_str(&format!("{} ({count}):\n", git::NAME));
    for patch in &built.patches {
        text.push_str(&format!("  {}\n", patch.message.subject()));
    }
    let tip = built.commits.last().context("the series is empty")?;
    let mut cmd = git::git(&paths.base());
    cmd.arg("diff").args(DIFF).args([&built.base, tip]);
    let stat = git::bytes(&mut cmd)?;
    text.push('\n');
    text.push_str(&String::from_utf8_lossy(&stat));
    Ok(text.into_bytes())
}

/// What is in `patches/` now of the kinds of files that are generated.
pub fn on_disk(root: &Path) -> Result<Generated> {
    let mut found = Generated::new();
    for entry in fs::read_dir(root.join(PATCHES)).context("cannot read patches/")? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".patch") || name == COVER {
            found.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(found)
}

/// One line for each file that is not as generated.
pub fn differences(old: &Generated, new: &Generated) -> Vec<String> {
    let gone = old.keys().filter(|name| !new.contains_key(*name));
    let gone = gone.map(|name| format!("remove {PATCHES}/{name}"));
    let changed = new
        .iter()
        .filter(|(name, text)| old.get(*name) != Some(text));
    gone.chain(changed.map(|(name, _)| format!("write {PATCHES}/{name}")))
        .collect()
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    let built = super::build(paths)?;
    let new = generate(paths, &built)?;
    let old = on_disk(&paths.root)?;
    let differences = differences(&old, &new);
    for line in &differences {
        println!("  {line}");
    }
    if !args.dry_run {
        let dir = paths.root.join(PATCHES);
        for name in old.keys().filter(|name| !new.contains_key(*name)) {
            fs::remove_file(dir.join(name)).with_context(|| format!("cannot remove {name}"))?;
        }
        for (name, text) in &new {
            fs::write(dir.join(name), text).with_context(|| format!("cannot write {name}"))?;
        }
    }
    println!(
        "{} patches, {} files changed",
        built.patches.len(),
        differences.len()
    );
    Ok(())
}
