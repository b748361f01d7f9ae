// SPDX-License-Identifier: GPL-2.0

//! How many objects the kernel's slab caches hold.

use std::{collections::BTreeMap, fs, str::SplitWhitespace};

use anyhow::{Context, Result};

/// Objects in use, by cache.
pub struct Count(BTreeMap<String, i64>);

fn read() -> Result<String> {
    fs::read_to_string("/proc/slabinfo").context("cannot read /proc/slabinfo")
}

/// The words of each line that is about a cache.
fn rows(text: &str) -> impl Iterator<Item = SplitWhitespace<'_>> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with("slabinfo"))
        .map(str::split_whitespace)
}

fn parse(text: &str) -> BTreeMap<String, i64> {
    rows(text)
        .filter_map(|mut words| Some((words.next()?.to_string(), words.next()?.parse().ok()?)))
        .collect()
}

impl Count {
    /// Counts now.
    pub fn now() -> Result<Self> {
        Ok(Self(parse(&read()?)))
    }

    /// The caches that hold more objects than `before`, the most grown first.
    pub fn growth(&self, before: &Self) -> Vec<(String, i64)> {
        let mut grown: Vec<(String, i64)> = self
            .0
            .iter()
            .map(|(name, count)| (name.clone(), count - before.0.get(name).unwrap_or(&0)))
            .filter(|(_, growth)| *growth > 0)
            .collect();
        grown.sort_by_key(|(_, growth)| -growth);
        grown
    }
}

/// What all objects in use take, in bytes.
pub fn bytes() -> Result<u64> {
    Ok(parse_bytes(&read()?))
}

fn parse_bytes(text: &str) -> u64 {
    rows(text)
        .filter_map(|mut words| {
            let objects: u64 = words.nth(1)?.parse().ok()?;
            let size: u64 = words.nth(1)?.parse().ok()?;
            Some(objects * size)
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "slabinfo - version: 2.1\n\
        # name <active_objs> <num_objs> <objsize>\n\
        kmalloc-64 640 640 64 64 1 : tunables 0 0 0\n\
        filp 100 120 256 16 1 : tunables 0 0 0\n";

    #[test]
    fn growth_is_sorted_and_positive() {
        let before = Count(parse(TABLE));
        let after = Count(parse(
            &TABLE
                .replace("64 640 640", "64 700 700")
                .replace("100", "90"),
        ));
        assert_eq!(after.growth(&before), [("kmalloc-64".to_string(), 60)]);
    }

    #[test]
    fn bytes_are_objects_times_their_size() {
        assert_eq!(parse_bytes(TABLE), 640 * 64 + 100 * 256);
    }
}
