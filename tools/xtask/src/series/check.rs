// SPDX-License-Identifier: GPL-2.0

//! Regenerates the series, compares, applies it with plain `git am`, checks every patch.

use std::{collections::BTreeSet, path::PathBuf};

use anyhow::{bail, Context, Result};

use super::{
    checkpatch,
    checks::Checks,
    debian::{self, Debian},
    git, maintainers,
    overlay::Content,
    patches::{self, Generated},
    plan::PATCHES,
    scratch::Scratch,
    stage::{self, Source, Stage},
    Built,
};
use crate::{kernel, lint, paths::Paths, report::Tally, run, setup::release};

/// Check that patches/ is what the overlay generates, that it applies with `git am` to the base and
/// to Debian's kernel source, and that checkpatch and the lint rules have nothing to say.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(paths: &Paths, _args: Args) -> Result<()> {
    let mut checks = Checks {
        tally: tally(paths)?,
    };
    checks.tally += lint::tally(paths)?;
    // It takes seconds, but only where there is a kernel.
    match kernel::is_built(paths, &lint::misuse::kernel())? {
        true => checks.tally += lint::misuse::tally(paths)?,
        false => checks.skip(
            "misuses of the abstractions do not compile",
            "no kernel was built from these sources; run `make kernel`",
        ),
    }
    checks.verdict()
}

/// The checks of the series alone, without those of `xtask lint`.
pub fn tally(paths: &Paths) -> Result<Tally> {
    let mut checks = Checks::default();
    let built = match super::build(paths) {
        Ok(built) => built,
        Err(err) => {
            checks.item("the overlay makes a series", Err(err));
            return Ok(checks.tally);
        }
    };
    let same = same(paths, &built);
    let stale = same.is_err();
    checks.item("patches/ is what the overlay generates", same);
    let what = format!("git am puts {} patches on the base", built.patches.len());
    checks.item(&what, on_base(paths, &built));
    checks.item(
        "git am puts patches/extra on top",
        super::extra::tip(paths).map(|_| ()),
    );
    match debian::package(paths) {
        Some(package) => checks.item(
            "git am puts them on Debian's kernel source as it comes",
            on_debian(paths, &built, &package),
        ),
        None => checks.skip(
            "git am on Debian's kernel source",
            "its package is not in the cache",
        ),
    }
    if stale {
        println!("          (what follows is about the patches as they are on disk)");
    }
    for (name, result) in each(paths, &built)? {
        checks.item(&format!("checkpatch --strict {name}"), result);
    }
    Ok(checks.tally)
}

/// Compares what is in `patches/` with what the overlay generates.
fn same(paths: &Paths, built: &Built) -> Result<()> {
    let mut old = patches::on_disk(&paths.root)?;
    let mut new = patches::generate(paths, built)?;
    if !on_recorded_base(paths, built)? {
        println!("          (not on the tree of patches/BASE: positions in it are not compared)");
        for text in old.values_mut().chain(new.values_mut()) {
            *text = without_positions(text);
        }
    }
    match patches::differences(&old, &new) {
        list if list.is_empty() => Ok(()),
        list => bail!("run `make patches`; it would:\n{}", list.join("\n")),
    }
}

/// Whether the base here is the one that the patches in the repository were generated on.
fn on_recorded_base(paths: &Paths, built: &Built) -> Result<bool> {
    let tree = format!("{}^{{tree}}", built.base);
    let tree = run::output(git::git(&paths.base()).args(["rev-parse", &tree]))?;
    Ok(release::Base::read(&paths.root)?.tree == Some(tree))
}

/// Drops what depends on the version of the files that the series edits.
fn without_positions(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let kept = text
        .lines()
        .filter(|l| !l.starts_with("index ") && !l.starts_with("@@ "));
    kept.collect::<Vec<&str>>().join("\n").into_bytes()
}

