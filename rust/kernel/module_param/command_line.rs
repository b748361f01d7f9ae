// SPDX-License-Identifier: GPL-2.0

//! Parameters of loadable modules on the command line of the kernel.

use super::{
    ModuleParam,
    ModuleParamAccess, //
};
use crate::{
    bindings,
    prelude::*,
    str::{
        BStr,
        CStrExt as _, //
    },
};

/// A parameter that the command line of the kernel may have; for use by the `module!` macro.
#[doc(hidden)]
pub trait CommandLineParam: Sync {
    /// Whether the module was loaded with a value of it.
    fn is_given(&self) -> bool;

    /// Takes the value that the command line has.
    fn take(&self, value: &BStr) -> Result;
}

impl<T: ModuleParam + Sync> CommandLineParam for ModuleParamAccess<T> {
    fn is_given(&self) -> bool {
        self.value.as_ref().is_some()
    }

    fn take(&self, value: &BStr) -> Result {
        let value = T::try_from_param_arg(value)?;
        self.value.populate(value).then_some(()).ok_or(EEXIST)
    }
}

/// Gives each parameter the value that the command line of the kernel has for its name; for use by
/// the `module!` macro.
///
/// Parameters that the module was loaded with stay as they are. A value that makes no sense is told
/// and left out, as the kernel does with parameters of drivers that are built in.
// Not inlined into modules, because the command line is not exported to them.
#[doc(hidden)]
#[inline(never)]
pub fn take_from_command_line(params: &[(&CStr, &dyn CommandLineParam)]) {
    // SAFETY: The kernel writes the pointer and the string that it points to once, long before
    // there are modules, and never frees the string.
    let line = unsafe { CStr::from_char_ptr(bindings::saved_command_line) };

    for &(name, param) in params {
        if param.is_given() {
            continue;
        }
        if let Err(err) = with_last_value(line, name, |value| param.take(value)) {
            let err = err.to_errno();
            pr_err!("the command line has a value of {name} that cannot be: error {err}\n");
        }
    }
}

/// Calls `take` with the last value of the parameter `name` in `line`, if there is any.
fn with_last_value(line: &CStr, name: &CStr, take: impl FnOnce(&BStr) -> Result) -> Result {
    // The C function puts zero bytes between the words.
    let mut words = KVec::new();
    words.extend_from_slice(line.to_bytes_with_nul(), GFP_KERNEL)?;
    let mut rest: *mut c_char = words.as_mut_ptr().cast();
    let mut last: *const c_char = core::ptr::null();

    // SAFETY: `rest` points into `words`, at most to its last byte, which is the zero byte.
    while unsafe { *rest } != 0 {
        let mut param = core::ptr::null_mut();
        let mut value = core::ptr::null_mut();
        // SAFETY: `rest` points to a string that ends in a zero byte, in memory of our own. What
        // comes back, for the next round too, points into the same string.
        rest = unsafe { bindings::next_arg(rest, &mut param, &mut value) };
        // SAFETY: `param` is set, and is a string that ends in a zero byte.
        if value.is_null() && unsafe { CStr::from_char_ptr(param) } == c"--" {
            // The rest is for the first program.
            break;
        }
        // SAFETY: Both are strings that end in a zero byte.
        if !value.is_null() && unsafe { bindings::parameq(param, name.as_char_ptr()) } {
            last = value;
        }
    }
    if last.is_null() {
        return Ok(());
    }
    // SAFETY: It is a string in `words`, which is there until the function returns, and nobody
    // writes to it any more.
    let value = unsafe { CStr::from_char_ptr(last) };
    take(value.as_ref())
}

#[cfg(CONFIG_RUST_MODULE_PARAM_KUNIT_TEST)]
#[macros::kunit_tests(rust_module_param_command_line)]
mod tests {
    use super::*;

    fn last_value(line: &CStr, name: &CStr) -> Result<Option<KVec<u8>>> {
        let mut found = None;
        with_last_value(line, name, |value| {
            let mut copy = KVec::new();
            copy.extend_from_slice(value, GFP_KERNEL)?;
            found = Some(copy);
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn the_last_of_several_counts() -> Result {
        let line = c"  quiet a.names=one b.names=x a.names=two  ";
        assert_eq!(last_value(line, c"a.names")?.as_deref(), Some(&b"two"[..]));
        assert_eq!(last_value(line, c"a.name")?, None);
        assert_eq!(last_value(c"", c"a.names")?, None);
        Ok(())
    }

    #[test]
    fn quotes_and_dashes_are_as_everywhere() -> Result {
        let line = c"some-module.names=\"one, two\" some_module.flag names=three";
        let value = last_value(line, c"some_module.names")?;
        assert_eq!(value.as_deref(), Some(&b"one, two"[..]));
        assert_eq!(last_value(line, c"some_module.flag")?, None);
        Ok(())
    }

    #[test]
    fn what_is_for_the_first_program_does_not_count() -> Result {
        let line = c"a.names=one -- a.names=two";
        assert_eq!(last_value(line, c"a.names")?.as_deref(), Some(&b"one"[..]));
        Ok(())
    }

    #[test]
    fn a_value_is_taken_once() -> Result {
        let param = ModuleParamAccess::new(1u32);
        let taken = &param as &dyn CommandLineParam;
        assert!(!taken.is_given());
        assert!(taken.take(BStr::from_bytes(b"many")).is_err());
        assert!(!taken.is_given());
        taken.take(BStr::from_bytes(b"2"))?;
        assert!(taken.is_given());
        assert_eq!(param.value(), 2);
        assert_eq!(taken.take(BStr::from_bytes(b"3")).err(), Some(EEXIST));
        Ok(())
    }
}
