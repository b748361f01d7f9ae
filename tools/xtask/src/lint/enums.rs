// SPDX-License-Identifier: GPL-2.0

//! Functions that the C side calls through a pointer have the type that CFI sees there.
//!
//! The compiler sees to it, but for enums of C: for bindgen they are integers, and CFI tells them
//! apart by their names. Each one in the type of such a pointer has to be made a type of its own by
//! `rust/bindgen_parameters`.

use std::collections::BTreeSet;

use anyhow::Result;
use syn::{
    spanned::Spanned,
    visit::{self, Visit},
    Expr, Item,
};

use super::source::{Finding, Source};

/// Names in the bindings that are about enums which are integers.
#[derive(Default)]
pub struct Pointers {
    enums: BTreeSet<String>,
    /// Types that are pointers to functions, or have one in them.
    types: BTreeSet<String>,
    /// Structures and their fields.
    fields: BTreeSet<(String, String)>,
    /// Functions that take such a pointer.
    functions: BTreeSet<String>,
}

impl Pointers {
    /// Finds them in the text that bindgen made.
    pub fn parse(text: &str) -> Result<Self> {
        let file = syn::parse_file(text)?;
        let mut this = Self::default();
        let mut valued = BTreeSet::new();
        for item in &file.items {
            if let Item::Const(item) = item {
                if let syn::Type::Path(ty) = &*item.ty {
                    let name = last(&ty.path);
                    if item.ident.to_string().starts_with(&format!("{name}_")) {
                        valued.insert(name);
                    }
                }
            }
        }
        for item in &file.items {
            if let Item::Type(item) = item {
                let name = item.ident.to_string();
                if valued.contains(&name) {
                    this.enums.insert(name);
                }
            }
        }
        for item in &file.items {
            match item {
                Item::Type(item) if this.is_in(&item.ty) => {
                    this.types.insert(item.ident.to_string());
                }
                _ => {}
            }
        }
        for item in &file.items {
            this.users(item);
        }
        Ok(this)
    }

    /// Whether `ty` has a pointer to a function in it whose type has an enum in it.
    fn is_in(&self, ty: &syn::Type) -> bool {
        let mut search = Search {
            names: self,
            inside: false,
            found: false,
        };
        search.visit_type(ty);
        search.found
    }

