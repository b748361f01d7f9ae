// SPDX-License-Identifier: GPL-2.0

//! `BC_FREE_BUFFER`: the receiver of a message is done with it.

use crate::{
    object::{
        contents::Contents,
        process::Process,
        thread::Thread, //
    },
    res::area::Freed, //
};

/// Frees the buffer at `address`. Any other address is ignored, since it may be somebody's guess at
/// where the next message will be. Returns whether there was one.
pub(crate) fn free(thread: &Thread, address: u64) -> bool {
    let Some(mut freed) = thread.process.area.free(address) else {
        return false;
    };
    if freed.contents.close_files() {
        // The task must return to user space for the files to be closed.
        thread.return_soon();
    }
    end(&thread.process, freed);
    true
}

/// Ends a message that `process` has read.
pub(crate) fn end(process: &Process, freed: Freed<Contents>) {
    drop(freed.contents.objects);
    if freed.is_oneway {
        if let Some(node) = &freed.contents.target {
            let posted = node.advance(&mut process.queue.lock());
            process.wake_posted(posted);
        }
    }
}
