// SPDX-License-Identifier: GPL-2.0

//! Module parameters that change while the module runs.

use super::{
    CommandLineParam,
    ModuleParam, //
};
use crate::{
    bindings,
    error::from_result,
    page::PAGE_SIZE,
    prelude::*,
    str::{
        BStr,
        CStrExt as _, //
    },
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// A module parameter that root can read and write at run time, in
/// `/sys/module/NAME/parameters/` with mode 0644.
///
/// In C this is `module_param(name, uint, 0644)`. Whoever reads the value sees the one that was
/// written last sooner or later; there is no other ordering.
///
/// # Examples
///
/// ```ignore
/// module! {
///     type: MyModule,
///     name: "my_module",
///     license: "GPL",
///     params: {
///         debug_mask: AtomicU32Param {
///             default: 1,
///             description: "Which messages are printed",
///         },
///     },
/// }
///
/// if module_parameters::debug_mask.load() & 1 != 0 {
///     pr_info!("hello\n");
/// }
/// ```
pub struct AtomicU32Param {
    value: Atomic<u32>,
    /// Somebody has given it a value.
    given: Atomic<bool>,
}

impl AtomicU32Param {
    /// Makes a parameter with its default; for use by the `module!` macro.
    #[doc(hidden)]
    pub const fn new(default: u32) -> Self {
        Self {
            value: Atomic::new(default),
            given: Atomic::new(false),
        }
    }

    /// Returns the value.
    #[inline]
    pub fn load(&self) -> u32 {
        self.value.load(Relaxed)
    }

    /// Changes the value, as a write to the file does.
    #[inline]
    pub fn store(&self, value: u32) {
        self.value.store(value, Relaxed);
    }

    /// Returns a pointer to `self`, for use by the `module!` macro.
    #[doc(hidden)]
    pub const fn as_void_ptr(&self) -> *mut c_void {
        core::ptr::from_ref(self).cast_mut().cast()
    }

    /// Takes what was written to the file, perhaps with a newline at the end.
    fn set(&self, text: &BStr) -> Result {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        self.store(u32::try_from_param_arg(BStr::from_bytes(text))?);
        self.given.store(true, Relaxed);
        Ok(())
    }
}

impl CommandLineParam for AtomicU32Param {
    fn is_given(&self) -> bool {
        self.given.load(Relaxed)
    }

    fn take(&self, value: &BStr) -> Result {
        self.set(value)
    }
}

/// Sets the parameter, see `struct kernel_param_ops`.
///
/// # Safety
///
/// `val` must be null or a string that ends in a zero byte, and `param` a parameter that the
/// `module!` macro made with [`PARAM_OPS_ATOMIC_U32`], both for the duration of the call.
unsafe extern "C" fn set(val: *const c_char, param: *const bindings::kernel_param) -> c_int {
    if val.is_null() {
        return EINVAL.to_errno();
    }
    // SAFETY: By the safety requirements.
    let text = unsafe { CStr::from_char_ptr(val) };
    // SAFETY: By the safety requirements, and the macro makes `arg` a pointer to a static of this
    // type, which is only ever shared.
    let param = unsafe { &*(*param).__bindgen_anon_1.arg.cast::<AtomicU32Param>() };

    from_result(|| param.set(text.as_ref()).map(|()| 0))
}

/// Prints the parameter, see `struct kernel_param_ops`.
///
/// # Safety
///
/// `buffer` must be valid for writes of `PAGE_SIZE` bytes, and `param` a parameter that the
/// `module!` macro made with [`PARAM_OPS_ATOMIC_U32`], both for the duration of the call.
unsafe extern "C" fn get(buffer: *mut c_char, param: *const bindings::kernel_param) -> c_int {
    // SAFETY: As in `set`.
    let param = unsafe { &*(*param).__bindgen_anon_1.arg.cast::<AtomicU32Param>() };

    // SAFETY: By the safety requirements, and the format takes one `unsigned int`.
    unsafe {
        bindings::scnprintf(
            buffer,
            PAGE_SIZE,
            c"%u\n".as_char_ptr(),
            c_uint::from(param.load()),
        )
    }
}

/// The operations of an [`AtomicU32Param`].
///
/// A constant, of which each parameter has a copy: whether a static of a C type can be shared is
/// for the kernel's configuration to say.
#[doc(hidden)]
pub const PARAM_OPS_ATOMIC_U32: bindings::kernel_param_ops = bindings::kernel_param_ops {
    flags: 0,
    set: Some(set),
    get: Some(get),
    free: None,
};

#[cfg(CONFIG_RUST_MODULE_PARAM_KUNIT_TEST)]
#[macros::kunit_tests(rust_module_param_atomic)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_with_or_without_a_newline() -> Result {
        let param = AtomicU32Param::new(7);
        assert_eq!(param.load(), 7);
        param.set(BStr::from_bytes(b"12"))?;
        assert_eq!(param.load(), 12);
        param.set(BStr::from_bytes(b"0x1f\n"))?;
        assert_eq!(param.load(), 0x1f);
        assert!(param.is_given());
        Ok(())
    }

    #[test]
    fn what_is_no_number_changes_nothing() {
        let param = AtomicU32Param::new(7);
        for text in [&b""[..], b"\n", b"x", b"-1", b"4294967296", b"1\n\n"] {
            assert!(param.set(BStr::from_bytes(text)).is_err());
        }
        assert_eq!(param.load(), 7);
        assert!(!param.is_given());
    }

    #[test]
    fn the_file_shows_the_value() -> Result {
        let param = AtomicU32Param::new(42);
        let mut buffer = KVec::from_elem(0u8, PAGE_SIZE, GFP_KERNEL)?;
        let raw = bindings::kernel_param {
            __bindgen_anon_1: bindings::kernel_param__bindgen_ty_1 {
                arg: param.as_void_ptr(),
            },
            ..pin_init::zeroed()
        };

        // SAFETY: The buffer has a page, and `raw` points to a parameter of this type.
        let len = unsafe { get(buffer.as_mut_ptr().cast(), &raw) };
        assert_eq!(buffer.get(..len as usize), Some(&b"42\n"[..]));

        // SAFETY: As above, and the text ends in a zero byte.
        assert_eq!(unsafe { set(c"43\n".as_char_ptr(), &raw) }, 0);
        assert_eq!(param.load(), 43);
        // SAFETY: As above.
        assert_ne!(unsafe { set(core::ptr::null(), &raw) }, 0);
        Ok(())
    }
}
