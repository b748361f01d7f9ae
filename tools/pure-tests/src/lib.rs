// SPDX-License-Identifier: GPL-2.0

//! Tests of the driver's data structures that know no kernel object, on the host.
//!
//! The sources are the driver's own. Random operations run on them and on a model that is too simple
//! to be wrong, and both must agree after each step.

#![cfg(test)]

// The driver's sources find what they import from the kernel crate in this one.
extern crate self as kernel;

mod alloc;
mod prelude;

#[path = "../../../drivers/android/binder_safe/collections/mod.rs"]
mod collections;

mod bitset;
mod counts;
mod handles;
mod ranges;
mod sort;
mod spam;

/// The one type of the wire that the data structures know.
mod wire {
    pub(crate) mod object {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Count {
            Strong,
            Weak,
        }
    }
}

/// Sequences of this many operations reach each state that matters; `PROPTEST_CASES` asks for more.
const MAX_OPS: usize = 200;

/// No files with past failures: a failure prints its smallest case, to be made a test of its own.
fn config() -> proptest::test_runner::Config {
    proptest::test_runner::Config {
        failure_persistence: None,
        ..Default::default()
    }
}
