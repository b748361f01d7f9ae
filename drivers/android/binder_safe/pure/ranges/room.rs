// SPDX-License-Identifier: GPL-2.0

//! Room for more blocks.

use super::{
    bins::Bins,
    index::Index,
    pieces,
    Block,
    Ranges,
    Search,
    State,
    NONE, //
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// From how many blocks on it is less work to keep them in lists and trees than to look at each.
const MANY: u32 = 32;

/// What [`Room`] has to be like.
pub(crate) struct Wanted {
    capacity: u32,
    /// Bytes of the area, if it has no means to search yet.
    to_search: Option<u32>,
}

/// Room for more blocks, allocated where sleeping is allowed.
pub(crate) struct Room<T> {
    blocks: pieces::Room<Block<T>>,
    search: Option<KBox<Search>>,
}

impl<T> Room<T> {
    /// Allocates room for an area that has none.
    pub(crate) fn new(wanted: Wanted) -> Result<Self, AllocError> {
        let search = match wanted.to_search {
            None => None,
            Some(size) => {
                let (bins, index) = (Bins::new()?, Index::new(size)?);
                Some(KBox::new(Search { bins, index }, GFP_KERNEL_ACCOUNT)?)
            }
        };
        Ok(Self {
            blocks: pieces::Room::new(wanted.capacity)?,
            search,
        })
    }
}

impl<T> Ranges<T> {
    /// What room for more blocks has to be like.
    pub(crate) fn wanted(&self) -> Wanted {
        let capacity = self.blocks.capacity();
        let to_search = capacity >= MANY && self.search.is_none();
        Wanted {
            capacity,
            to_search: to_search.then_some(self.size),
        }
    }

    /// Adds room and gives back what is left of it, to be freed after unlocking: all, if somebody
    /// else has added room since it was wanted.
    pub(crate) fn grow(&mut self, mut room: Room<T>) -> Room<T> {
        room.blocks = self.blocks.grow(room.blocks);
        if self.search.is_some() || room.search.is_none() {
            return room;
        }
        core::mem::swap(&mut self.search, &mut room.search);
        let mut block = self.first();
        let Some(Search { bins, index }) = self.search.as_deref_mut() else {
            return room;
        };
        // These are the last few that were found without.
        while block != NONE {
            if matches!(self.blocks.at(block).state, State::Free) {
                bins.enter(&mut self.blocks, block);
            } else {
                index.enter(&mut self.blocks, block);
            }
            block = self.blocks.at(block).next;
        }
        room
    }
}
