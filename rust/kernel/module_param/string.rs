// SPDX-License-Identifier: GPL-2.0

//! Module parameters that are strings.

use super::{
    set_param,
    ModuleParam,
    ModuleParamAccess, //
};
use crate::{
    bindings,
    error::from_result,
    page::PAGE_SIZE,
    prelude::*,
    str::BStr, //
};

/// The value of a module parameter that is a string, of at most [`Self::MAX_LEN`] bytes.
///
/// In C this is `module_param(name, charp, 0444)`. Here the value is a part of the parameter, since
/// it may be set at boot, before memory can be allocated. Everybody can read it in
/// `/sys/module/NAME/parameters/`; it changes no more once the module is loaded.
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
    /// How many bytes a value can have; C allows twice as many.
    pub const MAX_LEN: usize = 512;

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

impl StringParam {
    /// Puts the value and a newline at the start of `text`, and gives how many bytes that are.
    fn print(&self, text: &mut [u8]) -> Result<usize> {
        let end = self.len();
        text.get_mut(..end).ok_or(ENOSPC)?.copy_from_slice(self);
        *text.get_mut(end).ok_or(ENOSPC)? = b'\n';
        Ok(end + 1)
    }
}

/// Prints the parameter, see `struct kernel_param_ops`.
///
/// # Safety
///
/// `buffer` must be valid for writes of `PAGE_SIZE` bytes that have been written before, and
/// `param` a parameter that the `module!` macro made with [`PARAM_OPS_STRING`], both for the
/// duration of the call; nobody else may use the buffer meanwhile.
unsafe extern "C" fn get(buffer: *mut c_char, param: *const bindings::kernel_param) -> c_int {
    // SAFETY: By the safety requirements, and the macro makes `arg` a pointer to a static of this
    // type, which is only ever shared.
    let access = unsafe {
        &*(*param)
            .__bindgen_anon_1
            .arg
            .cast::<ModuleParamAccess<StringParam>>()
    };
    // SAFETY: By the safety requirements.
    let text = unsafe { core::slice::from_raw_parts_mut(buffer.cast::<u8>(), PAGE_SIZE) };

    from_result(|| Ok(access.value_ref().print(text)? as c_int))
}

/// The operations of a [`StringParam`].
///
/// A constant, of which each parameter has a copy: whether a static of a C type can be shared is
/// for the kernel's configuration to say.
#[doc(hidden)]
pub const PARAM_OPS_STRING: bindings::kernel_param_ops = bindings::kernel_param_ops {
    flags: 0,
    set: Some(set_param::<StringParam>),
    get: Some(get),
    free: None,
};

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

    #[test]
    fn the_file_shows_the_value() -> Result {
        let access = ModuleParamAccess::new(StringParam::new("a,b"));
        let mut buffer = KVec::from_elem(0u8, PAGE_SIZE, GFP_KERNEL)?;
        let raw = bindings::kernel_param {
            __bindgen_anon_1: bindings::kernel_param__bindgen_ty_1 {
                arg: access.as_void_ptr(),
            },
            ..pin_init::zeroed()
        };

        // SAFETY: The buffer has a page, and `raw` points to a parameter of this type.
        let len = unsafe { get(buffer.as_mut_ptr().cast(), &raw) };
        assert_eq!(buffer.get(..len as usize), Some(&b"a,b\n"[..]));

        // SAFETY: As above, and the text ends in a zero byte.
        let result = unsafe { set_param::<StringParam>(c"".as_char_ptr(), &raw) };
        assert_eq!(result, 0);
        // SAFETY: As above.
        let len = unsafe { get(buffer.as_mut_ptr().cast(), &raw) };
        assert_eq!(buffer.get(..len as usize), Some(&b"\n"[..]));
        Ok(())
    }

    #[test]
    fn the_longest_value_has_room_for_its_newline() -> Result {
        let param = parse(&[b'x'; StringParam::MAX_LEN])?;
        let mut text = [0; StringParam::MAX_LEN + 1];
        assert_eq!(param.print(&mut text)?, text.len());
        assert_eq!(text.last(), Some(&b'\n'));
        assert_eq!(param.print(&mut text[1..]).err(), Some(ENOSPC));
        Ok(())
    }
}
