// SPDX-License-Identifier: GPL-2.0

use crate::collections::sort::sort_by_key;
use proptest::prelude::*;

proptest! {
    #![proptest_config(crate::config())]

    #[test]
    fn sorts_like_the_standard_library(items in prop::collection::vec(any::<u16>(), 0..300)) {
        let mut sorted = items.clone();
        sort_by_key(&mut sorted, |item| *item);
        let mut expected = items;
        expected.sort_unstable();
        prop_assert_eq!(sorted, expected);
    }
}
