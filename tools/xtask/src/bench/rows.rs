// SPDX-License-Identifier: GPL-2.0

//! What the rows of the benchmark are, for people.

/// What an operation cannot cost less than: a row without Binder, and how much of it.
pub struct Floor {
    pub row: &'static str,
    pub share: f64,
}

/// How a kind is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// One operation of many.
    Each,
    /// One operation is much work, or it is much work to make it ready.
    Large,
    /// The longest wait beside something large; it takes two CPUs, and is a time.
    Beside,
}

/// A kind of row, as `tools/bench` names it.
pub struct Kind {
    pub name: &'static str,
    pub way: Way,
    /// Says what the row is about; `#` stands for its parameter.
    what: &'static str,
    pub floor: Option<Floor>,
    /// The parameter of the rows that the README shows; the others are in the full table.
    shown: &'static [u32],
}

const PIPE: Option<Floor> = floor("pipe:128", 1.0);

const fn floor(row: &'static str, share: f64) -> Option<Floor> {
    Some(Floor { row, share })
}

const fn kind(
    name: &'static str,
    what: &'static str,
    floor: Option<Floor>,
    shown: &'static [u32],
) -> Kind {
    Kind {
        name,
        way: Way::Each,
        what,
        floor,
        shown,
    }
}

const fn large(name: &'static str, what: &'static str, shown: &'static [u32]) -> Kind {
    Kind {
        way: Way::Large,
        ..kind(name, what, None, shown)
    }
}

const fn beside(name: &'static str, what: &'static str) -> Kind {
    Kind {
        way: Way::Beside,
        ..kind(name, what, None, &[])
    }
}

/// All kinds, in the order of the table.
pub const KINDS: &[Kind] = &[
    kind(
        "two-way",
        "call with # and its reply",
        PIPE,
        &[4, 128, 4096, 65_536],
    ),
    kind(
        "oneway",
        "oneway call with #, to a server that waits",
        floor("pipe:128", 0.5),
        &[128],
    ),
    kind("flood", "oneway call with #, 100 in a row", None, &[128]),
    kind("node", "call with a node that the server holds", PIPE, &[1]),
    kind("new-node", "call with a new node", PIPE, &[]),
    kind(
        "handle",
        "call with a handle of the server's own node",
        PIPE,
        &[1],
    ),
    kind("file", "call with a file, which is closed", PIPE, &[1]),
    kind(
        "file-array",
        "call with an array of # files, which are closed",
        PIPE,
        &[],
    ),
    kind("buffer", "call with a buffer of # to gather", PIPE, &[1024]),
    kind("handles", "call by one of # handles", PIPE, &[32_768]),
    kind(
        "nested",
        "call that is answered after a call back",
        PIPE,
        &[128],
    ),
    kind(
        "pool",
        "call, # clients of a service with 16 threads",
        PIPE,
        &[16],
    ),
    kind("pairs", "call, # clients with a service each", PIPE, &[]),
    kind(
        "thread",
        "thread that offers itself and ends",
        floor("bare-thread:1", 1.0),
        &[1],
    ),
    kind(
        "looper",
        "the driver's part of it: BC_ENTER_LOOPER, BINDER_THREAD_EXIT",
        None,
        &[1],
    ),
    kind(
        "process",
        "process that makes one call and ends",
        floor("bare-process:1", 1.0),
        &[1],
    ),
    kind(
        "open",
        "the driver's part of it: open, map, one call, close",
        None,
        &[1],
    ),
    kind(
        "death",
        "death of one of # nodes of a process, notified",
        None,
        &[100],
    ),
    kind(
        "outstanding",
        "oneway call, # sent and only then taken",
        None,
        &[10_000],
    ),
    large(
        "held",
        "call that brings a handle, which is released; # held",
        &[262_144],
    ),
    large(
        "exit",
        "exit of a process with # opens, per open",
        &[64_000],
    ),
    large(
        "close-handles",
        "close with # handles held, per handle",
        &[16_000],
    ),
    large(
        "close-deaths",
        "the same, with a death notification for each",
        &[16_000],
    ),
    large(
        "close-freezes",
        "the same, with a freeze notification for each",
        &[16_000],
    ),
    large(
        "umount",
        "umount of a binderfs with # devices more, per device",
        &[16_000],
    ),
    beside(
        "beside-exit",
        "longest open and close beside the exit of a process with # opens",
    ),
    beside(
        "beside-deaths",
        "the same beside a close with # death notifications",
    ),
    beside(
        "beside-freezes",
        "the same beside a close with # freeze notifications",
    ),
    beside(
        "beside-umount",
        "the same beside an umount with # devices more",
    ),
    kind("pipe", "pipes: # there and back", None, &[128]),
    kind("socket", "Unix socket: # there and back", None, &[128]),
    kind("futex", "futex: hand-over there and back", None, &[0]),
    kind("bare-thread", "thread that does nothing", None, &[]),
    kind("bare-process", "process that does nothing", None, &[]),
];

