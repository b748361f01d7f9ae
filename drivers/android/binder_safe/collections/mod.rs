// SPDX-License-Identifier: GPL-2.0

//! Data structures that do not use kernel objects, so that they can be tested by themselves.

pub(crate) mod bitset;
pub(crate) mod counts;
pub(crate) mod handles;
pub(crate) mod ranges;
pub(crate) mod sort;
pub(crate) mod spam;

#[cfg(CONFIG_ANDROID_BINDER_SAFE_KUNIT_TEST)]
mod tests;
