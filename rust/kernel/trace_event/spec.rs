// SPDX-License-Identifier: GPL-2.0

//! What an event is made of, known when it is compiled.

use super::{
    format,
    record::Field,
    Symbols, //
};
use crate::{
    bindings,
    ffi::c_int,
    str::CStr, //
};

/// What the kernel puts before the fields of each record.
pub(super) const HEADER: usize = size_of::<bindings::trace_entry>();

/// How many bytes the header and the fields of an event can have, strings apart.
pub(super) const MAX_FIXED: usize = 256;

/// How many strings an event can have.
pub(super) const MAX_STRINGS: usize = 4;

/// What a field holds.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number of that many bytes.
    Integer { size: usize, signed: bool },
    /// A number that is as large as an address.
    Long { signed: bool },
    /// So many characters, the last of which are zero bytes if there are fewer.
    Chars(usize),
    /// A string of any length, which stands behind all fields; the field says where.
    String,
}

impl Kind {
    /// How many bytes the field itself takes.
    pub(super) const fn size(self) -> usize {
        match self {
            Kind::Integer { size, .. } => size,
            Kind::Long { .. } => size_of::<usize>(),
            Kind::Chars(len) => len,
            Kind::String => size_of::<u32>(),
        }
    }

    /// What its offset is a multiple of, as in a C struct.
    const fn align(self) -> usize {
        match self {
            Kind::Integer { size: 8, .. } => align_of::<u64>(),
            Kind::Chars(_) => 1,
            kind => kind.size(),
        }
    }

    /// Where the field is if the one before it ends at `end`.
    pub(super) const fn offset_after(self, end: usize) -> usize {
        end.next_multiple_of(self.align())
    }

    pub(super) const fn is_signed(self) -> bool {
        matches!(
            self,
            Kind::Integer { signed: true, .. } | Kind::Long { signed: true }
        )
    }

    /// How filters compare the field.
    pub(super) const fn filter_type(self) -> c_int {
        match self {
            Kind::Chars(_) => bindings::FILTER_STATIC_STRING as c_int,
            Kind::String => bindings::FILTER_DYN_STRING as c_int,
            _ => bindings::FILTER_OTHER as c_int,
        }
    }
}

/// A field of an event.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct FieldInfo {
    pub(super) name: &'static CStr,
    pub(super) c_type: &'static CStr,
    pub(super) kind: Kind,
}

impl FieldInfo {
    /// A field of type `T`.
    pub const fn new<T: Field>(name: &'static CStr) -> Self {
        FieldInfo {
            name,
            c_type: T::C_TYPE,
            kind: T::KIND,
        }
    }
}

/// What one conversion of the format prints.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Arg {
    pub(super) field: usize,
    pub(super) symbols: Option<&'static Symbols>,
}

impl Arg {
    /// The value of the field of `fields` that is called `name`.
    pub const fn new(fields: &[FieldInfo], name: &str) -> Self {
        let mut field = 0;
        while field < fields.len() {
            if equal(fields[field].name.to_bytes(), name.as_bytes()) {
                return Arg {
                    field,
                    symbols: None,
                };
            }
            field += 1;
        }
        panic!("what is to be printed is not a field of the event");
    }

    /// The name of the value instead.
    pub const fn symbols(self, symbols: &'static Symbols) -> Self {
        Arg {
            field: self.field,
            symbols: Some(symbols),
        }
    }
}

const fn equal(some: &[u8], other: &[u8]) -> bool {
    if some.len() != other.len() {
        return false;
    }
    let mut i = 0;
    while i < some.len() {
        if some[i] != other[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// What an event is made of.
///
/// # Invariants
///
/// - `size` is the size of the header and the fields, and at most `MAX_FIXED`.
/// - At most `MAX_STRINGS` of the fields are strings.
/// - `format` is a format for `args`, as [`format::check`] defines it.
#[doc(hidden)]
pub struct Spec {
    pub(super) system: &'static CStr,
    pub(super) name: &'static CStr,
    pub(super) fields: &'static [FieldInfo],
    pub(super) size: usize,
    pub(super) format: &'static str,
    pub(super) args: &'static [Arg],
}

impl Spec {
    /// Checks all that can be wrong with an event; what is wrong does not compile.
    pub const fn new(
        system: &'static CStr,
        name: &'static CStr,
        fields: &'static [FieldInfo],
        format: &'static str,
        args: &'static [Arg],
    ) -> Self {
        let mut size = HEADER;
        let mut strings = 0;
        let mut i = 0;
        while i < fields.len() {
            let kind = fields[i].kind;
            size = kind.offset_after(size) + kind.size();
            if matches!(kind, Kind::String) {
                strings += 1;
            }
            i += 1;
        }
        assert!(size <= MAX_FIXED, "the fields of the event are too large");
        assert!(strings <= MAX_STRINGS, "the event has too many strings");
        format::check(format, args, fields);
        // INVARIANT: All of it has just been checked.
        Spec {
            system,
            name,
            fields,
            size,
            format,
            args,
        }
    }

    /// Returns the field with that index, and where it is in a record.
    pub(super) fn field(&self, index: usize) -> Option<(&FieldInfo, usize)> {
        let mut end = HEADER;
        for (i, field) in self.fields.iter().enumerate() {
            let at = field.kind.offset_after(end);
            if i == index {
                return Some((field, at));
            }
            end = at + field.kind.size();
        }
        None
    }
}