    fn users(&mut self, item: &Item) {
        match item {
            Item::Struct(item) => {
                for field in &item.fields {
                    if let (Some(name), true) = (&field.ident, self.is_in(&field.ty)) {
                        let field = (item.ident.to_string(), name.to_string());
                        self.fields.insert(field);
                    }
                }
            }
            Item::ForeignMod(item) => {
                for item in &item.items {
                    if let syn::ForeignItem::Fn(item) = item {
                        let takes = item.sig.inputs.iter().any(|input| match input {
                            syn::FnArg::Typed(input) => self.is_in(&input.ty),
                            _ => false,
                        });
                        if takes {
                            self.functions.insert(item.sig.ident.to_string());
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

struct Search<'a> {
    names: &'a Pointers,
    /// Inside the type of a pointer to a function.
    inside: bool,
    found: bool,
}

impl<'a> Visit<'a> for Search<'_> {
    fn visit_type_fn_ptr(&mut self, ty: &'a syn::TypeFnPtr) {
        let outer = std::mem::replace(&mut self.inside, true);
        visit::visit_type_fn_ptr(self, ty);
        self.inside = outer;
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let name = last(path);
        self.found |= self.inside && self.names.enums.contains(&name);
        self.found |= self.names.types.contains(&name);
        visit::visit_path(self, path);
    }
}

fn last(path: &syn::Path) -> String {
    path.segments
        .last()
        .map_or(String::new(), |s| s.ident.to_string())
}

/// Finds functions of Rust that become such pointers.
pub fn check(source: &Source, pointers: &Pointers) -> Vec<Finding> {
    let mut visitor = Stored {
        pointers,
        found: Vec::new(),
    };
    visitor.visit_file(&source.tree);
    visitor.found
}

struct Stored<'a> {
    pointers: &'a Pointers,
    found: Vec<Finding>,
}

impl Stored<'_> {
    fn complain(&mut self, span: proc_macro2::Span, what: &str) {
        let text = format!(
            "the type of `{what}` has an enum of C in it, which CFI tells from an integer: name \
             the enum in rust/bindgen_parameters"
        );
        self.found.push(Finding::new(span.start().line, text));
    }
}

impl<'a> Visit<'a> for Stored<'_> {
    fn visit_expr_struct(&mut self, expr: &'a syn::ExprStruct) {
        let name = last(&expr.path);
        for field in &expr.fields {
            if let syn::Member::Named(member) = &field.member {
                let place = (name.clone(), member.to_string());
                if self.pointers.fields.contains(&place) && is_ours(&field.expr) {
                    self.complain(member.span(), &format!("{}::{}", place.0, place.1));
                }
            }
        }
        visit::visit_expr_struct(self, expr);
    }

    fn visit_expr_assign(&mut self, expr: &'a syn::ExprAssign) {
        if let Expr::Field(field) = &*expr.left {
            if let syn::Member::Named(member) = &field.member {
                let name = member.to_string();
                let mut fields = self.pointers.fields.iter();
                if fields.any(|(_, field)| *field == name) && is_ours(&expr.right) {
                    self.complain(member.span(), &name);
                }
            }
        }
        visit::visit_expr_assign(self, expr);
    }

    fn visit_expr_call(&mut self, expr: &'a syn::ExprCall) {
        if let Expr::Path(function) = &*expr.func {
            let name = last(&function.path);
            if self.pointers.functions.contains(&name) && expr.args.iter().any(is_ours) {
                self.complain(expr.func.span(), &name);
            }
        }
        visit::visit_expr_call(self, expr);
    }
}

/// Whether this is `Some(function)`, where the function is not one of C.
fn is_ours(expr: &Expr) -> bool {
    let Expr::Call(call) = expr else {
        return matches!(expr, Expr::If(_) | Expr::Match(_));
    };
    let some = matches!(&*call.func, Expr::Path(path) if last(&path.path) == "Some");
    let of_c =
        |arg: &Expr| matches!(arg, Expr::Path(path) if path.path.segments[0].ident == "bindings");
    some && !call.args.iter().any(of_c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::source::sample;

    const BINDINGS: &str = "
        pub const colour_RED: colour = 0;
        pub type colour = ffi::c_uint;
        pub const RUST_CONST_HELPER_GFP: gfp_t = 1;
        pub type gfp_t = ffi::c_uint;
        pub const way_UP: way = way(0);
        pub struct way(pub ffi::c_uint);
        pub type paint_fn = Option<unsafe extern \"C\" fn(x: *mut c_void) -> colour>;
        pub struct ops {
            pub paint: paint_fn,
            pub mix: Option<unsafe extern \"C\" fn(a: *const colour)>,
            pub alloc: Option<unsafe extern \"C\" fn(flags: gfp_t) -> way>,
            pub last: colour,
        }
        unsafe extern \"C\" {
            pub fn walk(f: paint_fn);
            pub fn colour_of(x: *mut c_void) -> colour;
        }";

    fn count(code: &str) -> usize {
        let pointers = Pointers::parse(BINDINGS).unwrap();
        check(&sample("x.rs", code), &pointers).len()
    }

    #[test]
    fn functions_with_enums_are_found() {
        assert_eq!(
            count("const X: ops = bindings::ops { paint: Some(paint), ..zeroed() };"),
            1
        );
        assert_eq!(
            count("const X: ops = ops { mix: if A { Some(mix) } else { None } };"),
            1
        );
        assert_eq!(
            count("fn f() { unsafe { (*ops).paint = Some(paint::<T>) }; }"),
            1
        );
        assert_eq!(
            count("fn f() { unsafe { bindings::walk(Some(paint)) }; }"),
            1
        );
    }

    #[test]
    fn other_functions_are_not() {
        assert_eq!(
            count("const X: ops = bindings::ops { alloc: Some(alloc), paint: None };"),
            0
        );
        assert_eq!(
            count("const X: ops = ops { paint: Some(bindings::paint) };"),
            0
        );
        assert_eq!(count("const X: other = other { paint: Some(paint) };"), 0);
        assert_eq!(
            count("fn f() { unsafe { bindings::walk(None) }; bindings::colour_of(p); }"),
            0
        );
    }
}
