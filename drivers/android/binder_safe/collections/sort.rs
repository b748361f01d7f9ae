// SPDX-License-Identifier: GPL-2.0

//! Sorting with next to no stack.
//!
//! The sorts of `core` keep scratch space on the stack and recurse, which is more than a kernel
//! stack has to spare.

/// Sorts `items` by their keys; those with the same key end up in any order.
pub(crate) fn sort_by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    for root in (0..items.len() / 2).rev() {
        sift_down(items, root, &key);
    }
    for end in (1..items.len()).rev() {
        items.swap(0, end);
        sift_down(&mut items[..end], 0, &key);
    }
}

/// Moves the item at `root` of a heap down until both below it are not greater.
fn sift_down<T, K: Ord>(items: &mut [T], root: usize, key: &impl Fn(&T) -> K) {
    let mut root = root;
    loop {
        let mut child = 2 * root + 1;
        if child >= items.len() {
            return;
        }
        if child + 1 < items.len() && key(&items[child]) < key(&items[child + 1]) {
            child += 1;
        }
        if key(&items[root]) >= key(&items[child]) {
            return;
        }
        items.swap(root, child);
        root = child;
    }
}
