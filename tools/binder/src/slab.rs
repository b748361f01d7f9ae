// SPDX-License-Identifier: GPL-2.0

//! How many objects the kernel's slab caches hold.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result};

/// Objects in use, by cache.
pub struct Count(BTreeMap<String, i64>);

fn parse(text: &str) -> BTreeMap<String, i64> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with("slabinfo"))
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_string(), words.next()?.parse().ok()?))
        })
        .collect()
}

impl Count {
    /// Counts now.
    pub fn now() -> Result<Self> {
        let text = fs::read_to_string("/proc/slabinfo").context("cannot read /proc/slabinfo")?;
        Ok(Self(parse(&text)))
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
}
