// SPDX-License-Identifier: GPL-2.0

//! A small repository and a small base tree for unit tests.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::{paths::Paths, run, series::git};

/// Two patches: `one` adds `rust/new.rs`, `two` edits `rust/old.rs` of the base.
pub struct Fixture(TempDir);

impl Fixture {
    pub fn new() -> Self {
        let fixture = Self(tempfile::tempdir().unwrap());
        let base = fixture.paths().base();
        fs::create_dir_all(base.join("rust")).unwrap();
        fs::write(base.join("rust/old.rs"), "a\nb\n").unwrap();
        fs::write(base.join("Kbuild"), "").unwrap();
        fs::write(base.join("MAINTAINERS"), "ABC\nS:\tX\n\nXYZ\nS:\tX\n").unwrap();
        for args in [
            &["init", "-q", "-b", "base"][..],
            &["add", "."],
            &["commit", "-qm", "v1"],
        ] {
            run::output(git::git(&base).args(args)).unwrap();
        }
        run::output(git::git(fixture.root()).args(["init", "-q"])).unwrap();
        fixture.write("patches/series", "# A group.\none\ntwo\n");
        fixture.message("one", "rust/new.rs");
        fixture.message("two", "");
        fixture.write("patches/messages/cover-letter", "area: add both\n\nWhy.\n");
        let tree = run::output(git::git(&base).args(["rev-parse", "HEAD^{tree}"])).unwrap();
        fixture.write(
            "patches/BASE",
            &format!("version 7.3.0\nmainline-tree {tree}\n"),
        );
        fixture.write("rust/new.rs", "new\n");
        fixture.write("rust/old.rs.edit", "patch   two\nafter   b\nadd     c\n");
        fixture
    }

    /// The repository.
    pub fn root(&self) -> &Path {
        self.0.path()
    }

    /// The repository, and a cache of its own that holds the base.
    pub fn paths(&self) -> Paths {
        Paths {
            root: self.root().to_path_buf(),
            cache: self.root().join("cache"),
            kdir: None,
        }
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes the message of the patch `slug`, which adds `files`.
    pub fn message(&self, slug: &str, files: &str) {
        let files = if files.is_empty() {
            String::new()
        } else {
            format!("Files: {files}\n")
        };
        let text = format!("area: add {slug}\n\nWhy.\n\n---\n{files}Test: none\n");
        self.write(&format!("patches/messages/{slug}"), &text);
    }
}
