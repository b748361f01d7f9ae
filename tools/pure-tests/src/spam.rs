// SPDX-License-Identifier: GPL-2.0

//! When a sender is suspected: at which thresholds, and only once.

use crate::{collections::spam::Spam, config};
use core::cell::Cell;
use proptest::{collection::vec, prelude::*};

const SIZE: usize = 1000;

fn suspects(spam: &mut Spam, free: usize, held: (usize, usize)) -> bool {
    spam.suspects(free, SIZE, || held)
}

#[test]
fn a_tenth_of_the_area_is_enough_room() {
    assert!(!suspects(&mut Spam::new(), 100, (1000, 1000)));
    assert!(suspects(&mut Spam::new(), 99, (1000, 1000)));
}

#[test]
fn more_than_50_messages_are_many() {
    assert!(!suspects(&mut Spam::new(), 0, (50, 0)));
    assert!(suspects(&mut Spam::new(), 0, (51, 0)));
}

#[test]
fn more_than_a_quarter_of_the_area_is_much() {
    assert!(!suspects(&mut Spam::new(), 0, (1, 250)));
    assert!(suspects(&mut Spam::new(), 0, (1, 251)));
}

proptest! {
    #![proptest_config(config())]

    /// One suspect for each time that the room was scarce; and nobody counts messages in vain.
    #[test]
    fn suspects_once(sends in vec((90usize..110, 49usize..53, 245usize..255), 0..100)) {
        let mut spam = Spam::new();
        let mut has_suspect = false;
        for (free, count, bytes) in sends {
            let is_asked = Cell::new(false);
            let is_suspect = spam.suspects(free, SIZE, || {
                is_asked.set(true);
                (count, bytes)
            });
            let is_scarce = free < SIZE / 10;
            let expected = is_scarce && !has_suspect && (count > 50 || bytes > SIZE / 4);
            assert_eq!(is_suspect, expected);
            assert_eq!(is_asked.get(), is_scarce && !has_suspect);
            has_suspect = is_scarce && (has_suspect || is_suspect);
        }
    }
}
