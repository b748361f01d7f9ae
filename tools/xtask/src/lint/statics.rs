// SPDX-License-Identifier: GPL-2.0

//! No static has a type of the bindings: whether it is `Sync` would depend on the configuration of
//! the kernel, so that the crate compiles for one and not for another. `CStatic` is for that.

use std::collections::BTreeSet;

use syn::{
    spanned::Spanned,
    visit::{self, Visit},
    UseTree,
};

use super::source::{Finding, Source};

/// The crate of the types that bindgen makes.
const BINDINGS: &str = "bindings";

/// The type that makes a C structure fit for a static.
const WRAPPER: &str = "CStatic";

/// Finds statics with types of the bindings, by themselves or in arrays and the like.
pub fn check(source: &Source) -> Vec<Finding> {
    let mut imports = Imports::default();
    imports.visit_file(&source.tree);
    let mut visitor = Statics {
        imported: imports.names,
        found: Vec::new(),
    };
    visitor.visit_file(&source.tree);
    visitor.found
}

/// The names that the file takes from the bindings.
#[derive(Default)]
struct Imports {
    names: BTreeSet<String>,
}

impl Imports {
    fn tree(&mut self, tree: &UseTree, inside: bool) {
        match tree {
            UseTree::Path(path) => self.tree(&path.tree, inside || path.ident == BINDINGS),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.tree(tree, inside);
                }
            }
            UseTree::Name(name) if inside => {
                self.names.insert(name.ident.to_string());
            }
            UseTree::Rename(name) if inside || name.ident == BINDINGS => {
                self.names.insert(name.rename.to_string());
            }
            _ => {}
        }
    }
}

impl<'a> Visit<'a> for Imports {
    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.tree(&item.tree, false);
    }
}

struct Statics {
    imported: BTreeSet<String>,
    found: Vec<Finding>,
}

impl<'a> Visit<'a> for Statics {
    fn visit_item_static(&mut self, item: &'a syn::ItemStatic) {
        let mut raw = Raw {
            imported: &self.imported,
            found: false,
        };
        raw.visit_type(&item.ty);
        if raw.found {
            let line = item.static_token.span().start().line;
            let text = format!(
                "`{}` has a type of the bindings: use `{WRAPPER}`",
                item.ident
            );
            self.found.push(Finding::new(line, text));
        }
        visit::visit_item_static(self, item);
    }
}

/// Looks for a type of the bindings in a type.
struct Raw<'a> {
    imported: &'a BTreeSet<String>,
    found: bool,
}

impl<'a> Visit<'a> for Raw<'_> {
    fn visit_path(&mut self, path: &'a syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if names.last().is_some_and(|name| name == WRAPPER) {
            return;
        }
        self.found |= names.iter().any(|name| name == BINDINGS)
            || names
                .first()
                .is_some_and(|name| self.imported.contains(name));
        visit::visit_path(self, path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::source::sample;

    fn count(code: &str) -> usize {
        check(&sample("x.rs", code)).len()
    }

    #[test]
    fn statics_of_c_types_are_found() {
        assert_eq!(count("static X: bindings::ops = new();"), 1);
        assert_eq!(count("pub static X: [crate::bindings::ops; 2] = new();"), 1);
        assert_eq!(count("static X: Option<bindings::ops> = None;"), 1);
        assert_eq!(
            count("use kernel::bindings::{self, ops}; static X: ops = new();"),
            1
        );
        assert_eq!(
            count("use bindings as c; fn f() { static X: c::ops = new(); }"),
            1
        );
    }

    #[test]
    fn other_statics_are_not() {
        assert_eq!(count("static X: CStatic<bindings::ops> = new();"), 0);
        assert_eq!(
            count("static X: types::CStatic<[bindings::ops; 2]> = new();"),
            0
        );
        assert_eq!(count("const X: bindings::ops = new();"), 0);
        assert_eq!(count("use own::ops; static X: ops = bindings::OPS;"), 0);
    }
}
