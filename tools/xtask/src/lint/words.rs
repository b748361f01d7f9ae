// SPDX-License-Identifier: GPL-2.0

//! Nothing in the repository names a folder that exists on one machine only.

use super::source::Finding;

/// The folders of `/` that every Linux system has, or a test in a VM makes; `path` is for examples.
const COMMON: [&str; 17] = [
    "bin", "boot", "dev", "etc", "init", "lib", "lib64", "mnt", "opt", "path", "proc", "run",
    "sbin", "sys", "tmp", "usr", "var",
];

/// Finds absolute paths below folders that are not everywhere.
pub fn check(text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for (at, _) in line.match_indices('/') {
            if let Some(path) = absolute(line, at).filter(|path| !common(path)) {
                found.push(Finding::new(
                    index + 1,
                    format!("`{path}` is a path of one machine"),
                ));
            }
        }
    }
    found
}

/// The absolute path of two or more parts that starts at `at`, where a path may start.
fn absolute(line: &str, at: usize) -> Option<&str> {
    let starts = line[..at]
        .chars()
        .next_back()
        .is_none_or(|c| " \t\"'`=(:".contains(c));
    let rest = &line[at..];
    let part = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let path = &rest[..rest.find(|c| !part(c)).unwrap_or(rest.len())];
    let parts = path
        .split('/')
        .skip(1)
        .filter(|part| !part.is_empty())
        .count();
    (starts && parts >= 2 && !path.starts_with("//")).then_some(path)
}

fn common(path: &str) -> bool {
    path.split('/')
        .nth(1)
        .is_some_and(|first| COMMON.contains(&first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_one_machine_are_found() {
        for line in [
            "see /home/ann/linux",
            "KDIR=/srv/src/linux",
            "\"/build/x.rs\"",
        ] {
            assert_eq!(check(line).len(), 1, "{line}");
        }
    }

    #[test]
    fn common_paths_and_other_slashes_are_not() {
        for line in [
            "/dev/binderfs/binder",
            "a/b/c",
            "and/or",
            "// x/y",
            "1 / 2",
            "~/.cache/x",
            "https://docs.kernel.org/rust",
            "KDIR=/path/to/linux",
            "\"/{}\"",
        ] {
            assert_eq!(check(line), [], "{line}");
        }
    }
}
