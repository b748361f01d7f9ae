// SPDX-License-Identifier: GPL-2.0

//! `BC_FREE_BUFFER`: the receiver of a message is done with it.

use super::contents::Contents;
use crate::{
    memory::area::Freed,
    process::{
        peer::Peer,
        Process, //
    },
    thread::{
        wake::Urgency,
        Thread, //
    }, //
};

/// Frees the buffer at `address`. Any other address is ignored, since it may be somebody's guess at
/// where the next message will be. Returns whether there was one.
pub(crate) fn free(process: &Process, thread: &Thread, address: u64) -> bool {
    let Some(mut freed) = process.area.free(address) else {
        return false;
    };
    if freed.contents.close_files() {
        // The task must return to user space for the files to be closed.
        thread.return_soon();
    }
    end(process, freed);
    true
}

/// Ends a message that a process has read.
pub(crate) fn end(peer: &Peer, freed: Freed<Contents>) {
    drop(freed.contents.objects);
    if freed.is_oneway {
        if let Some(node) = &freed.contents.target {
            let wake = node.advance(&mut peer.queue.lock());
            wake.wake(Urgency::Plain);
        }
    }
}
