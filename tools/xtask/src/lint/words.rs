// SPDX-License-Identifier: GPL-2.0

//! Nothing in the repository names a folder of the machine it is written on.

use std::path::{Path, PathBuf};

use super::source::Finding;

/// The folders of this machine: the user's own and the checkout.
///
/// Not the one the checkout is in: that may be `/tmp`, which programs name for good reasons.
pub fn folders(root: &Path) -> Vec<String> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    [home, Some(root.to_path_buf())]
        .into_iter()
        .flatten()
        .map(|folder| folder.to_string_lossy().into_owned())
        // The root of the file system is in every path.
        .filter(|folder| folder.len() > 1)
        .collect()
}

/// Finds one of `folders` in `text`.
pub fn check(text: &str, folders: &[String]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(folder) = folders.iter().find(|folder| names(line, folder)) {
            let text = format!("names `{folder}`, a folder of this machine");
            found.push(Finding::new(index + 1, text));
        }
    }
    found
}

/// Whether `line` names something in `folder`. The folder itself may mean that of another machine,
/// as the home of its root user does.
fn names(line: &str, folder: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || "._-~".contains(c);
    line.match_indices(&format!("{folder}/"))
        .any(|(at, inside)| {
            let before = line[..at].chars().next_back();
            let after = line[at + inside.len()..].chars().next();
            !before.is_some_and(|c| word(c) || c == '/' || c == '}') && after.is_some_and(word)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_this_machine_are_found_and_others_are_not() {
        let folders = folders(Path::new("/srv/src/checkout"));
        for line in [
            "see /srv/src/checkout/other",
            "KDIR=/srv/src/checkout/.x",
            "\"/srv/src/checkout/x.rs\"",
        ] {
            assert_eq!(check(line, &folders).len(), 1, "{line}");
        }
        for line in [
            "/srv/srcs",
            "x/srv/src/y",
            "/dev/binderfs/binder",
            "/srv/src",
        ] {
            assert_eq!(check(line, &folders), [], "{line}");
        }
    }
}
