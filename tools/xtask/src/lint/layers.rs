// SPDX-License-Identifier: GPL-2.0

//! Imports of the driver point down its layers.

use proc_macro2::Delimiter;

use super::source::{Finding, Kind, Source, Token};

/// From the top to the bottom; folders of one layer may use each other, and `diag` stands beside
/// all.
const LAYERS: [&[&str]; 5] = [
    &["file", "binderfs", "logs"],
    &["context", "process", "thread", "transaction"],
    &["memory"],
    &["collections"],
    &[LOWEST],
];
const DIAG: &str = "diag";
const LOWEST: &str = "wire";
/// What the module macro puts in the root of the crate, for every layer to use.
const OF_THE_ROOT: [&str; 3] = ["LocalModule", "THIS_MODULE", "module_parameters"];

/// The folder of the driver.
pub const DRIVER: &str = "drivers/android/binder_safe/";

/// The modules a file of the driver is in, from the root of the crate; empty for the root itself.
fn modules(path: &str) -> Vec<&str> {
    let inside = path.strip_prefix(DRIVER).unwrap_or(path);
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    let inside = inside.strip_suffix("/mod").unwrap_or(inside);
    match inside {
        "main" => Vec::new(),
        _ => inside.split('/').collect(),
    }
}

/// How far from the top a folder is.
fn rank(folder: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&folder))
}

/// Why `from` must not import `to`.
fn refused(from: &str, to: &str) -> Option<String> {
    if from == to || OF_THE_ROOT.contains(&to) {
        return None;
    }
    match (rank(from), rank(to)) {
        (_, None) if to == DIAG => None,
        (_, None) => Some(format!(
            "`{to}` is no folder; the folders do not use the crate's root"
        )),
        (None, Some(_)) if to == LOWEST => None,
        (None, Some(_)) => Some(format!("`{from}` may import `{LOWEST}` alone, not `{to}`")),
        (Some(a), Some(b)) if a <= b => None,
        (Some(_), Some(_)) => Some(format!("`{from}` lies below `{to}`; imports point down")),
    }
}

/// Finds imports and paths that point up.
pub fn check(source: &Source) -> Vec<Finding> {
    let modules = modules(&source.path);
    let Some(from) = modules.first() else {
        return Vec::new();
    };
    if *from != DIAG && rank(from).is_none() {
        return vec![Finding::new(
            1,
            format!("`{from}` is no folder of the driver"),
        )];
    }
    let mut found = Vec::new();
    for (line, to) in targets(&source.tokens, modules.len()) {
        if let Some(why) = refused(from, &to) {
            found.push(Finding::new(line, why));
        }
    }
    found
}

/// The modules right below the crate's root that paths name, through `crate` or enough `super`s.
fn targets(tokens: &[Token], depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    // For each open brace, whether it is that of an inline module: those count for `super`.
    let mut braces: Vec<bool> = Vec::new();
    for i in 0..tokens.len() {
        match &tokens[i].kind {
            Kind::Open(_) => braces.push(i >= 2 && tokens[i - 2].is("mod")),
            Kind::Close(_) => drop(braces.pop()),
            Kind::Ident(name) if name == "crate" => named(tokens, i + 1, &mut found),
            Kind::Ident(name) if name == "super" && !follows_super(tokens, i) => {
                let inline = braces.iter().filter(|module| **module).count();
                let mut up = 1;
                let mut at = i + 1;
                while is_path_sep(tokens, at) && tokens.get(at + 2).is_some_and(|t| t.is("super")) {
                    up += 1;
                    at += 3;
                }
                if up == depth + inline {
                    named(tokens, at, &mut found);
                }
            }
            _ => {}
        }
    }
    found
}

fn is_path_sep(tokens: &[Token], at: usize) -> bool {
    let colon = |i: usize| tokens.get(i).is_some_and(|t| t.kind == Kind::Punct(':'));
    colon(at) && colon(at + 1)
}

fn follows_super(tokens: &[Token], at: usize) -> bool {
    at >= 3 && tokens[at - 3].is("super") && is_path_sep(tokens, at - 2)
}

/// The names that follow `::` at `at`: one, or those at the top level of a group in braces.
fn named(tokens: &[Token], at: usize, found: &mut Vec<(usize, String)>) {
    if !is_path_sep(tokens, at) {
        return;
    }
    let rest = &tokens[at + 2..];
    match rest.first().map(|token| &token.kind) {
        Some(Kind::Ident(name)) => found.push((rest[0].line, name.clone())),
        Some(Kind::Open(Delimiter::Brace)) => group(&rest[1..], found),
        _ => {}
    }
}

fn group(tokens: &[Token], found: &mut Vec<(usize, String)>) {
    let mut depth = 0;
    let mut first = true;
    for token in tokens {
        match &token.kind {
            Kind::Close(_) if depth == 0 => return,
            Kind::Close(_) => depth -= 1,
            Kind::Open(_) => depth += 1,
            Kind::Punct(',') if depth == 0 => first = true,
            Kind::Ident(name) if depth == 0 && first => {
                found.push((token.line, name.clone()));
                first = false;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::source::sample;

    fn findings(file: &str, code: &str) -> Vec<usize> {
        let source = sample(&format!("{DRIVER}{file}"), code);
        check(&source)
            .into_iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn imports_may_point_down_or_sideways_and_to_diag() {
        let code =
            "use crate::{\n    diag::log,\n    process::{peer, node::Node},\n    wire::object,\n};\n\
                    use super::free;\nfn f() { crate::memory::Area::new(crate::THIS_MODULE) }\n";
        assert!(findings("transaction/send.rs", code).is_empty());
        assert!(findings("diag/log.rs", "use crate::wire::object;\n").is_empty());
        assert!(findings("main.rs", "use crate::binderfs::driver;\n").is_empty());
        let inside = "pub(crate) struct X;\nmod t { use super::*; }\n";
        assert!(findings("collections/x.rs", inside).is_empty());
    }

    #[test]
    fn imports_that_point_up_are_found() {
        assert_eq!(
            findings(
                "memory/area.rs",
                "use crate::{\n    wire,\n    process::Node,\n};\n"
            ),
            [3]
        );
        assert_eq!(
            findings(
                "collections/x.rs",
                "fn f() {\n    crate::thread::send();\n}\n"
            ),
            [2]
        );
        assert_eq!(findings("diag/log.rs", "use crate::collections::x;\n"), [1]);
        assert_eq!(findings("process/mod.rs", "use super::file::ioctl;\n"), [1]);
        assert_eq!(
            findings("memory/area.rs", "use super::super::process::Node;\n"),
            [1]
        );
        assert_eq!(
            findings(
                "memory/area.rs",
                "mod t {\n use super::super::super::thread;\n}\n"
            ),
            [2]
        );
        assert_eq!(findings("thread/read.rs", "use crate::Module;\n"), [1]);
        assert_eq!(findings("util.rs", "fn f() {}\n"), [1]);
    }
}
