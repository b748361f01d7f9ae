// SPDX-License-Identifier: GPL-2.0

//! Whether another module is there.

use crate::str::CStr;
#[cfg(CONFIG_SYSFS)]
use crate::{
    bindings,
    str::CStrExt as _, //
};

/// Tells whether there is a module of that name, which is whether `/sys/module/NAME` exists: it
/// is loaded, is being loaded or unloaded, or is built in and has parameters or a version.
///
/// The answer may be out of date at once, so it is of use for messages: when a name is taken, to
/// say who may have it. Unlike `get_fs_type()` it never asks for a module to be loaded, so that a
/// module can use it while it is being loaded itself. Without sysfs the answer is always no.
///
/// May sleep, and takes a spin lock.
///
/// C: `kset_find_obj()` of `module_kset`
///
/// # Examples
///
/// ```
/// use kernel::module;
///
/// // Parameters of the core, such as `panic`, are shown as those of a module.
/// assert_eq!(module::is_present(c"kernel"), cfg!(CONFIG_SYSFS));
/// assert!(!module::is_present(c"no such module"));
/// ```
// Not inlined into modules, because the set of modules is not exported to them.
#[inline(never)]
pub fn is_present(name: &CStr) -> bool {
    #[cfg(CONFIG_SYSFS)]
    {
        // SAFETY: The variable is written once, while the kernel boots.
        let modules = unsafe { bindings::module_kset };
        if modules.is_null() {
            return false;
        }
        // SAFETY: The set is there for good once it is, and `name` is a string that ends in a zero
        // byte.
        let found = unsafe { bindings::kset_find_obj(modules, name.as_char_ptr()) };
        // SAFETY: `kset_find_obj` gives a reference of ours or null, and both may be put.
        unsafe { bindings::kobject_put(found) };
        !found.is_null()
    }
    #[cfg(not(CONFIG_SYSFS))]
    {
        let _ = name;
        false
    }
}
