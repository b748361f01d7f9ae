// SPDX-License-Identifier: GPL-2.0

//! Using the memory of an [`Arc`] again.
//!
//! [`Arc`]: super::Arc

use super::{
    Arc,
    UniqueArc, //
};
use core::{
    mem::{
        ManuallyDrop,
        MaybeUninit, //
    },
    ptr, //
};

impl<T> UniqueArc<T> {
    /// Drops the contents and keeps the memory.
    ///
    /// Together with [`Arc::into_unique_or_drop`] this lets a hot path use the same allocation over
    /// and over. Does not allocate; whether it may sleep depends on the destructor of `T`.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::sync::{
    ///     Arc,
    ///     UniqueArc, //
    /// };
    ///
    /// let first = Arc::new(1, GFP_KERNEL)?;
    /// let address = Arc::as_ptr(&first);
    ///
    /// // Nobody else holds a reference, so the memory is ours.
    /// let unique = Arc::into_unique_or_drop(first).ok_or(EINVAL)?;
    /// let memory = UniqueArc::drop_contents(core::pin::Pin::into_inner(unique));
    ///
    /// let second: Arc<i32> = memory.write(2).into();
    /// assert_eq!(*second, 2);
    /// assert_eq!(Arc::as_ptr(&second), address);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn drop_contents(this: Self) -> UniqueArc<MaybeUninit<T>> {
        let inner = ManuallyDrop::new(this).inner.ptr;
        // SAFETY: A `UniqueArc` is the only reference to its allocation, and `this` is not dropped,
        // so the contents are valid, nobody else uses them, and they are dropped only here.
        unsafe { ptr::drop_in_place(&raw mut (*inner.as_ptr()).data) };
        UniqueArc {
            // SAFETY: The allocation holds the one count that `this` had, which passes to the new
            // value. `T` and `MaybeUninit<T>` have the same layout, hence so have the two
            // `ArcInner`s, and memory without a value is a valid `MaybeUninit<T>`.
            inner: unsafe { Arc::from_inner(inner.cast()) },
        }
    }
}
