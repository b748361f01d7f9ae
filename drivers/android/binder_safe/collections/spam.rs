// SPDX-License-Identifier: GPL-2.0

//! Finding the sender who fills an area with oneway messages.
//!
//! When little of the room for oneway messages is left, a sender that holds much of it is
//! suspected, once, until there is more room again.

/// How many messages of one sender are suspicious.
const MAX_COUNT: usize = 50;

/// Watches the oneway messages in one area.
pub(crate) struct Spam {
    /// Somebody was suspected since the room became scarce.
    has_suspect: bool,
}

impl Spam {
    /// Nobody is suspected.
    pub(crate) const fn new() -> Self {
        Self { has_suspect: false }
    }

    /// Whether the sender of another message is suspected now.
    ///
    /// `free` bytes of the `size` of the area are left for oneway messages. What the sender holds,
    /// as number and bytes of messages, is only asked for if that matters.
    pub(crate) fn suspects(
        &mut self,
        free: usize,
        size: usize,
        held: impl FnOnce() -> (usize, usize),
    ) -> bool {
        if free >= size / 10 {
            self.has_suspect = false;
            return false;
        }
        if self.has_suspect {
            return false;
        }
        let (count, bytes) = held();
        self.has_suspect = count > MAX_COUNT || bytes > size / 4;
        self.has_suspect
    }
}
