// SPDX-License-Identifier: GPL-2.0

//! Character device numbers.
//!
//! C headers: [`include/linux/kdev_t.h`](srctree/include/linux/kdev_t.h) and
//! [`include/linux/fs.h`](srctree/include/linux/fs.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*, //
};

/// A device number (`dev_t` in C): a major and a minor number.
///
/// # Examples
///
/// ```
/// use kernel::chrdev::DevT;
///
/// let dev = DevT::new(10, 229).ok_or(EINVAL)?;
/// assert_eq!((dev.major(), dev.minor()), (10, 229));
/// assert!(DevT::new(10, DevT::MAX_MINOR + 1).is_none());
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DevT(bindings::dev_t);

impl DevT {
    const MINOR_BITS: u32 = 20;

    /// The largest minor number.
    pub const MAX_MINOR: u32 = (1 << Self::MINOR_BITS) - 1;

    /// The largest major number.
    pub const MAX_MAJOR: u32 = (1 << (u32::BITS - Self::MINOR_BITS)) - 1;

    /// Composes a device number, if both parts are in range.
    pub const fn new(major: u32, minor: u32) -> Option<Self> {
        if major > Self::MAX_MAJOR || minor > Self::MAX_MINOR {
            return None;
        }
        Some(Self(major << Self::MINOR_BITS | minor))
    }

    /// Returns the major number.
    pub const fn major(self) -> u32 {
        self.0 >> Self::MINOR_BITS
    }

    /// Returns the minor number.
    pub const fn minor(self) -> u32 {
        self.0 & Self::MAX_MINOR
    }

    /// Takes a number from the C side.
    pub const fn from_raw(dev: bindings::dev_t) -> Self {
        Self(dev)
    }

    /// Returns the number as the C side wants it.
    pub const fn as_raw(self) -> bindings::dev_t {
        self.0
    }
}

/// A range of character device numbers with a major number of its own, reserved while it exists.
///
/// It is listed in `/proc/devices`. The reservation alone makes no device: opening a node with one
/// of the numbers in an ordinary file system gives `ENXIO`, unless someone serves them.
///
/// # Invariants
///
/// The numbers from `first` on, `count` of them, are reserved by this value, and all are valid.
///
/// # Examples
///
/// ```
/// use kernel::chrdev::Region;
///
/// let region = Region::alloc(0, 16, c"rust_chrdev_doctest")?;
/// let dev = region.dev(15).ok_or(EINVAL)?;
/// assert_eq!((dev.major(), dev.minor()), (region.major(), 15));
/// assert!(region.dev(16).is_none());
/// # Ok::<(), Error>(())
/// ```
pub struct Region {
    first: DevT,
    count: u32,
}

impl Region {
    /// Reserves `count` numbers under a new major number, with minor numbers from `base` on.
    ///
    /// This is `alloc_chrdev_region` in C. The name is copied; `EINVAL` if the range is empty or
    /// does not fit, else the error of the C function. May sleep.
    pub fn alloc(base: u32, count: u32, name: &CStr) -> Result<Self> {
        let end = base.checked_add(count).ok_or(EINVAL)?;
        if count == 0 || end > DevT::MAX_MINOR + 1 {
            return Err(EINVAL);
        }

        let mut first = 0;
        // SAFETY: `first` is a valid place for the result, and `name` is only read during the call.
        to_result(unsafe {
            bindings::alloc_chrdev_region(&mut first, base, count, name.as_char_ptr())
        })?;

        // INVARIANT: The call has reserved the range, and the checks above make all numbers valid.
        Ok(Self {
            first: DevT(first),
            count,
        })
    }

    /// Returns the major number.
    pub fn major(&self) -> u32 {
        self.first.major()
    }

    /// Returns how many numbers are reserved.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Returns the device number at `index`, counted from the start of the range.
    pub fn dev(&self, index: u32) -> Option<DevT> {
        if index >= self.count {
            return None;
        }
        DevT::new(self.major(), self.first.minor() + index)
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the range is reserved by this value, which ends here.
        unsafe { bindings::unregister_chrdev_region(self.first.as_raw(), self.count) };
    }
}
