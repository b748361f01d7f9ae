// SPDX-License-Identifier: GPL-2.0

//! The driver is safe Rust, and nothing but Rust.

use super::source::{Finding, Source};

/// Words that a driver of safe Rust has no use for, and why.
const FORBIDDEN: [(&str, &str); 11] = [
    (
        "unsafe",
        "the driver has no unsafe code; write an abstraction in rust/kernel",
    ),
    (
        "bindings",
        "the driver does not call C; write an abstraction in rust/kernel",
    ),
    ("extern", "no foreign functions in the driver"),
    ("no_mangle", "no symbols for C in the driver"),
    ("export_name", "no symbols for C in the driver"),
    ("link_section", "no placement by section in the driver"),
    (
        "pinned_drop",
        "its expansion is unsafe; put the clean-up in the Drop of a field",
    ),
    (
        "PinnedDrop",
        "its expansion is unsafe; put the clean-up in the Drop of a field",
    ),
    ("asm", "no assembly in the driver"),
    ("global_asm", "no assembly in the driver"),
    ("naked", "no assembly in the driver"),
];

/// Finds forbidden words outside comments and strings.
pub fn words(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for token in &source.tokens {
        for (word, why) in FORBIDDEN {
            if token.is(word) {
                found.push(Finding::new(token.line, format!("`{word}`: {why}")));
            }
        }
    }
    found
}

/// The root of the crate makes the compiler refuse unsafe code.
pub fn root(source: &Source) -> Vec<Finding> {
    let forbids = source.tree.attrs.iter().any(|attr| match &attr.meta {
        syn::Meta::List(list) if list.path.is_ident("forbid") => list
            .tokens
            .to_string()
            .split(',')
            .any(|lint| lint.trim() == "unsafe_code"),
        _ => false,
    });
    let inner = source.text.contains("#![forbid(unsafe_code)]");
    if forbids && inner {
        return Vec::new();
    }
    vec![Finding::new(
        1,
        "the root of the crate lacks #![forbid(unsafe_code)]",
    )]
}

/// A file of the driver is Rust or belongs to the build system.
pub fn kind(path: &str) -> Vec<Finding> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.ends_with(".rs") || name == "Makefile" || name == "Kconfig" {
        return Vec::new();
    }
    vec![Finding::new(
        1,
        "the driver holds Rust files, a Makefile and a Kconfig, nothing else",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::source::sample;

    #[test]
    fn words_in_code_are_found_also_inside_macros() {
        for code in [
            "fn f() { unsafe { g() } }",
            "unsafe impl Send for X {}",
            "m! { x => unsafe { y } }",
            "use kernel::bindings;",
            "fn f() { kernel::bindings::f() }",
            "extern \"C\" fn f() {}",
            "#[no_mangle]\nfn f() {}",
            "#[export_name = \"x\"]\nfn f() {}",
            "#[link_section = \"x\"]\nstatic X: u8 = 0;",
            "#[pinned_drop]\nimpl PinnedDrop for X {}",
            "core::arch::global_asm!(\"nop\");",
        ] {
            assert!(!words(&sample("x.rs", code)).is_empty(), "{code}");
        }
    }

    #[test]
    fn words_in_comments_strings_and_longer_names_are_not() {
        let code = "//! No unsafe.\n#![forbid(unsafe_code)]\n/// Not unsafe.\nfn f() {\n    \
                    // unsafe\n    g(\"unsafe\", rebindings);\n}\n";
        assert_eq!(words(&sample("x.rs", code)), []);
    }

    #[test]
    fn the_root_must_forbid() {
        assert_eq!(
            root(&sample("main.rs", "//! X.\n#![forbid(unsafe_code)]\n")),
            []
        );
        for code in [
            "//! X.\n",
            "#![deny(unsafe_code)]\n",
            "// #![forbid(unsafe_code)]\n",
        ] {
            assert_eq!(root(&sample("main.rs", code)).len(), 1, "{code}");
        }
    }

    #[test]
    fn c_files_are_refused() {
        assert_eq!(kind("drivers/android/binder_safe/transaction/send.rs"), []);
        assert_eq!(kind("drivers/android/binder_safe/Makefile"), []);
        for name in ["x.c", "x.h", "x.S"] {
            assert_eq!(
                kind(&format!("drivers/android/binder_safe/{name}")).len(),
                1
            );
        }
    }
}
