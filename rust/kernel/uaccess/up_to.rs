// SPDX-License-Identifier: GPL-2.0

//! Copying as much as there is.

use super::{
    words,
    UserSliceReader, //
};

/// Reading without an error.
impl UserSliceReader {
    /// Reads as many bytes as can be read, at most `out.len()`, and says how many.
    ///
    /// For a stream of small records this stages several of them with one copy, where a fault in a
    /// later record must not keep the earlier ones from being acted upon. The reader advances by
    /// the number of bytes that were read, the first ones of `out`. The others have unspecified
    /// contents.
    ///
    /// Fewer bytes than asked for mean that the slice ends there or that the address is bad. An
    /// architecture may stop somewhat before the first bad byte, but not without reading anything
    /// unless that very byte is bad: who needs the exact place reads again until nothing comes.
    ///
    /// # Context
    ///
    /// Task context that may sleep, as the access may fault a page in.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::uaccess::UserSliceReader;
    ///
    /// /// Adds up the bytes before the first one that cannot be read.
    /// fn sum(mut reader: UserSliceReader) -> u64 {
    ///     let mut stage = [0; 64];
    ///     let mut sum = 0;
    ///     loop {
    ///         let len = reader.read_up_to(&mut stage);
    ///         if len == 0 {
    ///             return sum;
    ///         }
    ///         sum += stage[..len].iter().copied().map(u64::from).sum::<u64>();
    ///     }
    /// }
    /// ```
    #[doc(alias = "copy_from_user")]
    #[inline]
    pub fn read_up_to(&mut self, out: &mut [u8]) -> usize {
        let len = out.len().min(self.length);
        let to = out.as_mut_ptr().cast();
        // SAFETY: `out` is valid for writes of `len` bytes.
        let left = unsafe {
            words::check_object(to, len, false);
            words::copy_from_user(to, self.ptr, len)
        };
        // No more bytes can be left than there were; the subtraction that cannot wrap keeps the
        // invariant of the caller's indexes even so.
        let copied = len.saturating_sub(left);
        self.ptr = self.ptr.wrapping_byte_add(copied);
        self.length -= copied;
        copied
    }
}

#[cfg(CONFIG_RUST_UACCESS_KUNIT_TEST)]
#[macros::kunit_tests(rust_uaccess_up_to)]
mod tests {
    use super::super::user_memory::UserMemory;
    use crate::prelude::*;

    #[test]
    fn all_is_read_when_all_is_there() -> Result {
        let memory = UserMemory::new(1)?;
        memory.slice(0, 4).writer().write_slice(b"abcd")?;
        let mut reader = memory.slice(0, 100).reader();
        let mut out = [0xff; 6];
        assert_eq!(reader.read_up_to(&mut out), 6);
        assert_eq!(&out, b"abcd\0\0");
        assert_eq!(reader.len(), 94);
        Ok(())
    }

    #[test]
    fn the_end_of_the_slice_is_an_end() -> Result {
        let memory = UserMemory::new(1)?;
        memory.slice(0, 8).writer().write_slice(b"abcdefgh")?;
        let mut reader = memory.slice(0, 3).reader();
        let mut out = [0xff; 6];
        assert_eq!(reader.read_up_to(&mut out), 3);
        assert_eq!(&out, b"abc\xff\xff\xff");
        assert_eq!(reader.read_up_to(&mut out), 0);
        Ok(())
    }

    #[test]
    fn what_lies_before_a_hole_is_read_to_the_last_byte() -> Result {
        let memory = UserMemory::new(1)?;
        let end = memory.len();
        for before in [0, 1, 7, 8, 63, 300] {
            memory
                .slice(end - before, before)
                .writer()
                .write_slice(&[0x5a; 300][..before])?;
            let mut reader = memory.slice(end - before, 512).reader();
            let mut out = [0; 512];
            let mut total = 0;
            loop {
                let len = reader.read_up_to(&mut out[total..]);
                if len == 0 {
                    break;
                }
                total += len;
            }
            assert_eq!(total, before);
            assert_eq!(reader.len(), 512 - before);
            assert!(out[..before].iter().all(|&byte| byte == 0x5a));
        }
        Ok(())
    }

    #[test]
    fn nothing_asked_is_nothing_read() -> Result {
        let memory = UserMemory::new(1)?;
        let mut reader = memory.slice(memory.len(), 8).reader();
        assert_eq!(reader.read_up_to(&mut []), 0);
        assert_eq!(reader.len(), 8);
        Ok(())
    }
}