/// The patches on disk, in the order in which a shell gives them.
pub fn files(paths: &Paths) -> Result<Vec<PathBuf>> {
    let names = patches::on_disk(&paths.root)?;
    let names = names.keys().filter(|name| name.ends_with(".patch"));
    let files: Vec<PathBuf> = names.map(|n| paths.root.join(PATCHES).join(n)).collect();
    if files.is_empty() {
        bail!("there are no patches; run `make patches`");
    }
    Ok(files)
}

/// Everything about each commit after `base` that the patches decide.
fn history(dir: &std::path::Path, base: &str, tip: &str) -> Result<Vec<String>> {
    let range = format!("{base}..{tip}");
    let log = [
        "log",
        "--reverse",
        "-z",
        "--format=%T%n%an <%ae> %ad%n%B",
        &range,
    ];
    let log = run::output(git::git(dir).args(log))?;
    Ok(log.split('\0').map(str::to_string).collect())
}

/// Applies the patches to the pristine base and compares every commit with the overlay's.
fn on_base(paths: &Paths, built: &Built) -> Result<()> {
    let touched: BTreeSet<&String> = built.stages.iter().flat_map(Stage::keys).collect();
    let touched: Vec<String> = touched.into_iter().cloned().collect();
    let scratch = Scratch::base(paths, "base", &built.base, &touched)?;
    scratch.am(&files(paths)?)?;
    let tip = built.commits.last().context("the series is empty")?;
    let ours = history(&paths.base(), &built.base, tip)?;
    let theirs = history(scratch.dir(), &built.base, "HEAD")?;
    if ours.len() != theirs.len() {
        bail!(
            "{} patches applied, the overlay makes {}",
            theirs.len(),
            ours.len()
        );
    }
    match ours
        .iter()
        .zip(&theirs)
        .position(|(ours, theirs)| ours != theirs)
    {
        None => Ok(()),
        Some(n) => bail!(
            "after patch {} the tree or message is not the overlay's",
            n + 1
        ),
    }
}

/// Applies the patches to the files of Debian's package, unmodified, and compares the result with
/// the stanzas carried out on those.
fn on_debian(paths: &Paths, built: &Built, package: &std::path::Path) -> Result<()> {
    let edited = stage::edited(&built.patches);
    let debian = Debian::open(paths, package, &edited)?;
    let mut wanted = Stage::new();
    for path in built.stages.iter().flat_map(Stage::keys) {
        if let Some(content) = debian.read(path)? {
            wanted.insert(path.clone(), content);
        }
    }
    let files_before = wanted
        .iter()
        .map(|(path, content)| (path.as_str(), content));
    let scratch = Scratch::of(paths, "debian", files_before)?;
    scratch.am(&files(paths)?)?;
    for stage in stage::land(&built.patches, &debian)? {
        wanted.extend(stage);
    }
    for (path, Content { bytes, .. }) in &wanted {
        if std::fs::read(scratch.dir().join(path)).ok().as_ref() != Some(bytes) {
            bail!("{path} is not what the overlay makes of Debian's");
        }
    }
    let found = run::output(git::git(scratch.dir()).arg("ls-files"))?;
    match found.lines().find(|path| !wanted.contains_key(*path)) {
        Some(path) => bail!("the patches add {path}, the overlay does not"),
        None => Ok(()),
    }
}

