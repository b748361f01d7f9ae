// SPDX-License-Identifier: GPL-2.0

//! What the plugin wrote: which blocks ran how often, phase by phase.

use std::{collections::HashMap, fs, path::Path};

use anyhow::{Context, Result};

/// A piece of code that runs from its start to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    pub address: u64,
    pub bytes: u64,
    pub instructions: u64,
}

/// Executions of blocks, by phase.
pub struct Blocks(Vec<HashMap<Block, i64>>);

impl Blocks {
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("the plugin wrote no {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("cannot understand {}", path.display()))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut phases: Vec<HashMap<Block, i64>> = Vec::new();
        for line in text.strip_suffix("end\n")?.lines() {
            if line.starts_with("phase ") {
                phases.push(HashMap::new());
                continue;
            }
            let mut words = line.split(' ');
            let block = Block {
                address: u64::from_str_radix(words.next()?, 16).ok()?,
                bytes: words.next()?.parse().ok()?,
                instructions: words.next()?.parse().ok()?,
            };
            *phases.last_mut()?.entry(block).or_default() += words.next()?.parse::<i64>().ok()?;
        }
        Some(Self(phases))
    }

    /// How much more often each block ran in one phase than in another.
    pub fn difference(&self, short: usize, long: usize) -> Vec<(Block, i64)> {
        let empty = HashMap::new();
        let phase = |number: usize| self.0.get(number).unwrap_or(&empty);
        let mut all = phase(long).clone();
        for (block, times) in phase(short) {
            *all.entry(*block).or_default() -= times;
        }
        all.into_iter().filter(|(_, more)| *more != 0).collect()
    }
}
