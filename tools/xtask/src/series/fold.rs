// SPDX-License-Identifier: GPL-2.0

//! Brings a hand-edited patch back to the overlay.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{bail, Context, Result};

use super::{
    commits::Base,
    git,
    overlay::{self, Content},
    plan::Patch,
    scratch::Scratch,
    stage::{Source, Stage},
    Built,
};
use crate::{paths::Paths, run};

/// Bring patches that were edited by hand back to the overlay: new files and messages are written,
/// edits of existing kernel files are shown, since their stanzas are written by people.
#[derive(clap::Args)]
pub struct Args {
    /// Files of patches/ that were edited
    #[arg(required = true, value_name = "PATCHFILE")]
    patches: Vec<PathBuf>,
    /// Say what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// What is to be done in the repository to make the overlay say what the patch says.
#[derive(Debug, PartialEq, Eq)]
enum Action {
    Write {
        path: String,
        content: Content,
    },
    Remove {
        path: String,
    },
    /// For people: the difference in a file that is changed by stanzas.
    Show {
        path: String,
        slug: String,
        difference: String,
    },
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    let built = super::build(paths)?;
    let mut actions = Vec::new();
    for file in &args.patches {
        let found = fold(paths, &built, file).with_context(|| file.display().to_string())?;
        actions.extend(found);
    }
    for action in &actions {
        guard(&paths.root, action)?;
    }
    for action in &actions {
        report(action);
        if !args.dry_run {
            carry_out(&paths.root, action)?;
        }
    }
    let by_hand = actions
        .iter()
        .filter(|a| matches!(a, Action::Show { .. }))
        .count();
    let done = actions.len() - by_hand;
    let tense = if args.dry_run {
        "would change"
    } else {
        "changed"
    };
    println!("{tense} {done} files; {by_hand} edits to make by hand; then run `make patches`");
    Ok(())
}

/// The place in the series of a patch file, by its name.
fn index(built: &Built, file: &Path) -> Result<usize> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let slug = name
        .strip_suffix(".patch")
        .and_then(|name| Some(name.split_once('-')?.1));
    let slug = slug.context("its name is not NNNN-<slug>.patch")?;
    let found = built.patches.iter().position(|patch| patch.slug == slug);
    found.with_context(|| format!("no patch `{slug}` in patches/series"))
}

/// Applies `file` where it stands in the series and compares the result with the overlay's.
fn fold(paths: &Paths, built: &Built, file: &Path) -> Result<Vec<Action>> {
    let index = index(built, file)?;
    let (patch, stage) = (&built.patches[index], &built.stages[index]);
    let before = if index == 0 {
        &built.base
    } else {
        &built.commits[index - 1]
    };
    let touched: Vec<String> = stage.keys().cloned().collect();
    let scratch = Scratch::base(paths, "fold", before, &touched)?;
    let file = fs::canonicalize(file).context("cannot read it")?;
    scratch.am(&[file])?;
    let commit = run::output(git::git(scratch.dir()).args(["rev-parse", "HEAD"]))?;
    let theirs = Base::at(scratch.dir(), commit.clone());
    let names = ["diff", "--name-only", "--no-renames", "-z", before, &commit];
    let names = String::from_utf8(git::bytes(git::git(scratch.dir()).args(names))?)?;
    let names: BTreeSet<&str> = names
        .split_terminator('\0')
        .chain(stage.keys().map(String::as_str))
        .collect();
    let mut actions = Vec::new();
    for kernel in names {
        let content = theirs.read(kernel)?;
        if stage.get(kernel) == content.as_ref() {
            continue;
        }
        let own = Own {
            patch,
            stage,
            ours: &built.commits[index],
        };
        actions.push(own.file(built, &scratch, kernel, content)?);
    }
    let text = run::output(git::git(scratch.dir()).args(["log", "-1", "--format=%B"]))?;
    actions.extend(message(&paths.root, patch, &text, &actions)?);
    Ok(actions)
}

/// A patch as the overlay has it.
struct Own<'a> {
    patch: &'a Patch,
    stage: &'a Stage,
    ours: &'a str,
}

impl Own<'_> {
    /// What to do about a file that is not as the overlay has it.
    fn file(
        &self,
        built: &Built,
        scratch: &Scratch,
        kernel: &str,
        content: Option<Content>,
    ) -> Result<Action> {
        let whole = |patch: &&Patch| patch.files.iter().any(|file| file.kernel == kernel);
        let edited = Base::at(scratch.dir(), built.base.clone())
            .read(kernel)?
            .is_some();
        if edited {
            let diff = [
                "diff",
                "--no-color",
                "--no-ext-diff",
                self.ours,
                "HEAD",
                "--",
                kernel,
            ];
            let difference = run::output(git::git(scratch.dir()).args(diff))?;
            let path = overlay::overlay_path(kernel).unwrap_or_else(|| kernel.to_string());
            return Ok(Action::Show {
                path,
                slug: self.patch.slug.clone(),
                difference,
            });
        }
        match built.patches.iter().find(whole) {
            Some(other) if other.slug != self.patch.slug => {
                bail!(
                    "{kernel} appears whole in patch `{}`: edit it there",
                    other.slug
                )
            }
            _ => {}
        }
        let path = overlay::overlay_path(kernel)
            .with_context(|| format!("{kernel} has no place in the overlay"))?;
        match content {
            Some(content) => Ok(Action::Write { path, content }),
            None if self.stage.contains_key(kernel) => Ok(Action::Remove { path }),
            None => bail!("the patch removes {kernel}, which the series does not have"),
        }
    }
}

