// SPDX-License-Identifier: GPL-2.0

//! Every use of `unsafe` in the kernel crate says why it is right, or what it asks of its caller.

use proc_macro2::Delimiter;
use syn::visit::{self, Visit};

use super::source::{Finding, Kind, Source};

/// Finds unsafe blocks and impls without a `// SAFETY:` comment.
pub fn comments(source: &Source) -> Vec<Finding> {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut found = Vec::new();
    for window in source.windows().filter(|window| window[0].is("unsafe")) {
        let what = match window.get(1).map(|token| &token.kind) {
            Some(Kind::Open(Delimiter::Brace)) => "unsafe block",
            Some(Kind::Ident(word)) if word == "impl" => "unsafe impl",
            _ => continue,
        };
        let line = window[0].line;
        if !argued(&lines, line - 1) {
            found.push(Finding::new(
                line,
                format!("no `// SAFETY:` comment before the {what}"),
            ));
        }
    }
    found
}

/// The findings in `new` that are not in `old`, the same file before it was edited.
pub fn introduced(old: &Source, new: &Source) -> Vec<Finding> {
    let line = |source: &Source, finding: &Finding| {
        let line = source.text.lines().nth(finding.line - 1).unwrap_or("");
        line.trim().to_string()
    };
    let before: Vec<String> = comments(old).iter().map(|f| line(old, f)).collect();
    let mut found = comments(new);
    found.retain(|finding| !before.contains(&line(new, finding)));
    found
}

/// Whether a `// SAFETY:` comment stands above line `at`, or above the statement it is part of.
fn argued(lines: &[&str], at: usize) -> bool {
    let mut at = at;
    loop {
        let mut above = at;
        while above > 0 && is_aside(lines[above - 1]) {
            above -= 1;
            if lines[above].trim_start().starts_with("// SAFETY:") {
                return true;
            }
        }
        if above == 0 || above != at || ends_statement(lines[above - 1]) {
            return false;
        }
        at = above - 1;
    }
}

/// A comment or an attribute: what may stand between the argument and what it is about.
fn is_aside(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("//") || line.starts_with("#[")
}

/// Whether a new statement, field, argument or arm starts below `line`.
fn ends_statement(line: &str) -> bool {
    let code = line.split(" // ").next().unwrap_or(line).trim();
    code.is_empty() || code.ends_with([';', '{', '}', ','])
}

/// Finds unsafe functions and traits without a `# Safety` section.
pub fn sections(source: &Source) -> Vec<Finding> {
    let mut visitor = Sections {
        found: Vec::new(),
        promised: false,
    };
    visitor.visit_file(&source.tree);
    visitor.found
}

struct Sections {
    found: Vec<Finding>,
    /// Inside the implementation of a trait: the trait says what is asked.
    promised: bool,
}

impl Sections {
    fn check(&mut self, attrs: &[syn::Attribute], line: usize, name: &syn::Ident) {
        let said = attrs.iter().any(|attr| match &attr.meta {
            syn::Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                syn::Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(text),
                    ..
                }) => text.value().trim() == "# Safety",
                _ => false,
            },
            _ => false,
        });
        if !said {
            let text = format!("`{name}` is unsafe and has no `# Safety` section");
            self.found.push(Finding::new(line, text));
        }
    }

    fn function(&mut self, attrs: &[syn::Attribute], sig: &syn::Signature) {
        if matches!(sig.safety, syn::Safety::Unsafe(_)) && !self.promised {
            self.check(attrs, sig.fn_token.span.start().line, &sig.ident);
        }
    }
}

impl<'a> Visit<'a> for Sections {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        let outer = std::mem::replace(&mut self.promised, false);
        self.function(&item.attrs, &item.sig);
        visit::visit_item_fn(self, item);
        self.promised = outer;
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.function(&item.attrs, &item.sig);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        self.function(&item.attrs, &item.sig);
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_trait(&mut self, item: &'a syn::ItemTrait) {
        if item.unsafety.is_some() {
            self.check(&item.attrs, item.trait_token.span.start().line, &item.ident);
        }
        let outer = std::mem::replace(&mut self.promised, false);
        visit::visit_item_trait(self, item);
        self.promised = outer;
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        let outer = std::mem::replace(&mut self.promised, item.trait_.is_some());
        visit::visit_item_impl(self, item);
        self.promised = outer;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::source::sample;

    #[test]
    fn argued_blocks_pass() {
        for code in [
            "fn f() {\n    // SAFETY: X.\n    unsafe { g() };\n}\n",
            "fn f() {\n    // SAFETY: X\n    // and Y.\n    let x = unsafe { g() };\n}\n",
            "fn f() {\n    // SAFETY: X.\n    let x =\n        h(unsafe { g() });\n}\n",
            "fn f() {\n    let x =\n        // SAFETY: X.\n        unsafe { g() };\n}\n",
            "// SAFETY: X.\n#[cfg(Y)]\nunsafe impl Send for X {}\n",
            "m! {\n    // SAFETY: X.\n    a: unsafe { g() },\n}\n",
            "// An unsafe { block }.\nfn f() {}\n",
        ] {
            assert_eq!(comments(&sample("x.rs", code)), [], "{code}");
        }
    }

    #[test]
    fn bare_blocks_are_found() {
        for code in [
            "fn f() {\n    unsafe { g() };\n}\n",
            "fn f() {\n    // SAFETY: X.\n    let a = 1;\n    unsafe { g() };\n}\n",
            "fn f() {\n    // Why not.\n    unsafe { g() };\n}\n",
            "// SAFETY: X.\n\nunsafe impl Send for X {}\n",
            "m! {\n    // SAFETY: X.\n    a: 1,\n    b: unsafe { g() },\n}\n",
        ] {
            assert_eq!(comments(&sample("x.rs", code)).len(), 1, "{code}");
        }
    }

    #[test]
    fn only_what_an_edit_introduces_is_its_fault() {
        let old = sample("x.rs", "fn f() { unsafe { g() } }\n");
        let new = sample(
            "x.rs",
            "fn f() { unsafe { g() } }\nfn h() { unsafe { i() } }\n",
        );
        assert_eq!(introduced(&old, &old), []);
        assert_eq!(introduced(&old, &new).len(), 1);
    }

    #[test]
    fn unsafe_functions_say_what_they_ask() {
        let good = "/// X.\n///\n/// # Safety\n///\n/// Y.\npub unsafe fn f() {}\n";
        assert_eq!(sections(&sample("x.rs", good)), []);
        assert_eq!(
            sections(&sample("x.rs", "impl T for X {\n    unsafe fn f() {}\n}\n")),
            []
        );
        for code in [
            "/// X.\nunsafe fn f() {}\n",
            "impl X {\n    unsafe extern \"C\" fn f() {}\n}\n",
            "trait T {\n    unsafe fn f();\n}\n",
            "unsafe trait T {}\n",
        ] {
            assert_eq!(sections(&sample("x.rs", code)).len(), 1, "{code}");
        }
    }
}
