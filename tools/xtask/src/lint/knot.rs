// SPDX-License-Identifier: GPL-2.0

//! Files of the driver import each other in one declared knot, and in no other circle.

use std::collections::{BTreeMap, BTreeSet};

use syn::{
    visit::{self, Visit},
    ItemMod, ItemUse, UseTree,
};

use super::{layers::DRIVER, source::Source};

/// The files whose types refer to each other. What depends on them, and they do not need, is not
/// among them.
const KNOT: &[&str] = &[
    "context/global.rs",
    "context/instance.rs",
    "context/mod.rs",
    "context/registry.rs",
    "process/mod.rs",
    "process/node.rs",
    "process/peer.rs",
    "process/queue.rs",
    "process/refs.rs",
    "process/subscribers.rs",
    "process/subscription.rs",
    "thread/handoff.rs",
    "thread/local.rs",
    "thread/mod.rs",
    "thread/stack.rs",
    "thread/work.rs",
    "transaction/contents.rs",
    "transaction/mod.rs",
];

/// Finds files in circles that are not the knot, and files of the knot that are in no circle.
pub fn check(sources: &[Source]) -> Vec<String> {
    let graph = graph(sources);
    let circles: Vec<BTreeSet<String>> = circles(&graph);
    let knot: BTreeSet<String> = KNOT.iter().map(|file| file.to_string()).collect();
    let mut found = Vec::new();
    for circle in circles {
        let strangers: Vec<_> = circle.difference(&knot).cloned().collect();
        if !strangers.is_empty() {
            let all: Vec<_> = circle.iter().cloned().collect();
            found.push(format!(
                "in a circle of imports outside of the knot: {} (circle: {})",
                strangers.join(" "),
                all.join(" ")
            ));
        } else if circle.len() < knot.len() {
            let free: Vec<_> = knot.difference(&circle).cloned().collect();
            found.push(format!("not in the knot any more: {}", free.join(" ")));
        }
    }
    found
}

/// Which file imports which.
fn graph(sources: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let files: Vec<(&Source, &str)> = sources
        .iter()
        .filter_map(|source| Some((source, source.path.strip_prefix(DRIVER)?)))
        .collect();
    let by_module: BTreeMap<Vec<String>, String> = files
        .iter()
        .map(|(_, file)| (module(file), file.to_string()))
        .collect();
    let mut graph = BTreeMap::new();
    for (source, file) in &files {
        let mut imports = Imports {
            module: module(file),
            found: Vec::new(),
        };
        imports.visit_file(&source.tree);
        let targets = imports.found.iter().filter_map(|path| {
            // The longest part of the path that is a file.
            (0..=path.len())
                .rev()
                .find_map(|len| by_module.get(&path[..len]))
        });
        let others = targets.filter(|target| target != file).cloned().collect();
        graph.insert(file.to_string(), others);
    }
    graph
}

/// The module of a file, from the root of the crate.
fn module(file: &str) -> Vec<String> {
    let inside = file.strip_suffix(".rs").unwrap_or(file);
    let inside = inside.strip_suffix("/mod").unwrap_or(inside);
    match inside {
        "main" => Vec::new(),
        _ => inside.split('/').map(str::to_string).collect(),
    }
}

/// Collects what a file imports, as paths from the root of the crate.
struct Imports {
    module: Vec<String>,
    found: Vec<Vec<String>>,
}

impl Imports {
    fn tree(&mut self, prefix: Option<Vec<String>>, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                let name = path.ident.to_string();
                let next = match (prefix, name.as_str()) {
                    (None, "crate") => Vec::new(),
                    (None, "self") => self.module.clone(),
                    (None, "super") => self.module[..self.module.len().saturating_sub(1)].to_vec(),
                    (None, _) => return,
                    (Some(mut before), "super") => {
                        before.pop();
                        before
                    }
                    (Some(mut before), _) => {
                        before.push(name);
                        before
                    }
                };
                self.tree(Some(next), &path.tree);
            }
            UseTree::Name(name) => self.leaf(prefix, Some(name.ident.to_string())),
            UseTree::Rename(name) => self.leaf(prefix, Some(name.ident.to_string())),
            UseTree::Glob(_) => self.leaf(prefix, None),
            UseTree::Group(group) => {
                for item in &group.items {
                    self.tree(prefix.clone(), item);
                }
            }
        }
    }

    fn leaf(&mut self, prefix: Option<Vec<String>>, name: Option<String>) {
        if let Some(mut path) = prefix {
            path.extend(name.filter(|name| name != "self"));
            self.found.push(path);
        }
    }
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.tree(None, &item.tree);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }
}

/// The circles of a graph: sets of files, each of which leads to all others of its set.
fn circles(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<String>> = graph
        .keys()
        .map(|file| (file, reach(graph, file)))
        .collect();
    let mut found: Vec<BTreeSet<String>> = Vec::new();
    for file in graph.keys() {
        if !reached[file].contains(file) || found.iter().any(|circle| circle.contains(file)) {
            continue;
        }
        let together = |other: &&String| reached[*other].contains(file);
        found.push(reached[file].iter().filter(together).cloned().collect());
    }
    found
}

/// All files that `file` leads to.
fn reach(graph: &BTreeMap<String, BTreeSet<String>>, file: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut todo = vec![file.to_string()];
    while let Some(next) = todo.pop() {
        for other in &graph[&next] {
            if reached.insert(other.clone()) {
                todo.push(other.clone());
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::source::sample;

    fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let sources: Vec<Source> = files
            .iter()
            .map(|(file, code)| sample(&format!("{DRIVER}{file}"), code))
            .collect();
        let circles = circles(&graph(&sources));
        circles
            .into_iter()
            .map(|circle| circle.into_iter().collect())
            .collect()
    }

    #[test]
    fn circles_are_found() {
        let files = [
            ("main.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::b::{X, y};"),
            ("b.rs", "use super::c::d::Z;"),
            ("c/mod.rs", "pub mod d;"),
            ("c/d.rs", "mod t { use super::super::super::a::W; }"),
        ];
        assert_eq!(circles_of(&files), [["a.rs", "b.rs", "c/d.rs"]]);
    }

    #[test]
    fn a_line_of_imports_is_no_circle() {
        let files = [
            ("a.rs", "use crate::b::X; use kernel::a::Y;"),
            ("b.rs", "use crate::c::{self, Z};"),
            ("c.rs", "use core::fmt;"),
        ];
        assert!(circles_of(&files).is_empty());
    }
}