/// The new message of the patch, if its text changed or it has files that no glob of it names.
fn message(root: &Path, patch: &Patch, text: &str, actions: &[Action]) -> Result<Option<Action>> {
    let named = |path: &str| patch.files.iter().any(|file| file.path == path);
    let new = actions.iter().filter_map(|action| match action {
        Action::Write { path, .. } if !named(path) => Some(format!("Files: {path}\n")),
        _ => None,
    });
    let new: String = new.collect();
    if new.is_empty() && text.trim_end() == patch.message.text.trim_end() {
        return Ok(None);
    }
    let path = format!("patches/messages/{}", patch.slug);
    let raw =
        fs::read_to_string(root.join(&path)).with_context(|| format!("cannot read {path}"))?;
    let (_, below) = raw.split_once("\n---\n").context("no `---` line")?;
    let raw = format!("{}\n\n---\n{}\n{new}", text.trim_end(), below.trim_end());
    let content = Content {
        bytes: raw.into_bytes(),
        executable: false,
    };
    Ok(Some(Action::Write { path, content }))
}

/// Refuses to write over what is not committed.
fn guard(root: &Path, action: &Action) -> Result<()> {
    if let Action::Write { path, .. } | Action::Remove { path } = action {
        let status = run::output(git::git(root).args(["status", "--porcelain", "--", path]))?;
        if !status.is_empty() {
            bail!("{path} has changes that are not committed; commit or stash them first");
        }
    }
    Ok(())
}

fn report(action: &Action) {
    match action {
        Action::Write { path, .. } => println!("  write {path}"),
        Action::Remove { path } => println!("  remove {path}"),
        Action::Show {
            path,
            slug,
            difference,
        } => {
            println!("  by hand: stanzas of `{slug}` for {path}, so that they make this change:");
            println!("{difference}");
        }
    }
}

fn carry_out(root: &Path, action: &Action) -> Result<()> {
    match action {
        Action::Write { path, content } => overlay::write(&root.join(path), content),
        Action::Remove { path } => {
            fs::remove_file(root.join(path)).with_context(|| format!("cannot remove {path}"))
        }
        Action::Show { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::{fixture::Fixture, patches};

    /// A fixture that is committed, its patches generated, and one of them edited.
    fn edited(name: &str, from: &str, to: &str) -> (Fixture, PathBuf) {
        let fixture = Fixture::new();
        let paths = fixture.paths();
        let built = crate::series::build(&paths).unwrap();
        let text = patches::generate(&paths, &built)
            .unwrap()
            .remove(name)
            .unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(from), "{text}");
        fixture.write(&format!("patches/{name}"), &text.replace(from, to));
        fixture.write(".gitignore", "/cache\n");
        for args in [&["add", "."][..], &["commit", "-qm", "all"]] {
            run::output(git::git(fixture.root()).args(args)).unwrap();
        }
        let file = fixture.root().join("patches").join(name);
        (fixture, file)
    }

    fn fold_it(fixture: &Fixture, file: &Path, dry_run: bool) -> Result<()> {
        run(
            &fixture.paths(),
            Args {
                patches: vec![file.to_path_buf()],
                dry_run,
            },
        )
    }

    fn read(fixture: &Fixture, path: &str) -> String {
        fs::read_to_string(fixture.root().join(path)).unwrap()
    }

    #[test]
    fn a_new_line_of_a_new_file_comes_back() {
        let (fixture, file) = edited(
            "0001-one.patch",
            "@@ -0,0 +1 @@\n+new",
            "@@ -0,0 +1,2 @@\n+new\n+er",
        );
        fold_it(&fixture, &file, true).unwrap();
        assert_eq!(read(&fixture, "rust/new.rs"), "new\n");
        fold_it(&fixture, &file, false).unwrap();
        assert_eq!(read(&fixture, "rust/new.rs"), "new\ner\n");
        fold_it(&fixture, &file, false).unwrap();
        assert_eq!(read(&fixture, "rust/new.rs"), "new\ner\n");
    }

    #[test]
    fn a_message_comes_back_and_keeps_what_is_below() {
        let (fixture, file) = edited("0001-one.patch", "Why.\n", "Why not.\n");
        fold_it(&fixture, &file, false).unwrap();
        let message = read(&fixture, "patches/messages/one");
        assert_eq!(
            message,
            "area: add one\n\nWhy not.\n\n---\nFiles: rust/new.rs\nTest: none\n"
        );
    }

    #[test]
    fn a_new_file_of_the_patch_is_written_and_named() {
        let (fixture, file) = edited("0001-one.patch", "rust/new.rs", "rust/other.rs");
        fold_it(&fixture, &file, false).unwrap();
        assert_eq!(read(&fixture, "rust/other.rs"), "new\n");
        assert!(!fixture.root().join("rust/new.rs").exists());
        assert!(read(&fixture, "patches/messages/one").ends_with("\nFiles: rust/other.rs\n"));
    }

    #[test]
    fn an_edit_is_shown_and_not_written() {
        let (fixture, file) = edited("0002-two.patch", "\n+c\n", "\n+C\n");
        let built = crate::series::build(&fixture.paths()).unwrap();
        let actions = fold(&fixture.paths(), &built, &file).unwrap();
        let [Action::Show {
            path, difference, ..
        }] = &actions[..]
        else {
            panic!("{actions:?}")
        };
        assert_eq!(path, "rust/old.rs");
        assert!(difference.contains("-c\n+C"), "{difference}");
    }

    #[test]
    fn uncommitted_work_is_not_written_over() {
        let (fixture, file) = edited("0001-one.patch", "+new", "+newer");
        fixture.write("rust/new.rs", "mine\n");
        let said = format!("{:#}", fold_it(&fixture, &file, false).unwrap_err());
        assert!(said.contains("rust/new.rs has changes"), "{said}");
    }
}
