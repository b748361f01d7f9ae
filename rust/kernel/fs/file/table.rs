// SPDX-License-Identifier: GPL-2.0

//! The table of file descriptors of the current task, as far as whether it has one is concerned.

use crate::task::Task;

/// Returns whether the current task has a table of file descriptors.
///
/// A task that exits gives its table up, and then closes the files that nobody else has open. So
/// `flush` and `release` of these files run without one, as does the work of the task that is
/// executed last. The C functions that look into the table take it for granted.
#[inline]
pub(super) fn current_has_table() -> bool {
    // SAFETY: The current task is valid, and it alone changes the pointer to its table.
    unsafe { !(*Task::current_raw()).files.is_null() }
}
