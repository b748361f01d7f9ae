// SPDX-License-Identifier: GPL-2.0

//! Files and functions stay small, and every file says what it is for.

use proc_macro2::Span;
use syn::visit::{self, Visit};

use super::source::{Finding, Source};

/// The longest file of the driver.
pub const DRIVER_FILE: usize = 400;
/// The longest file of the kernel crate, without its documentation.
pub const KERNEL_FILE: usize = 600;
/// The widest line of code, and of a commit message.
pub const CODE_COLUMNS: usize = 100;
pub const MESSAGE_COLUMNS: usize = 75;
/// The longest function.
const FUNCTION: usize = 60;
/// From here on a function is longer than a screen.
const SCREEN: usize = 40;

/// Lines of `source`, with or without its documentation, against `limit`.
pub fn file(source: &Source, limit: usize, with_docs: bool) -> Vec<Finding> {
    let doc = |line: &&str| {
        ["///", "//!"]
            .iter()
            .any(|d| line.trim_start().starts_with(d))
    };
    let docs = source.text.lines().filter(doc).count();
    let lines = source.len() - if with_docs { 0 } else { docs };
    if lines <= limit {
        return Vec::new();
    }
    vec![Finding::new(
        1,
        format!("{lines} lines, at most {limit}: split it"),
    )]
}

/// Lines that do not fit into `limit` columns; a tab counts as eight, as checkpatch has it.
pub fn columns(text: &str, limit: usize) -> Vec<Finding> {
    let width = |line: &str| {
        line.chars().fold(0, |width, c| {
            if c == '\t' {
                width / 8 * 8 + 8
            } else {
                width + 1
            }
        })
    };
    let wide = |(index, line): (usize, &str)| {
        let width = width(line);
        let text = format!("{width} columns, at most {limit}");
        (width > limit).then(|| Finding::new(index + 1, text))
    };
    text.lines().enumerate().filter_map(wide).collect()
}

/// The file starts with a `//!` comment.
pub fn head(source: &Source) -> Vec<Finding> {
    if source.text.lines().any(|line| line.starts_with("//!")) {
        return Vec::new();
    }
    vec![Finding::new(
        1,
        "no `//!` comment that says what the file is for",
    )]
}

/// Functions that are too long, and those that are getting there.
pub fn functions(source: &Source) -> (Vec<Finding>, Vec<Finding>) {
    let mut visitor = Functions { found: Vec::new() };
    visitor.visit_file(&source.tree);
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for (line, name, length) in visitor.found {
        if length > FUNCTION {
            let text = format!("`{name}` has {length} lines, at most {FUNCTION}");
            errors.push(Finding::new(line, text));
        } else if length > SCREEN {
            let text = format!("`{name}` has {length} lines, better {SCREEN}");
            warnings.push(Finding::new(line, text));
        }
    }
    (errors, warnings)
}

/// Line, name and length of each function.
struct Functions {
    found: Vec<(usize, String, usize)>,
}

impl Functions {
    fn add(&mut self, sig: &syn::Signature, close: Span) {
        let start = sig.fn_token.span.start().line;
        self.found
            .push((start, sig.ident.to_string(), close.end().line - start + 1));
    }
}

impl<'a> Visit<'a> for Functions {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.add(&item.sig, item.block.brace_token.span.close());
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.add(&item.sig, item.block.brace_token.span.close());
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.add(&item.sig, block.brace_token.span.close());
        }
        visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::source::sample;

    fn function(lines: usize) -> String {
        format!(
            "/// Doc.\n#[inline]\nfn f() {{\n{}}}\n",
            "    g();\n".repeat(lines - 2)
        )
    }

    fn lengths(code: &str) -> (usize, usize) {
        let (errors, warnings) = functions(&sample("x.rs", code));
        (errors.len(), warnings.len())
    }

    #[test]
    fn functions_are_counted_without_their_documentation() {
        assert_eq!(lengths(&function(40)), (0, 0));
        assert_eq!(lengths(&function(41)), (0, 1));
        assert_eq!(lengths(&function(60)), (0, 1));
        assert_eq!(lengths(&function(61)), (1, 0));
    }

    #[test]
    fn methods_and_default_methods_count_too() {
        let long = function(61);
        assert_eq!(lengths(&format!("impl X {{\n{long}}}\n")), (1, 0));
        assert_eq!(lengths(&format!("trait X {{\n{long}}}\n")), (1, 0));
        assert_eq!(lengths(&format!("mod m {{\n{long}}}\n")), (1, 0));
    }

    #[test]
    fn columns_count_tabs_as_tab_stops() {
        assert_eq!(columns("1234567890\n\tx\n ab\tx\n", 10), []);
        let found = columns("\n12345678901\n\txyz\n", 10);
        assert_eq!(found.iter().map(|f| f.line).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn files_have_a_limit_and_a_head() {
        let code = format!("//! X.\n{}", "/// Doc.\nstruct X;\n".repeat(200));
        assert_eq!(file(&sample("x.rs", &code), 400, true).len(), 1);
        assert_eq!(file(&sample("x.rs", &code), 400, false), []);
        assert_eq!(head(&sample("x.rs", &code)), []);
        assert_eq!(head(&sample("x.rs", "// X.\n")).len(), 1);
    }
}
