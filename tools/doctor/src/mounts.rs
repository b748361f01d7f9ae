// SPDX-License-Identifier: GPL-2.0

//! The instances of binderfs that can be seen from here.

use std::path::PathBuf;

/// One line of `/proc/self/mountinfo` that is about binderfs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    pub place: PathBuf,
    /// The options of the mount and of the instance, with commas between.
    pub options: String,
}

impl Mount {
    pub fn has(&self, option: &str) -> bool {
        self.options.split(',').any(|one| one == option)
    }
}

/// Undoes the octal escapes of blanks and the like.
fn unescape(field: &str) -> String {
    let mut parts = field.split('\\');
    let mut text = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let code = part
            .get(..3)
            .and_then(|code| u8::from_str_radix(code, 8).ok());
        match code {
            Some(code) => {
                text.push(code as char);
                text.push_str(&part[3..]);
            }
            None => {
                text.push('\\');
                text.push_str(part);
            }
        }
    }
    text
}

fn parse_line(line: &str, kind: &str) -> Option<Mount> {
    // Optional fields end with a dash: the type, the source and the instance's options follow.
    let (head, tail) = line.split_once(" - ")?;
    let head: Vec<&str> = head.split(' ').collect();
    let tail: Vec<&str> = tail.split(' ').collect();
    if *tail.first()? != kind {
        return None;
    }
    Some(Mount {
        place: unescape(head.get(4)?).into(),
        options: format!("{},{}", head.get(5)?, tail.get(2).unwrap_or(&"")),
    })
}

/// All instances in `mountinfo`. Of mounts at one place, the last hides the others.
pub fn parse(mountinfo: &str, kind: &str) -> Vec<Mount> {
    let mut mounts: Vec<Mount> = Vec::new();
    for mount in mountinfo.lines().filter_map(|line| parse_line(line, kind)) {
        mounts.retain(|other| other.place != mount.place);
        mounts.push(mount);
    }
    mounts
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
        22 1 0:20 / /proc rw,relatime shared:5 - proc proc rw\n\
        30 1 0:31 / /dev/binderfs rw,nosuid,nodev shared:9 - binder binder rw,max=1048576\n\
        31 1 0:32 / /var/a\\040b rw - binder binder rw,max=8,stats=global\n\
        32 1 0:33 / /dev/binderfs rw - binder other rw,max=4\n\
        broken line\n";

    #[test]
    fn finds_what_is_of_the_type() {
        let mounts = parse(TEXT, "binder");
        assert_eq!(mounts.len(), 2);
        assert_eq!(mounts[0].place, PathBuf::from("/var/a b"));
        assert!(mounts[0].has("stats=global") && !mounts[0].has("nodev"));
        assert!(mounts[1].has("max=4"));
        assert!(parse(TEXT, "rust_binder").is_empty());
    }

    #[test]
    fn undoes_escapes_only() {
        assert_eq!(unescape(r"a\040b\011\134c"), "a b\t\\c");
        assert_eq!(unescape(r"a\9z\"), r"a\9z\");
    }
}
