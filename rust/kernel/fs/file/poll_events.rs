// SPDX-License-Identifier: GPL-2.0

//! Events that a poll callback reports.

use crate::bindings;
use core::ops::{
    BitOr,
    BitOrAssign, //
};

/// A set of poll events (`__poll_t` in C).
///
/// # Examples
///
/// ```
/// use kernel::fs::file::PollEvents;
///
/// let mut events = PollEvents::NONE;
/// assert_eq!(events.bits(), 0);
///
/// events |= PollEvents::IN | PollEvents::RDNORM;
/// assert!(events.contains(PollEvents::IN));
/// assert!(!events.contains(PollEvents::IN | PollEvents::ERR));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollEvents(bindings::__poll_t);

impl PollEvents {
    /// Nothing is pending.
    pub const NONE: Self = Self(0);
    /// There is data to read.
    pub const IN: Self = Self(0x0001);
    /// There is an error.
    pub const ERR: Self = Self(0x0008);
    /// There is normal data to read.
    pub const RDNORM: Self = Self(0x0040);

    /// Returns the bits as the C side wants them.
    #[inline]
    pub const fn bits(self) -> bindings::__poll_t {
        self.0
    }

    /// Tells whether all of `events` are in this set.
    #[inline]
    pub const fn contains(self, events: Self) -> bool {
        self.0 & events.0 == events.0
    }
}

impl BitOr for PollEvents {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for PollEvents {
    #[inline]
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}