/// Runs checkpatch on each patch on disk.
fn each(paths: &Paths, built: &Built) -> Result<Vec<(String, Result<()>)>> {
    let list = built
        .stages
        .iter()
        .rev()
        .find_map(|stage| stage.get(maintainers::PATH));
    let list = list.map(|content| String::from_utf8_lossy(&content.bytes).into_owned());
    let patterns = maintainers::patterns(list.as_deref().unwrap_or(""));
    let on_disk: Generated = patches::on_disk(&paths.root)?;
    let patches: Vec<_> = on_disk
        .iter()
        .filter(|(name, _)| name.ends_with(".patch"))
        .collect();
    let base = paths.base();
    let results = checkpatch::parallel(&patches, |(name, text)| {
        let mut ignore = Vec::new();
        if covered(&String::from_utf8_lossy(text), &patterns) {
            ignore.push(checkpatch::COVERED);
        }
        let patch = built
            .patches
            .iter()
            .find(|patch| name.contains(&format!("-{}.", patch.slug)));
        let reasons = patch.iter().flat_map(|patch| &patch.message.ignore);
        ignore.extend(reasons.map(|(kind, _why)| kind.as_str()));
        let path = paths.root.join(PATCHES).join(name);
        (
            name.to_string(),
            checkpatch::run(&base, &ignore, &[&path.to_string_lossy()]),
        )
    });
    Ok(results)
}

/// Whether entries of MAINTAINERS cover every file that the patch adds.
fn covered(patch: &str, patterns: &[&str]) -> bool {
    let mut new = patch
        .lines()
        .filter_map(|line| line.strip_prefix(" create mode "));
    new.all(|line| {
        line.split_once(' ')
            .is_some_and(|(_, path)| maintainers::covers(patterns, path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixture::Fixture;

    fn generated(fixture: &Fixture) -> Built {
        let paths = fixture.paths();
        let built = crate::series::build(&paths).unwrap();
        for (name, text) in patches::generate(&paths, &built).unwrap() {
            fixture.write(
                &format!("patches/{name}"),
                &String::from_utf8(text).unwrap(),
            );
        }
        built
    }

    #[test]
    fn what_is_generated_applies_and_compares_equal() {
        let fixture = Fixture::new();
        let built = generated(&fixture);
        same(&fixture.paths(), &built).unwrap();
        on_base(&fixture.paths(), &built).unwrap();
        assert_eq!(
            crate::series::tip(&fixture.paths()).unwrap(),
            built.commits[1]
        );
    }

    #[test]
    fn an_edit_of_the_overlay_makes_the_patches_stale() {
        let fixture = Fixture::new();
        generated(&fixture);
        fixture.write("rust/new.rs", "newer\n");
        let built = crate::series::build(&fixture.paths()).unwrap();
        let said = format!("{:#}", same(&fixture.paths(), &built).unwrap_err());
        assert!(said.contains("write patches/0001-one.patch"), "{said}");
        let said = format!("{:#}", on_base(&fixture.paths(), &built).unwrap_err());
        assert!(said.contains("after patch 1"), "{said}");
    }

    #[test]
    fn on_another_base_positions_do_not_count() {
        let fixture = Fixture::new();
        let built = generated(&fixture);
        let path = fixture.root().join("patches/0002-two.patch");
        let text = std::fs::read_to_string(path).unwrap();
        let moved = text.replace("@@ -1,2 +1,3 @@", "@@ -8,2 +8,3 @@");
        assert_ne!(moved, text);
        fixture.write("patches/0002-two.patch", &moved);
        same(&fixture.paths(), &built).unwrap_err();
        fixture.write("patches/BASE", "version 7.3.0\nmainline-tree 0\n");
        same(&fixture.paths(), &built).unwrap();
    }

    #[test]
    fn a_patch_that_does_not_apply_is_named() {
        let fixture = Fixture::new();
        let built = generated(&fixture);
        let path = fixture.root().join("patches/0002-two.patch");
        let text = std::fs::read_to_string(&path)
            .unwrap()
            .replace("\n b\n", "\n B\n");
        fixture.write("patches/0002-two.patch", &text);
        let said = format!("{:#}", on_base(&fixture.paths(), &built).unwrap_err());
        assert!(
            said.contains("area: add two") && said.contains("rust/old.rs"),
            "{said}"
        );
        let left = fixture
            .paths()
            .cache
            .join("scratch")
            .read_dir()
            .unwrap()
            .count();
        assert_eq!(left, 0, "scratch repositories are left");
    }
}
