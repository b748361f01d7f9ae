// SPDX-License-Identifier: GPL-2.0

//! Figures as tables in Markdown.

use std::collections::{BTreeMap, BTreeSet};

use tabled::{
    builder::Builder,
    settings::{object::Columns, Alignment, Style},
};

use super::{
    results::{Figures, Results},
    rows::{self, thousands},
};
use crate::Driver;

const DRIVERS: [(Driver, &str); 3] = [
    (Driver::Safe, "binder_safe"),
    (Driver::C, "C"),
    (Driver::Rust, "Rust"),
];

/// What stands where there is no figure.
const NONE: &str = "–";

fn whole(figure: f64) -> String {
    let sign = if figure < -0.5 { "-" } else { "" };
    format!("{sign}{}", thousands(figure.abs().round() as u64))
}

fn ratio(one: Option<f64>, other: Option<f64>) -> String {
    match (one, other) {
        (Some(one), Some(other)) if other > 0.0 => format!("{:.2}", one / other),
        _ => NONE.to_string(),
    }
}

fn markdown(head: &[&str], lines: Vec<Vec<String>>) -> String {
    let mut builder = Builder::default();
    builder.push_record(head.iter().copied());
    lines.into_iter().for_each(|line| builder.push_record(line));
    builder
        .build()
        .with(Style::markdown())
        .modify(Columns::new(1..), Alignment::right())
        .to_string()
}

/// The rows of all drivers, in order.
fn all_rows<'a, T: 'a>(
    results: &'a Results,
    of: fn(&Figures) -> &BTreeMap<String, T>,
) -> Vec<&'a String> {
    let rows: BTreeSet<&String> = results
        .drivers
        .values()
        .flat_map(|figures| of(figures).keys())
        .collect();
    let mut rows: Vec<&String> = rows.into_iter().collect();
    rows.sort_by_key(|row| rows::order(row));
    rows
}

/// One figure of each driver.
fn figures(results: &Results, get: impl Fn(&Figures) -> Option<f64>) -> [Option<f64>; 3] {
    DRIVERS.map(|(driver, _)| results.driver(driver).and_then(&get))
}

/// Figures, then the first and the third against the second.
fn cells(what: String, figures: [Option<f64>; 3]) -> Vec<String> {
    let [safe, c, rust] = figures;
    let number = |figure: Option<f64>| figure.map_or(NONE.to_string(), whole);
    vec![
        what,
        number(safe),
        number(c),
        number(rust),
        ratio(safe, c),
        ratio(rust, c),
    ]
}

/// Instructions of the rows that `wanted` picks.
pub fn instructions(results: &Results, wanted: fn(&str) -> bool) -> String {
    let lines = all_rows(results, |figures| &figures.instructions)
        .into_iter()
        .filter(|row| wanted(row))
        .map(|row| {
            let figures = figures(results, |all| all.instructions.get(row).copied());
            let mut line = cells(rows::what(row), figures);
            let floor = rows::find(row).and_then(|(_, kind)| kind.floor.as_ref());
            let floor = floor.and_then(|floor| {
                let safe = results.driver(Driver::Safe)?;
                Some(floor.share * safe.instructions.get(floor.row)?)
            });
            line.push(ratio(figures[0], floor));
            line
        })
        .collect();
    let head = [
        "instructions",
        "binder_safe",
        "C",
        "Rust",
        "binder_safe : C",
        "Rust : C",
        "binder_safe : floor",
    ];
    markdown(&head, lines)
}

/// Times on two CPUs.
pub fn times(results: &Results) -> String {
    let lines = all_rows(results, |figures| &figures.times)
        .into_iter()
        .map(|row| {
            let medians = figures(results, |all| Some(all.times.get(row)?.median));
            let mut line = cells(rows::what(row), medians);
            for (driver, _) in DRIVERS {
                let time = results.driver(driver).and_then(|all| all.times.get(row));
                line.push(time.map_or(NONE.to_string(), |time| {
                    format!("{}…{}", whole(time.least), whole(time.most))
                }));
            }
            line
        })
        .collect();
    let head = [
        "ns of the emulator, median",
        "binder_safe",
        "C",
        "Rust",
        "binder_safe : C",
        "Rust : C",
        "binder_safe from…to",
        "C from…to",
        "Rust from…to",
    ];
    markdown(&head, lines)
}

/// Memory that the kernel holds.
pub fn memory(results: &Results) -> String {
    let mut lines = Vec::new();
    for row in all_rows(results, |figures| &figures.memory) {
        let slab = figures(results, |all| Some(all.memory.get(row)?.slab));
        let all = figures(results, |all| Some(all.memory.get(row)?.all));
        lines.push(cells(format!("{row}, slab objects"), slab));
        lines.push(cells(format!("{row}, all memory"), all));
    }
    let head = [
        "bytes for each idle",
        "binder_safe",
        "C",
        "Rust",
        "binder_safe : C",
        "Rust : C",
    ];
    markdown(&head, lines)
}

/// How large the drivers are.
pub fn sizes(results: &Results) -> String {
    let part = |what: &str, get: fn(&super::results::Size) -> u64| {
        let figures = figures(results, |all| Some(get(all.size.as_ref()?) as f64));
        cells(what.to_string(), figures)
    };
    let lines = vec![
        part("text", |size| size.text),
        part("constants", |size| size.constants),
        part("data", |size| size.data),
    ];
    let head = [
        "bytes of the driver",
        "binder_safe",
        "C",
        "Rust",
        "binder_safe : C",
        "Rust : C",
    ];
    markdown(&head, lines)
}

/// What was tried in vain; nothing if all went well.
pub fn missing(results: &Results) -> String {
    let mut text = String::new();
    for (driver, name) in DRIVERS {
        for (row, why) in results
            .driver(driver)
            .into_iter()
            .flat_map(|all| &all.missing)
        {
            let why = why.lines().next().unwrap_or_default();
            text += &format!("* {name}, `{row}`: {why}\n");
        }
    }
    text
}

/// All tables, for the terminal.
pub fn all(results: &Results) -> String {
    let mut parts = vec![instructions(results, |_| true)];
    if results.drivers.values().any(|all| !all.times.is_empty()) {
        parts.push(times(results));
    }
    if results.drivers.values().any(|all| !all.memory.is_empty()) {
        parts.push(memory(results));
    }
    parts.push(sizes(results));
    let missing = missing(results);
    if !missing.is_empty() {
        parts.push(format!("Not measured:\n\n{missing}"));
    }
    parts.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::Tools;

    #[test]
    fn a_row_has_its_ratios_and_gaps() {
        let mut results = Results::new(Tools::default());
        for (driver, cost) in [("safe", 15_000.0), ("c", 20_000.0)] {
            let all = results.drivers.entry(driver.to_string()).or_default();
            all.instructions.insert("two-way:128".to_string(), cost);
            all.instructions.insert("pipe:128".to_string(), 10_000.0);
        }
        let table = instructions(&results, |row| row == "two-way:128");
        let line = table.lines().nth(2).unwrap();
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let want = [
            "call with 128 B and its reply",
            "15,000",
            "20,000",
            NONE,
            "0.75",
            NONE,
            "1.50",
        ];
        assert_eq!(cells[1..8], want);
    }
}
