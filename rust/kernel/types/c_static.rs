// SPDX-License-Identifier: GPL-2.0

//! C structures in statics.

/// A C structure in a `static`, of which the C side gets the address.
///
/// A structure that bindgen makes is `Sync` only if all of its fields are, and which fields it has
/// depends on the configuration of the kernel. `struct vm_operations_struct`, for example, is not
/// with `CONFIG_USERFAULTFD`, which adds a pointer to it. A static of such a type compiles in one
/// kernel and not in another; a static of this type compiles in all of them.
///
/// It is not writable. For what the C side changes, put an [`UnsafeCell`] around the structure.
///
/// [`UnsafeCell`]: core::cell::UnsafeCell
///
/// # Examples
///
/// ```
/// use kernel::types::CStatic;
///
/// // As a structure of C that points to another one: it is not `Sync`.
/// struct Operations {
///     name: *const u8,
/// }
///
/// static OPERATIONS: CStatic<Operations> = CStatic::new(Operations {
///     name: b"example\0".as_ptr(),
/// });
///
/// // The address says whose operations these are.
/// let operations: *const Operations = OPERATIONS.as_ptr();
/// assert!(core::ptr::eq(operations, OPERATIONS.as_ptr()));
/// # // SAFETY: It is a static that does not change.
/// # assert!(!unsafe { (*operations).name }.is_null());
/// ```
#[repr(transparent)]
pub struct CStatic<T>(T);

// SAFETY: A shared reference gives the address of the structure and nothing else. Whether the
// structure can be accessed through that is for the unsafe code, or the C code, that does it.
unsafe impl<T> Sync for CStatic<T> {}

impl<T> CStatic<T> {
    /// Makes the content of a static.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the address of the structure.
    pub const fn as_ptr(&self) -> *const T {
        &raw const self.0
    }
}