/// Measured in another way.
pub const MEMORY: &str = "memory";

/// What is timed on two CPUs.
pub const TIMED: &[&str] = &[
    "two-way:128",
    "two-way:4096",
    "flood",
    "nested",
    "pool",
    "pairs",
    "pipe",
    "socket",
    "futex",
    "beside-exit",
    "beside-deaths",
    "beside-freezes",
    "beside-umount",
];

/// The parts of `NAME:PARAMETER`.
fn parts(row: &str) -> (&str, u32) {
    let (name, parameter) = row.split_once(':').unwrap_or((row, "0"));
    (name, parameter.parse().unwrap_or(0))
}

/// The kind of a row, and where that is in the table.
pub fn find(row: &str) -> Option<(usize, &'static Kind)> {
    let (name, _) = parts(row);
    KINDS.iter().enumerate().find(|(_, kind)| kind.name == name)
}

/// How a row is measured.
pub fn way(row: &str) -> Way {
    find(row).map_or(Way::Each, |(_, kind)| kind.way)
}

/// Sorts rows as the table has them.
pub fn order(row: &str) -> (usize, u32) {
    let at = find(row).map_or(KINDS.len(), |(at, _)| at);
    (at, parts(row).1)
}

/// Whether the README shows a row.
pub fn shown(row: &str) -> bool {
    find(row).is_some_and(|(_, kind)| kind.shown.contains(&parts(row).1))
}

/// What a row is about.
pub fn what(row: &str) -> String {
    let (name, parameter) = parts(row);
    let Some((_, kind)) = find(row) else {
        return row.to_string();
    };
    let sized = ["two-way", "oneway", "flood", "buffer", "pipe", "socket"];
    let number = match (sized.contains(&name), parameter) {
        (true, size) if size >= 1024 => format!("{} KiB", size / 1024),
        (true, size) => format!("{size} B"),
        (false, number) => thousands(number.into()),
    };
    let text = kind.what.replace('#', &number);
    // "1 handles" is what the sentence above makes of one.
    text.replace("one of 1 handles", "the one handle")
        .replace("1 clients of", "1 client of")
        .replace("1 clients with", "1 client with")
}

/// A number as people read it.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_said_in_words() {
        assert_eq!(what("two-way:65536"), "call with 64 KiB and its reply");
        assert_eq!(what("handles:32768"), "call by one of 32,768 handles");
        assert_eq!(what("handles:1"), "call by the one handle");
        assert_eq!(what("other:1"), "other:1");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn what_is_measured_beside_something_is_timed() {
        let is = |way| move |kind: &&Kind| kind.way == way;
        for kind in KINDS.iter().filter(is(Way::Beside)) {
            assert!(TIMED.contains(&kind.name), "{}", kind.name);
        }
        assert!(way("held:1000") == Way::Large && way("held") == Way::Large);
    }

    #[test]
    fn floors_are_rows() {
        for kind in KINDS {
            if let Some(floor) = &kind.floor {
                assert!(find(floor.row).is_some(), "{}", floor.row);
            }
        }
        assert!(order("two-way:4") < order("two-way:128"));
    }
}
