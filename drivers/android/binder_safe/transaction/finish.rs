// SPDX-License-Identifier: GPL-2.0

//! Ending a call, exactly once, whoever is still there to be told.

use super::{
    Outcome,
    Transaction, //
};
use crate::thread::wake::Urgency;
use kernel::sync::Arc;

/// Ends `call` with `outcome` and tells the caller.
///
/// If the caller is gone, whoever waits for the caller is told that it died, and so on up the chain
/// of nested calls. Returns whether `outcome` itself reached the caller.
pub(crate) fn finish(call: Arc<Transaction>, outcome: Outcome, urgency: Urgency) -> bool {
    let mut call = call;
    let mut outcome = outcome;
    let mut is_first = true;
    loop {
        if !call.outcome.populate(outcome) {
            return false;
        }
        call.conclude();
        let Some(from) = call.from.clone() else {
            return false;
        };
        match from.process.submit_outcome(&from, call) {
            Ok(wake) => {
                wake.wake(urgency);
                return is_first;
            }
            Err(orphan) => match orphan.parent.clone() {
                Some(parent) => {
                    outcome = Outcome::DIED;
                    call = parent;
                    is_first = false;
                }
                None => return false,
            },
        }
    }
}

/// Ends `call` because whoever was to handle it is gone.
pub(crate) fn finish_dead(call: Arc<Transaction>) {
    finish(call, Outcome::DIED, Urgency::Plain);
}
