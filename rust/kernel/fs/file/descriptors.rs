// SPDX-License-Identifier: GPL-2.0

//! Several file descriptors that appear together or not at all.

use super::{
    flags::O_CLOEXEC,
    File,
    FileDescriptorReservation, //
};
use crate::{
    prelude::*,
    sync::aref::ARef, //
};

/// File descriptors of the current process that do not exist yet, and the files they will stand
/// for.
///
/// A driver that hands files to a process, and tells it their numbers in a message, has to know the
/// numbers before it writes the message, and yet must not let the files appear before it knows that
/// the message has arrived. It reserves the descriptors one by one, writes the message, and then
/// installs all of them, which cannot fail. Where anything fails before, dropping the batch gives
/// the numbers back, and the process has seen nothing.
///
/// The batch belongs to the task that made it, and cannot be moved to another.
///
/// # Examples
///
/// ```
/// use kernel::{
///     fs::{
///         file::DescriptorBatch,
///         File, //
///     },
///     sync::aref::ARef,
///     uaccess::UserSliceWriter, //
/// };
///
/// /// Gives two files to the current process, and writes their numbers.
/// fn give(one: ARef<File>, two: ARef<File>, message: &mut UserSliceWriter) -> Result {
///     let mut batch = DescriptorBatch::new();
///     let numbers = [batch.reserve(one)?, batch.reserve(two)?];
///     message.write(&numbers)?;
///     batch.install();
///     Ok(())
/// }
/// ```
pub struct DescriptorBatch {
    entries: KVVec<(FileDescriptorReservation, ARef<File>)>,
}

impl DescriptorBatch {
    /// Makes an empty batch.
    #[allow(clippy::new_without_default)]
    #[inline]
    pub const fn new() -> Self {
        Self {
            entries: KVVec::new(),
        }
    }

    /// Reserves the lowest free descriptor for `file`, and returns its number.
    ///
    /// The descriptor will be closed when the process executes another program.
    ///
    /// # Errors
    ///
    /// - [`EMFILE`]: the process has as many descriptors as it may have.
    /// - [`ENOMEM`]: no memory for the table of descriptors, or for the batch.
    /// - [`ESRCH`]: the current task has no table of descriptors, as it is exiting.
    ///
    /// The file is released then, and what was reserved before stays reserved.
    ///
    /// # Context
    ///
    /// Task context that may sleep.
    pub fn reserve(&mut self, file: ARef<File>) -> Result<u32> {
        let reservation = FileDescriptorReservation::get_unused_fd_flags(O_CLOEXEC)?;
        let number = reservation.reserved_fd();
        self.entries.push((reservation, file), GFP_KERNEL)?;
        Ok(number)
    }

    /// Binds each descriptor to its file.
    ///
    /// From here on the process can use the files, and other threads of it at once.
    ///
    /// # Context
    ///
    /// Task context that may sleep.
    #[doc(alias = "fd_install")]
    pub fn install(self) {
        for (reservation, file) in self.entries {
            reservation.fd_install(file);
        }
    }
}

#[cfg(CONFIG_RUST_FILE_DESCRIPTORS_KUNIT_TEST)]
#[macros::kunit_tests(rust_file_descriptors)]
mod tests {
    use super::super::{
        test_file::new_file,
        LocalFile, //
    };
    use super::*;

    fn is_open(number: u32) -> bool {
        LocalFile::fget(number).is_ok()
    }

    fn close(number: u32) {
        // SAFETY: The caller passes a descriptor that the test has opened.
        unsafe { bindings::close_fd(number) };
    }

    #[test]
    fn descriptors_appear_when_installed() -> Result {
        let file = new_file()?;
        let mut batch = DescriptorBatch::new();
        let first = batch.reserve(file.clone())?;
        let second = batch.reserve(file.clone())?;
        assert!(first != second);
        assert!(!is_open(first) && !is_open(second));
        batch.install();
        for number in [first, second] {
            let found = LocalFile::fget(number)?;
            assert_eq!(found.as_ptr(), file.as_ptr());
            close(number);
        }
        Ok(())
    }

    #[test]
    fn a_dropped_batch_gives_the_numbers_back() -> Result {
        let file = new_file()?;
        let mut batch = DescriptorBatch::new();
        let numbers = [batch.reserve(file.clone())?, batch.reserve(file.clone())?];
        drop(batch);
        assert!(!numbers.into_iter().any(is_open));
        let mut again = DescriptorBatch::new();
        assert_eq!(again.reserve(file)?, numbers[0]);
        Ok(())
    }

    #[test]
    fn an_empty_batch_installs_nothing() {
        DescriptorBatch::new().install();
    }

    #[cfg(CONFIG_RUST_KUNIT_FAIL_NTH)]
    #[test]
    fn failed_allocations_give_the_numbers_back() -> Result {
        let file = new_file()?;
        let first = DescriptorBatch::new().reserve(file.clone())?;
        crate::kunit::each_allocation_fails(|| {
            let mut batch = DescriptorBatch::new();
            for _ in 0..10 {
                batch.reserve(file.clone())?;
            }
            Ok(())
        })?;
        assert_eq!(DescriptorBatch::new().reserve(file)?, first);
        Ok(())
    }
}
