// SPDX-License-Identifier: GPL-2.0

//! What a node's owner knows of the references to it, and what it has to be told.
//!
//! The owner of a node keeps its object alive as long as it was told that there are references. It
//! is told of the first weak and the first strong one (`BR_INCREFS`, `BR_ACQUIRE`), confirms each,
//! and is told of the end of each (`BR_RELEASE`, `BR_DECREFS`), never before it has confirmed.

use crate::wire::object::Count;

/// What the owner knows of one count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    /// It was told that there are references, and not yet that there are none.
    has: bool,
    /// It has not confirmed so yet.
    is_pending: bool,
}

/// The counts of one node that are kept under its owner's lock.
///
/// References of other processes that are strong are counted by the node itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// References of other processes.
    pub(crate) refs: u32,
    /// Messages that hand the node back to its owner, and the manager's own count.
    pub(crate) local_strong: u32,
    /// The same for weak objects.
    pub(crate) local_weak: u32,
    strong: Told,
    weak: Told,
}

/// What to tell the owner, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RefUpdate {
    /// `BR_INCREFS`
    pub(crate) incref: bool,
    /// `BR_ACQUIRE`
    pub(crate) acquire: bool,
    /// `BR_RELEASE`
    pub(crate) release: bool,
    /// `BR_DECREFS`
    pub(crate) decref: bool,
}

impl Counts {
    /// Makes this the node of a manager, which knows for ever that it is used.
    pub(crate) fn make_permanent(&mut self) {
        self.local_strong += 1;
        self.local_weak += 1;
        self.strong.has = true;
        self.weak.has = true;
    }

    /// Whether the owner was told of references of this kind.
    pub(crate) fn has(&self, count: Count) -> bool {
        match count {
            Count::Strong => self.strong.has,
            Count::Weak => self.weak.has,
        }
    }

    /// How many of this kind are not references of other processes.
    pub(crate) fn local(&self, count: Count) -> u32 {
        match count {
            Count::Strong => self.local_strong + u32::from(self.strong.is_pending),
            Count::Weak => self.local_weak + u32::from(self.weak.is_pending),
        }
    }

    /// Whether anything of this kind is left, given whether others hold strong references.
    pub(crate) fn is_held(&self, count: Count, strong_outside: bool) -> bool {
        let strong = strong_outside || self.local_strong > 0 || self.strong.is_pending;
        match count {
            Count::Strong => strong,
            Count::Weak => strong || self.refs > 0 || self.local_weak > 0 || self.weak.is_pending,
        }
    }

    /// Whether the owner has something to learn.
    pub(crate) fn has_news(&self, strong_outside: bool) -> bool {
        let differs = |count| self.is_held(count, strong_outside) != self.has(count);
        differs(Count::Strong) || differs(Count::Weak)
    }

    /// Whether the node serves no purpose: nobody refers to it, and its owner knows of nothing.
    pub(crate) fn is_unused(&self, strong_outside: bool) -> bool {
        !self.is_held(Count::Weak, strong_outside) && !self.weak.has && !self.strong.has
    }

    /// What to tell the owner, which counts as told from now on.
    pub(crate) fn tell(&mut self, strong_outside: bool) -> RefUpdate {
        let strong = self.is_held(Count::Strong, strong_outside);
        let weak = self.is_held(Count::Weak, strong_outside);
        let news = RefUpdate {
            incref: weak && !self.weak.has,
            acquire: strong && !self.strong.has,
            release: !strong && self.strong.has,
            decref: !weak && self.weak.has,
        };
        self.weak.is_pending |= news.incref;
        self.strong.is_pending |= news.acquire;
        self.weak.has = weak;
        self.strong.has = strong;
        news
    }

    /// The owner confirms that it was told of references of this kind.
    ///
    /// Returns whether there was something to confirm.
    pub(crate) fn confirm(&mut self, count: Count) -> bool {
        let told = match count {
            Count::Strong => &mut self.strong,
            Count::Weak => &mut self.weak,
        };
        core::mem::take(&mut told.is_pending)
    }
}
