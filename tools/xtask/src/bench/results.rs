// SPDX-License-Identifier: GPL-2.0

//! Figures, as they are kept.

use std::{collections::BTreeMap, process::Command};

use anyhow::{bail, Result};
use serde::{Deserialize, Serialize};

use crate::{run, setup::toolchain::Toolchain, Driver};

/// What the figures depend on besides the drivers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tools {
    pub clang: String,
    pub rustc: String,
    pub qemu: String,
}

impl Tools {
    pub fn of(tools: &Toolchain) -> Result<Self> {
        let qemu = run::output(Command::new("qemu-system-x86_64").arg("--version"))?;
        Ok(Self {
            clang: tools.banners.clang.clone(),
            rustc: tools.banners.rustc.clone(),
            qemu: qemu.lines().next().unwrap_or_default().to_string(),
        })
    }

    /// The first two numbers of each version, which decide what code is made and how it is counted.
    pub fn releases(&self) -> String {
        let release = |banner: &str| {
            let version = banner
                .split_whitespace()
                .find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
            let mut numbers = version.unwrap_or("?").split('.');
            let major = numbers.next().unwrap_or("?").to_string();
            numbers
                .next()
                .map_or(major.clone(), |minor| format!("{major}.{minor}"))
        };
        format!(
            "clang {}, rustc {}, QEMU {}",
            release(&self.clang),
            release(&self.rustc),
            release(&self.qemu)
        )
    }
}

/// A time on two CPUs, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Time {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Time {
    /// Nothing if there is nothing to sum up.
    pub fn of(mut all: Vec<f64>) -> Option<Self> {
        all.sort_by(f64::total_cmp);
        Some(Self {
            median: *all.get(all.len() / 2)?,
            least: *all.first()?,
            most: *all.last()?,
        })
    }
}

/// Bytes that the kernel holds for one of something.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// In slab objects.
    pub slab: f64,
    /// By what was free before and is not.
    pub all: f64,
}

/// Bytes of a driver's object files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub text: u64,
    pub constants: u64,
    pub data: u64,
}

/// All figures of one driver; the rows are `NAME:PARAMETER`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    pub instructions: BTreeMap<String, f64>,
    pub times: BTreeMap<String, Time>,
    pub memory: BTreeMap<String, Memory>,
    pub size: Option<Size>,
    /// What was tried in vain, and what came of it.
    pub missing: BTreeMap<String, String>,
}

impl Figures {
    /// Takes newer figures.
    fn add(&mut self, newer: Self) {
        for row in newer.instructions.keys().chain(newer.memory.keys()) {
            self.missing.remove(row.split(':').next().unwrap_or(row));
        }
        self.instructions.extend(newer.instructions);
        self.times.extend(newer.times);
        self.memory.extend(newer.memory);
        self.size = newer.size.or(self.size);
        self.missing.extend(newer.missing);
    }
}

/// The figures of all drivers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    pub tools: Tools,
    pub drivers: BTreeMap<String, Figures>,
}

/// How a driver is called in the results.
pub fn name(driver: Driver) -> String {
    format!("{driver:?}").to_lowercase()
}

impl Results {
    pub fn new(tools: Tools) -> Self {
        Self {
            tools,
            drivers: BTreeMap::new(),
        }
    }

    pub fn driver(&self, driver: Driver) -> Option<&Figures> {
        self.drivers.get(&name(driver))
    }

    /// Takes newer figures; those of drivers that were not measured stay.
    pub fn add(&mut self, newer: Self) -> Result<()> {
        if self
            .drivers
            .keys()
            .any(|name| !newer.drivers.contains_key(name))
            && self.tools != newer.tools
        {
            bail!(
                "the other drivers were measured with {}, now it is {}: measure all of them",
                self.tools.releases(),
                newer.tools.releases()
            );
        }
        self.tools = newer.tools;
        for (name, figures) in newer.drivers {
            self.drivers.entry(name).or_default().add(figures);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tools(clang: &str) -> Tools {
        Tools {
            clang: format!("Debian clang version {clang}.1.8 (x)"),
            rustc: "rustc 1.96.0 (x)".to_string(),
            qemu: "QEMU emulator version 10.0.2 (Debian 1:10)".to_string(),
        }
    }

    fn results(clang: &str, driver: Driver, row: &str, cost: f64) -> Results {
        let mut figures = Figures::default();
        figures.instructions.insert(row.to_string(), cost);
        let mut all = Results::new(tools(clang));
        all.drivers.insert(name(driver), figures);
        all
    }

    #[test]
    fn releases_are_read_from_banners() {
        assert_eq!(tools("22").releases(), "clang 22.1, rustc 1.96, QEMU 10.0");
    }

    #[test]
    fn newer_figures_replace_older_ones_and_leave_the_rest() {
        let mut all = results("22", Driver::C, "pipe:128", 9.0);
        all.add(results("22", Driver::Safe, "node:1", 5.0)).unwrap();
        all.add(results("22", Driver::Safe, "node:1", 4.0)).unwrap();
        assert_eq!(all.driver(Driver::C).unwrap().instructions["pipe:128"], 9.0);
        assert_eq!(
            all.driver(Driver::Safe).unwrap().instructions["node:1"],
            4.0
        );
        assert!(all.add(results("21", Driver::Safe, "node:1", 4.0)).is_err());
    }

    #[test]
    fn a_row_that_works_now_is_missing_no_more() {
        let mut all = results("22", Driver::Rust, "pipe:128", 9.0);
        let rust = all.drivers.get_mut("rust").unwrap();
        rust.missing.insert("node".to_string(), "hangs".to_string());
        all.add(results("22", Driver::Rust, "node:1", 4.0)).unwrap();
        assert!(all.driver(Driver::Rust).unwrap().missing.is_empty());
    }

    #[test]
    fn a_time_is_the_middle_one() {
        let time = Time::of(vec![3.0, 1.0, 2.0]).unwrap();
        assert_eq!((time.median, time.least, time.most), (2.0, 1.0, 3.0));
        assert_eq!(Time::of(Vec::new()), None);
    }
}
