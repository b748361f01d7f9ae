// SPDX-License-Identifier: GPL-2.0

//! Module parameters that are strings.

use super::ModuleParam;
use crate::{
    prelude::*,
    str::BStr, //
};

/// The value of a module parameter that is a string, of at most [`Self::MAX_LEN`] bytes.
///
/// In C the type of such a parameter is `charp`. Here the value is a part of the parameter, since
/// it may be set at boot, before memory can be allocated.
///
/// # Invariants
///
/// `len` is at most [`Self::MAX_LEN`].
///
/// # Examples
///
/// A parameter of this type has a string as its default:
///
/// ```ignore
/// module! {
///     type: MyModule,
///     name: "my_module",
///     license: "GPL",
///     params: {
///         devices: StringParam {
///             default: "first,second",
///             description: "Names of the devices, separated by commas",
///         },
///     },
/// }
///
/// for name in module_parameters::devices.value_ref().split(b',') {
///     pr_info!("device {}\n", BStr::from_bytes(name));
/// }
/// ```
#[derive(Clone, Copy)]
pub struct StringParam {
    bytes: [u8; Self::MAX_LEN],
    len: usize,
}

impl StringParam {
    /// How many bytes a value can have.
    pub const MAX_LEN: usize = 255;

    /// Makes the default of a parameter; for use by the `module!` macro.
    ///
    /// # Panics
    ///
    /// If the value is too long, which stops the build where this is used for a static.
    #[doc(hidden)]
    pub const fn new(value: &str) -> Self {
        match Self::from_bytes(value.as_bytes()) {
            Some(param) => param,
            None => panic!("the default of the parameter is too long"),
        }
    }

    /// Copies a value unless it is too long.
    const fn from_bytes(value: &[u8]) -> Option<Self> {
        if value.len() > Self::MAX_LEN {
            return None;
        }
        let mut bytes = [0; Self::MAX_LEN];
        let mut i = 0;
        while i < value.len() {
            bytes[i] = value[i];
            i += 1;
        }
        // INVARIANT: The length was compared above.
        Some(Self {
            bytes,
            len: value.len(),
        })
    }
}

impl core::ops::Deref for StringParam {
    type Target = [u8];

    /// The bytes of the value, which whoever set it chose, without a zero byte at the end.
    fn deref(&self) -> &[u8] {
        // By the type invariants all of the value is there.
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }
}

impl ModuleParam for StringParam {
    /// Takes the argument as it is.
    ///
    /// # Errors
    ///
    /// [`ENOSPC`] if it is too long, which the kernel reports with the name of the parameter.
    fn try_from_param_arg(arg: &BStr) -> Result<Self> {
        Self::from_bytes(arg).ok_or(ENOSPC)
    }
}

#[cfg(CONFIG_RUST_MODULE_PARAM_KUNIT_TEST)]
#[macros::kunit_tests(rust_module_param_string)]
mod tests {
    use super::*;

    fn parse(arg: &[u8]) -> Result<StringParam> {
        StringParam::try_from_param_arg(BStr::from_bytes(arg))
    }

    #[test]
    fn the_argument_is_taken_as_it_is() -> Result {
        assert_eq!(&parse(b"a,b c\xff")?[..], b"a,b c\xff");
        assert!(parse(b"")?.is_empty());
        Ok(())
    }

    #[test]
    fn the_longest_argument_fits() -> Result {
        let longest = [b'x'; StringParam::MAX_LEN];
        assert_eq!(&parse(&longest)?[..], &longest[..]);
        Ok(())
    }

    #[test]
    fn a_longer_argument_is_an_error() {
        let longer = [b'x'; StringParam::MAX_LEN + 1];
        assert_eq!(parse(&longer).err(), Some(ENOSPC));
    }

    #[test]
    fn the_default_is_a_constant() {
        static DEFAULT: StringParam = StringParam::new("binder");
        assert_eq!(&DEFAULT[..], b"binder");
    }
}
