// SPDX-License-Identifier: GPL-2.0

//! Copying values whose layout `zerocopy` has checked.

use super::{
    words,
    UserSliceReader,
    UserSliceWriter, //
};
use crate::{
    error::{
        code::EFAULT,
        Result, //
    },
    ffi::c_void, //
};
use core::mem::{
    size_of,
    size_of_val,
    MaybeUninit, //
};
use zerocopy::{
    FromBytes,
    Immutable,
    IntoBytes, //
};

/// Values that derive their layout guarantees.
impl UserSliceReader {
    /// Reads a value of a type that any bytes are a value of.
    ///
    /// The type derives [`FromBytes`], and the compiler has checked that this is right, so that no
    /// `unsafe` is needed to describe a user space structure. This is otherwise as [`Self::read`].
    ///
    /// # Errors
    ///
    /// [`EFAULT`] if the address is bad, or if fewer bytes are left than the type has. The reader
    /// does not advance then.
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
    /// #[derive(FromBytes)]
    /// #[repr(C)]
    /// struct Limits {
    ///     threads: u32,
    ///     flags: u32,
    /// }
    ///
    /// fn max_threads(reader: &mut UserSliceReader) -> Result<u32> {
    ///     let limits: Limits = reader.read_obj()?;
    ///     if limits.flags != 0 {
    ///         return Err(EINVAL);
    ///     }
    ///     Ok(limits.threads)
    /// }
    /// ```
    #[doc(alias = "copy_from_user")]
    #[inline]
    pub fn read_obj<T: FromBytes>(&mut self) -> Result<T> {
        let len = size_of::<T>();
        if len > self.length {
            return Err(EFAULT);
        }
        let mut out = MaybeUninit::<T>::uninit();
        // SAFETY: `out` is valid for writes of `len` bytes.
        let left = unsafe { words::copy_from_user(out.as_mut_ptr().cast(), self.ptr, len) };
        if left != 0 {
            return Err(EFAULT);
        }
        self.ptr = self.ptr.wrapping_byte_add(len);
        self.length -= len;
        // SAFETY: All bytes of `out` have been written, and any bytes are a value of a type that is
        // `FromBytes`.
        Ok(unsafe { out.assume_init() })
    }
}

/// Values that derive their layout guarantees.
impl UserSliceWriter {
    /// Writes a value of a type that is nothing but its bytes.
    ///
    /// The type derives [`IntoBytes`], for which it must have no padding, so that no byte of kernel
    /// memory leaks with it; [`Immutable`] says that the bytes cannot change through a shared
    /// reference. This is otherwise as [`Self::write`].
    ///
    /// # Errors
    ///
    /// [`EFAULT`] if the address is bad, or if less room is left than the value needs. The writer
    /// does not advance then; in the first case part of the value may have been written.
    ///
    /// # Context
    ///
    /// Task context that may sleep, as the access may fault a page in.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::uaccess::UserSliceWriter;
    /// use zerocopy_derive::Immutable;
    ///
    /// #[derive(IntoBytes, Immutable)]
    /// #[repr(C)]
    /// struct Version {
    ///     protocol: i32,
    /// }
    ///
    /// fn tell_version(writer: &mut UserSliceWriter) -> Result {
    ///     writer.write_obj(&Version { protocol: 8 })
    /// }
    /// ```
    #[doc(alias = "copy_to_user")]
    #[inline]
    pub fn write_obj<T: IntoBytes + Immutable + ?Sized>(&mut self, value: &T) -> Result {
        let len = size_of_val(value);
        if len > self.length {
            return Err(EFAULT);
        }
        let from = core::ptr::from_ref(value).cast();
        // The length of a slice is not known when this is compiled.
        if size_of::<&T>() != size_of::<*const c_void>() {
            // SAFETY: `value` is valid for `len` bytes.
            unsafe { words::check_object(from, len, true) };
        }
        // SAFETY: `value` is valid for reads of its `len` bytes, which are all initialised, as the
        // type is `IntoBytes`.
        let left = unsafe { words::copy_to_user(self.ptr, from, len) };
        if left != 0 {
            return Err(EFAULT);
        }
        self.ptr = self.ptr.wrapping_byte_add(len);
        self.length -= len;
        Ok(())
    }
}

