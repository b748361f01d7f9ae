// SPDX-License-Identifier: GPL-2.0

//! No macro puts its caller's code inside `unsafe`: that would let a caller use unsafe functions
//! without the word, also under `#![forbid(unsafe_code)]`.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::source::{flatten, Finding, Kind, Source, Token};

/// Kinds of fragments that can hold a call.
const CODE: [&str; 4] = ["expr", "block", "stmt", "tt"];

/// Finds fragments of the caller inside an unsafe block of a `macro_rules!`.
pub fn check(source: &Source) -> Vec<Finding> {
    let mut visitor = Macros { found: Vec::new() };
    visitor.visit_file(&source.tree);
    visitor.found
}

struct Macros {
    found: Vec<Finding>,
}

impl<'a> Visit<'a> for Macros {
    fn visit_item_macro(&mut self, item: &'a syn::ItemMacro) {
        if item.mac.path.is_ident("macro_rules") {
            rules(item.mac.tokens.clone(), &mut self.found);
        }
        visit::visit_item_macro(self, item);
    }
}

/// Each rule is a group, an arrow and a group.
fn rules(tokens: TokenStream, found: &mut Vec<Finding>) {
    let groups: Vec<TokenStream> = tokens
        .into_iter()
        .filter_map(|token| match token {
            TokenTree::Group(group) => Some(group.stream()),
            _ => None,
        })
        .collect();
    for pair in groups.chunks_exact(2) {
        let code = fragments(&flat(&pair[0]));
        inside_unsafe(&flat(&pair[1]), &code, found);
    }
}

fn flat(stream: &TokenStream) -> Vec<Token> {
    let mut tokens = Vec::new();
    flatten(stream.clone(), &mut tokens);
    tokens
}

/// The names of fragments of the matcher that can hold code.
fn fragments(tokens: &[Token]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for window in tokens.windows(4) {
        if let [Kind::Punct('$'), Kind::Ident(name), Kind::Punct(':'), Kind::Ident(kind)] = [
            &window[0].kind,
            &window[1].kind,
            &window[2].kind,
            &window[3].kind,
        ] {
            // `expr_2021` is an `expr` too.
            if CODE
                .iter()
                .any(|code| kind == code || kind.starts_with("expr_"))
            {
                names.insert(name.clone());
            }
        }
    }
    names
}

fn inside_unsafe(tokens: &[Token], code: &BTreeSet<String>, found: &mut Vec<Finding>) {
    // The depth of groups inside the outermost unsafe block, or 0 outside of any.
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate() {
        match &token.kind {
            Kind::Open(_) if depth > 0 => depth += 1,
            Kind::Open(Delimiter::Brace) if i > 0 && tokens[i - 1].is("unsafe") => depth = 1,
            Kind::Close(_) if depth > 0 => depth -= 1,
            Kind::Ident(name) if depth > 0 && code.contains(name) && is_fragment(tokens, i) => {
                let text = format!("the caller's `${name}` inside `unsafe`: bind it before");
                found.push(Finding::new(token.line, text));
            }
            _ => {}
        }
    }
}

fn is_fragment(tokens: &[Token], at: usize) -> bool {
    at > 0 && tokens[at - 1].kind == Kind::Punct('$')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::source::sample;

    fn count(code: &str) -> usize {
        check(&sample("x.rs", code)).len()
    }

    #[test]
    fn callers_code_inside_unsafe_is_found() {
        assert_eq!(
            count("macro_rules! m { ($e:expr) => { unsafe { $e } }; }"),
            1
        );
        assert_eq!(
            count("macro_rules! m { ($($e:expr),*) => {{ unsafe { f($($e),*) } }}; }"),
            1
        );
        assert_eq!(
            count("macro_rules! m { () => {}; ($t:tt) => { unsafe { $t } }; }"),
            1
        );
    }

    #[test]
    fn bound_expressions_and_names_are_not() {
        assert_eq!(
            count("macro_rules! m { ($e:expr) => {{ let e = $e; unsafe { f(e) } }}; }"),
            0
        );
        assert_eq!(
            count("macro_rules! m { ($t:ty, $i:ident) => { unsafe { f::<$t>() } }; }"),
            0
        );
        assert_eq!(
            count("macro_rules! m { ($e:expr) => {{ unsafe { f() } + $e }}; }"),
            0
        );
    }
}
