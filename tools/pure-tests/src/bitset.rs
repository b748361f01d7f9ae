// SPDX-License-Identifier: GPL-2.0

//! A set of small numbers is an ordered set, whatever the number of levels that it needs.

use crate::{collections::bitset::Bitset, config, MAX_OPS};
use proptest::{collection::vec, prelude::*};
use std::collections::BTreeSet;

/// Sizes with one to four levels, and numbers that fit.
fn numbers() -> impl Strategy<Value = (usize, Vec<usize>)> {
    let size = prop_oneof![1usize..70, 70usize..5000, 5000usize..300_000];
    size.prop_flat_map(|size| (Just(size), vec(0..size, 0..MAX_OPS)))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn is_an_ordered_set((size, numbers) in numbers()) {
        let mut set = Bitset::new(size).unwrap();
        let mut model = BTreeSet::new();
        for number in numbers {
            if model.insert(number) {
                set.insert(number);
            } else {
                model.remove(&number);
                set.remove(number);
            }
            for from in [0, number, number + 1, size / 2, size, size + 63, 2 * size] {
                assert_eq!(set.next(from), model.range(from..).next().copied());
            }
        }
    }
}

#[test]
fn an_empty_set_has_nothing() {
    assert_eq!(Bitset::empty().next(0), None);
    assert_eq!(Bitset::new(0).unwrap().next(0), None);
}