#[cfg(CONFIG_RUST_UACCESS_KUNIT_TEST)]
#[macros::kunit_tests(rust_uaccess_obj)]
mod tests {
    use super::super::user_memory::UserMemory;
    use crate::prelude::*;
    use zerocopy_derive::Immutable;

    #[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, PartialEq)]
    #[repr(C)]
    struct Pair {
        word: u64,
        half: u32,
        bytes: [u8; 4],
    }

    const PAIR: Pair = Pair {
        word: 0x0102_0304_0506_0708,
        half: 0xffff_0001,
        bytes: *b"abcd",
    };

    #[test]
    fn what_is_written_is_read() -> Result {
        let memory = UserMemory::new(1)?;
        memory.slice(0, 16).writer().write_obj(&PAIR)?;
        let mut reader = memory.slice(0, 20).reader();
        assert_eq!(reader.read_obj::<Pair>()?, PAIR);
        assert_eq!(reader.len(), 4);
        assert_eq!(reader.read_obj::<u32>()?, 0);
        assert!(reader.is_empty());
        Ok(())
    }

    #[test]
    fn unsized_values_are_written_whole() -> Result {
        let memory = UserMemory::new(1)?;
        let mut writer = memory.slice(0, 8).writer();
        writer.write_obj(&[0x11u16, 0x22, 0x33][..])?;
        assert_eq!(writer.len(), 2);
        let mut reader = memory.slice(0, 6).reader();
        assert_eq!(reader.read_obj::<[u16; 3]>()?, [0x11, 0x22, 0x33]);
        Ok(())
    }

    #[test]
    fn too_short_a_slice_is_a_fault_that_consumes_nothing() -> Result {
        let memory = UserMemory::new(1)?;
        let mut reader = memory.slice(0, 15).reader();
        assert_eq!(reader.read_obj::<Pair>(), Err(EFAULT));
        assert_eq!(reader.len(), 15);
        let mut writer = memory.slice(0, 15).writer();
        assert_eq!(writer.write_obj(&PAIR), Err(EFAULT));
        assert_eq!(writer.len(), 15);
        assert_eq!(memory.slice(0, 8).reader().read_obj::<u64>()?, 0);
        Ok(())
    }

    #[test]
    fn a_hole_is_a_fault_that_consumes_nothing() -> Result {
        let memory = UserMemory::new(1)?;
        let end = memory.len();
        let mut reader = memory.slice(end - 8, 16).reader();
        assert_eq!(reader.read_obj::<Pair>(), Err(EFAULT));
        assert_eq!(reader.len(), 16);
        let mut writer = memory.slice(end - 8, 16).writer();
        assert_eq!(writer.write_obj(&PAIR), Err(EFAULT));
        assert_eq!(writer.len(), 16);
        Ok(())
    }

    /// Writes and reads `N` bytes at `start`, each against the copy for any length.
    fn copy<const N: usize>(memory: &UserMemory, start: usize) -> Result {
        let bytes: [u8; N] = core::array::from_fn(|at| at as u8 ^ 0xa5);
        memory.slice(0, 160).writer().write_slice(&[0; 160])?;
        memory.slice(start, N).writer().write_obj(&bytes)?;
        let mut found = [0; N];
        memory.slice(start, N).reader().read_slice(&mut found)?;
        assert_eq!(found, bytes);
        assert_eq!(
            memory.slice(start, N).reader().read_obj::<[u8; N]>()?,
            bytes
        );
        assert_eq!(memory.slice(start + N, 8).reader().read_obj::<u64>()?, 0);
        Ok(())
    }

    #[test]
    fn a_few_words_are_copied_like_many() -> Result {
        let memory = UserMemory::new(1)?;
        for start in [0, 1, 4] {
            copy::<4>(&memory, start)?;
            copy::<7>(&memory, start)?;
            copy::<12>(&memory, start)?;
            copy::<68>(&memory, start)?;
            copy::<128>(&memory, start)?;
            copy::<132>(&memory, start)?;
        }
        Ok(())
    }

    #[test]
    fn empty_values_need_no_memory() -> Result {
        let memory = UserMemory::new(1)?;
        memory.slice(0, 0).reader().read_obj::<[u8; 0]>()?;
        memory.slice(0, 0).writer().write_obj(&[0u8; 0])
    }
}
