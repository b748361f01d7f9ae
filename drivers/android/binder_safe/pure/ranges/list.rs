// SPDX-License-Identifier: GPL-2.0

//! Buffers as logs show them.

use super::{
    Range,
    Ranges,
    State,
    NONE, //
};
use kernel::prelude::*;

/// What logs call a buffer, and how many bytes of it are what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) debug_id: u32,
    pub(crate) data_size: u32,
    pub(crate) offsets_size: u32,
    pub(crate) extra_size: u32,
}

impl Label {
    /// The id and the sizes, in their order.
    pub(crate) fn numbers(self) -> [u32; 4] {
        [
            self.debug_id,
            self.data_size,
            self.offsets_size,
            self.extra_size,
        ]
    }
}

/// A buffer as logs show it.
#[derive(Clone, Copy)]
pub(crate) struct Listed {
    pub(crate) offset: u32,
    pub(crate) label: Label,
    /// Its owner may free it.
    pub(crate) is_held: bool,
}

impl<T> Ranges<T> {
    /// Names a reserved buffer.
    pub(crate) fn name(&mut self, range: Range, label: Label) {
        self.at_mut(range.block).label = label;
    }

    /// The name of a reserved buffer.
    pub(crate) fn label(&self, range: Range) -> Label {
        self.at(range.block).label
    }

    /// The buffer that starts at `offset`, as logs show it.
    pub(crate) fn listed(&self, offset: u32) -> Option<Listed> {
        self.list(self.find(offset)?)
    }

    /// Adds the buffers from `offset` on to `list`, as far as there is room.
    pub(crate) fn list_from(&self, offset: u32, list: &mut KVec<Listed>) {
        let mut block = self.first_from(offset);
        while block != NONE {
            let listed = self.list(block);
            if listed.is_some_and(|listed| list.push_within_capacity(listed).is_err()) {
                return;
            }
            block = self.at(block).next;
        }
    }

    fn list(&self, block: u32) -> Option<Listed> {
        let entry = self.at(block);
        let is_held = match entry.state {
            State::Held(_) => true,
            State::Reserved if block != self.spare => false,
            _ => return None,
        };
        Some(Listed {
            offset: entry.offset,
            label: entry.label,
            is_held,
        })
    }
}
