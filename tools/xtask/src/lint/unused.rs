// SPDX-License-Identifier: GPL-2.0

//! What the series adds to the kernel crate has a user: in the driver, in a sample, or elsewhere in
//! the crate. Tests and examples are no users.
//!
//! Names are compared, not what they stand for: a method that shares its name with one that is used
//! goes unnoticed.

use std::collections::BTreeSet;

use syn::{
    spanned::Spanned,
    visit::{self, Visit},
    Attribute, Ident, Visibility,
};

use super::source::{Kind, Source};

/// Words that stand before a name where it is defined.
const DEFINERS: [&str; 8] = [
    "fn",
    "struct",
    "enum",
    "const",
    "static",
    "trait",
    "type",
    "macro_rules",
];

/// What macros of the base tree expand to.
const EXPANDED: [&str; 1] = ["as_void_ptr"];

/// Finds public names that nothing uses; `edits` are the texts of the stanzas for existing files.
pub fn check(sources: &[Source], edits: &[&str]) -> Vec<String> {
    let texts = sources.iter().map(|s| s.text.as_str());
    let tests: BTreeSet<String> = texts
        .chain(edits.iter().copied())
        .flat_map(test_files)
        .collect();
    let sources = sources
        .iter()
        .filter(|s| !tests.iter().any(|test| s.path.ends_with(test.as_str())));
    let mut used: BTreeSet<String> = edits.iter().flat_map(|edit| words(edit)).collect();
    used.extend(EXPANDED.map(str::to_string));
    let mut defined = Vec::new();
    for source in sources {
        let mut items = Items::default();
        items.visit_file(&source.tree);
        used.extend(uses(source, &items.tests));
        if super::in_kernel_crate(&source.path) {
            let place = |(name, line)| (name, format!("{}:{line}", source.path));
            defined.extend(items.public.into_iter().map(place));
        }
    }
    defined
        .into_iter()
        .filter(|(name, _)| !used.contains(name))
        .map(|(name, place)| format!("{place}: nothing uses `{name}`"))
        .collect()
}

/// The files of modules that are there for tests alone.
fn test_files(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.trim_start_matches("add ").trim())
        .collect();
    lines
        .windows(2)
        .filter(|pair| pair[0].contains("_KUNIT_"))
        .filter_map(|pair| pair[1].strip_prefix("mod ")?.strip_suffix(';'))
        .map(|name| format!("/{name}.rs"))
        .collect()
}

/// The words that stanzas add, except where they only pass a name on.
fn words(edit: &str) -> Vec<String> {
    let added = edit.lines().filter_map(|line| line.strip_prefix("add "));
    let mut words = Vec::new();
    let mut passing = false;
    for line in added.map(str::trim).filter(|line| !line.starts_with("//")) {
        passing |= line.starts_with("pub use ");
        if !passing {
            let all = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.extend(all.filter(|word| !word.is_empty()).map(str::to_string));
        }
        passing &= !line.ends_with(';');
    }
    words
}

/// The names that a file uses outside of its tests.
fn uses(source: &Source, tests: &[(usize, usize)]) -> Vec<String> {
    let mut found = Vec::new();
    let (mut before, mut passing) = (String::new(), false);
    for token in &source.tokens {
        let tested = tests
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&token.line));
        match &token.kind {
            Kind::Ident(name) => {
                passing |= name == "use" && before == "pub";
                if !tested && !passing && !DEFINERS.contains(&before.as_str()) {
                    found.push(name.clone());
                }
                before = name.clone();
            }
            Kind::Punct('!') if before == "macro_rules" => {}
            other => {
                passing &= *other != Kind::Punct(';');
                before.clear();
            }
        }
    }
    found
}

/// The public names of a file, and the lines of what is there for tests.
#[derive(Default)]
struct Items {
    public: Vec<(String, usize)>,
    tests: Vec<(usize, usize)>,
}

impl Items {
    fn public(&mut self, vis: &Visibility, name: &Ident) {
        if matches!(vis, Visibility::Public(_)) {
            self.public
                .push((name.to_string(), name.span().start().line));
        }
    }
}

/// Whether an item exists for tests alone.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && matches!(&attribute.meta, syn::Meta::List(list)
                if list.tokens.to_string().ends_with("_KUNIT_TEST"))
    })
}

impl<'a> Visit<'a> for Items {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        match is_test(&item.attrs) {
            true => self
                .tests
                .push((item.span().start().line, item.span().end().line)),
            false => visit::visit_item_mod(self, item),
        }
    }

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.public(&item.vis, &item.sig.ident);
    }

    fn visit_item_struct(&mut self, item: &'a syn::ItemStruct) {
        self.public(&item.vis, &item.ident);
    }

    fn visit_item_enum(&mut self, item: &'a syn::ItemEnum) {
        self.public(&item.vis, &item.ident);
    }

    fn visit_item_const(&mut self, item: &'a syn::ItemConst) {
        self.public(&item.vis, &item.ident);
    }

    fn visit_item_type(&mut self, item: &'a syn::ItemType) {
        self.public(&item.vis, &item.ident);
    }

    fn visit_item_trait(&mut self, item: &'a syn::ItemTrait) {
        self.public(&item.vis, &item.ident);
    }

    fn visit_item_macro(&mut self, item: &'a syn::ItemMacro) {
        let exported = item.attrs.iter().any(|a| a.path().is_ident("macro_export"));
        if let (true, Some(name)) = (exported, &item.ident) {
            self.public
                .push((name.to_string(), name.span().start().line));
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        match is_test(&item.attrs) {
            true => self
                .tests
                .push((item.span().start().line, item.span().end().line)),
            false => self.public(&item.vis, &item.sig.ident),
        }
    }

    fn visit_impl_item_const(&mut self, item: &'a syn::ImplItemConst) {
        self.public(&item.vis, &item.ident);
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::sample;
    use super::*;

    const CRATE: &str = "pub struct A;\nimpl A {\n    pub fn one(&self) {}\n    pub fn two(&self) \
        {}\n    fn own(&self) { self.two() }\n}\n#[cfg(CONFIG_A_KUNIT_TEST)]\nmod tests {\n    fn \
        t(a: &super::A) { a.one() }\n}\n";

    fn found(driver: &str, edits: &[&str]) -> Vec<String> {
        let sources = [
            sample("rust/kernel/a.rs", CRATE),
            sample("drivers/x.rs", driver),
        ];
        check(&sources, edits)
    }

    #[test]
    fn tests_and_definitions_are_no_users() {
        let one = "rust/kernel/a.rs:3: nothing uses `one`";
        assert_eq!(found("fn f(_: &A) {}", &[]), [one]);
        assert_eq!(found("fn one() {} // one", &[]), [one]);
        assert_eq!(found("fn f(a: &A) { a.one() }", &[]).len(), 0);
    }

    #[test]
    fn stanzas_use_what_they_name_and_do_not_pass_on() {
        assert_eq!(
            found("", &["patch   x\nafter   y\nadd         a.one();\n"]).len(),
            0
        );
        let passed = "add     pub use a::{\nadd         one,\nadd     };\nadd     mod a;\n";
        assert_eq!(found("", &[passed]).len(), 1);
    }

    #[test]
    fn files_for_tests_are_left_out() {
        let edit = "add     #[cfg(CONFIG_B_KUNIT_TEST)]\nadd     mod a;\n";
        assert_eq!(found("", &[edit]).len(), 0);
    }
}
