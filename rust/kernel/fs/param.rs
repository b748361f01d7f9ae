// SPDX-License-Identifier: GPL-2.0

//! Mount parameters of file systems.
//!
//! C headers: [`include/linux/fs_parser.h`](srctree/include/linux/fs_parser.h) and
//! [`include/linux/fs_context.h`](srctree/include/linux/fs_context.h)
//!
//! A file system lists its parameters as a table of [`Param`]: name, type of the value, and the
//! function that stores the value in the file system's options. The VFS takes the mount data to
//! pieces, its parser checks each value against the type, and only then the function is called.
//!
//! # Examples
//!
//! ```
//! use kernel::{
//!     fs::param::{
//!         MountLog,
//!         Param, //
//!     },
//!     prelude::*, //
//! };
//!
//! #[derive(Default)]
//! struct Options {
//!     max: Option<u32>,
//!     verbose: bool,
//! }
//!
//! fn set_max(options: &mut Options, max: u32, log: &MountLog<'_>) -> Result {
//!     if max > 4096 {
//!         return Err(log.invalid(fmt!("max must not be larger than 4096")));
//!     }
//!     options.max = Some(max);
//!     Ok(())
//! }
//!
//! const PARAMS: &[Param<Options>] = &[
//!     Param::u32(c"max", set_max),
//!     Param::choice(c"log", &[c"brief", c"verbose"], |options, index, _| {
//!         options.verbose = index == 1;
//!         Ok(())
//!     }),
//! ];
//! # assert_eq!(PARAMS.len(), 2);
//! ```

use crate::{
    bindings,
    error::to_result,
    fmt,
    prelude::*, //
};
use core::marker::PhantomData;

/// Stores the value of a parameter, of type `V`, in the options of a mount.
///
/// It may refuse the value with an error; [`MountLog::invalid`] also tells the user why.
pub type Setter<O, V> = fn(&mut O, V, &MountLog<'_>) -> Result;

/// A mount parameter of a file system whose options are an `O`.
pub struct Param<O> {
    name: &'static CStr,
    kind: Kind<O>,
}

enum Kind<O> {
    U32(Setter<O, u32>),
    Octal(Setter<O, u32>),
    Choice(&'static [&'static CStr], Setter<O, usize>),
    Text(fn(&mut O, &CStr, &MountLog<'_>) -> Result),
}

impl<O> Param<O> {
    /// An unsigned number, in decimal, or in octal or hexadecimal with their prefixes: `name=12`.
    pub const fn u32(name: &'static CStr, set: Setter<O, u32>) -> Self {
        let kind = Kind::U32(set);
        Self { name, kind }
    }

    /// An unsigned number in octal, such as a file mode: `name=755`.
    pub const fn octal(name: &'static CStr, set: Setter<O, u32>) -> Self {
        let kind = Kind::Octal(set);
        Self { name, kind }
    }

    /// One of several words, `name=word`; the setter gets the position of the word in `words`.
    pub const fn choice(
        name: &'static CStr,
        words: &'static [&'static CStr],
        set: Setter<O, usize>,
    ) -> Self {
        let kind = Kind::Choice(words, set);
        Self { name, kind }
    }

    /// Any text that is not empty: `name=text`.
    pub const fn text(
        name: &'static CStr,
        set: fn(&mut O, &CStr, &MountLog<'_>) -> Result,
    ) -> Self {
        let kind = Kind::Text(set);
        Self { name, kind }
    }

    fn to_spec(&self, index: u8, words: *const bindings::constant_table) -> Spec {
        let (type_, data): (bindings::fs_param_type, *const c_void) = match self.kind {
            Kind::U32(_) => (Some(bindings::fs_param_is_u32), core::ptr::null()),
            // The parser takes the base of the number from the pointer.
            Kind::Octal(_) => (
                Some(bindings::fs_param_is_u32),
                core::ptr::without_provenance(8),
            ),
            Kind::Choice(..) => (Some(bindings::fs_param_is_enum), words.cast()),
            Kind::Text(_) => (Some(bindings::fs_param_is_string), core::ptr::null()),
        };

        bindings::fs_parameter_spec {
            name: self.name.as_char_ptr(),
            type_,
            opt: index,
            data,
            ..pin_init::zeroed()
        }
    }
}

type Spec = bindings::fs_parameter_spec;

/// The parameters of a file system in the form that the C parser wants.
///
/// # Invariants
///
/// * `specs` has one entry for each of `params`, in the same order, with its position as `opt`, and
///   after them an empty one.
/// * The word table that an entry points to is in `words` and ends with an empty entry.
pub struct ParamTable<O: 'static> {
    params: &'static [Param<O>],
    specs: KVec<Spec>,
    words: KVec<KVec<bindings::constant_table>>,
}

// SAFETY: The pointers lead to static strings and to tables that the value owns and nobody changes.
unsafe impl<O> Send for ParamTable<O> {}
// SAFETY: As above, there is only shared read access.
unsafe impl<O> Sync for ParamTable<O> {}

impl<O: 'static> ParamTable<O> {
    /// Converts a list of parameters. May sleep; `E2BIG` if there are more than 255.
    pub fn new(params: &'static [Param<O>]) -> Result<Self> {
        // INVARIANT: The loop appends an entry for each parameter, whose words stay where they are
        // when `words` grows because each table is an allocation of its own.
        let mut table = Self {
            params,
            specs: KVec::with_capacity(params.len() + 1, GFP_KERNEL)?,
            words: KVec::new(),
        };

        for (index, param) in params.iter().enumerate() {
            let words = match param.kind {
                Kind::Choice(words, _) => table.add_words(words)?,
                _ => core::ptr::null(),
            };
            let index = u8::try_from(index).map_err(|_| E2BIG)?;
            table.specs.push(param.to_spec(index, words), GFP_KERNEL)?;
        }
        table.specs.push(pin_init::zeroed(), GFP_KERNEL)?;
        Ok(table)
    }

    fn add_words(&mut self, words: &[&'static CStr]) -> Result<*const bindings::constant_table> {
        let mut table = KVec::with_capacity(words.len() + 1, GFP_KERNEL)?;

        for (index, word) in words.iter().enumerate() {
            let entry = bindings::constant_table {
                name: word.as_char_ptr(),
                value: index.try_into()?,
            };
            table.push(entry, GFP_KERNEL)?;
        }
        table.push(pin_init::zeroed(), GFP_KERNEL)?;

        let first = table.as_ptr();
        self.words.push(table, GFP_KERNEL)?;
        Ok(first)
    }

    /// Returns the table for `struct file_system_type`; it lives as long as `self`.
    pub fn as_raw(&self) -> *const bindings::fs_parameter_spec {
        self.specs.as_ptr()
    }

    /// Parses one parameter of a mount and stores it in `options`.
    ///
    /// The error is that of the C function `__fs_parse` or of the setter. `ENOPARAM` (which the VFS
    /// turns into a message for the user) means that there is no such parameter.
    ///
    /// # Safety
    ///
    /// `log` and `param` must be valid, and `param` must be a parameter that the VFS has filled in.
    pub unsafe fn parse(
        &self,
        options: &mut O,
        log: *mut bindings::p_log,
        param: *mut bindings::fs_parameter,
    ) -> Result {
        let mut result: bindings::fs_parse_result = pin_init::zeroed();

        // SAFETY: By the type invariants the table is well-formed; the caller vouches for the
        // others.
        let index = unsafe { bindings::__fs_parse(log, self.as_raw(), param, &mut result) };
        to_result(index)?;
        let found = self.params.get(index as usize).ok_or(EINVAL)?;

        // SAFETY: The caller guarantees that `log` is valid, and it stays so during the call.
        let log = unsafe { MountLog::from_raw(log) };
        // SAFETY: All fields of the union are integers and it was zeroed, so any is initialised.
        let number = unsafe { result.__bindgen_anon_1.uint_32 };

        match found.kind {
            Kind::U32(set) | Kind::Octal(set) => set(options, number, &log),
            Kind::Choice(_, set) => set(options, number as usize, &log),
            Kind::Text(set) => {
                // SAFETY: The parser accepts only strings for this kind, and those are
                // NUL-terminated.
                let text = unsafe { CStr::from_char_ptr((*param).__bindgen_anon_1.string) };
                set(options, text, &log)
            }
        }
    }
}

/// The log of a mount call, where the user finds out why it failed.
///
/// Who mounts with `fsopen(2)` reads the messages from its descriptor, else they go to the kernel
/// log.
///
/// # Invariants
///
/// The pointer is valid for `'a`.
pub struct MountLog<'a> {
    log: *mut bindings::p_log,
    _lifetime: PhantomData<&'a bindings::p_log>,
}

impl MountLog<'_> {
    /// Wraps the log of a file system context.
    ///
    /// # Safety
    ///
    /// `log` must be valid as long as the returned value exists.
    pub unsafe fn from_raw(log: *mut bindings::p_log) -> Self {
        // INVARIANT: The caller's guarantee.
        Self {
            log,
            _lifetime: PhantomData,
        }
    }

    /// Logs why a value is refused, and returns the error for it, `EINVAL`.
    ///
    /// This is `invalfc` in C.
    pub fn invalid(&self, message: fmt::Arguments<'_>) -> Error {
        self.write(&message);
        EINVAL
    }

    #[inline(never)]
    fn write(&self, message: &fmt::Arguments<'_>) {
        // SAFETY: By the type invariants the pointer is valid, and a log that it refers to is too.
        // Passing a pointer to `Arguments` is right for `%pA`.
        unsafe {
            bindings::logfc(
                (*self.log).log,
                (*self.log).prefix,
                b'e' as c_char,
                c"%pA".as_char_ptr(),
                core::ptr::from_ref(message).cast::<c_void>(),
            );
        }
    }
}

#[cfg(CONFIG_RUST_FS_PARAM_KUNIT_TEST)]
mod tests;
