// SPDX-License-Identifier: GPL-2.0

//! Putting a record together.

use super::spec::{
    Kind,
    Spec,
    HEADER,
    MAX_FIXED,
    MAX_STRINGS, //
};
use crate::str::CStr;

/// How many bytes of a string are recorded.
pub(super) const MAX_STRING: usize = 1023;

mod private {
    pub trait Sealed {}
}

/// A type that a field of a trace event can have.
///
/// These are the integers, `bool`, arrays of bytes for short strings (what does not fill the array
/// ends in a zero byte), and `&CStr` for strings of any length, of which the first 1023 bytes are
/// recorded.
pub trait Field: private::Sealed {
    /// What the field holds.
    #[doc(hidden)]
    const KIND: Kind;

    /// Its type, as `format` shows it.
    #[doc(hidden)]
    const C_TYPE: &'static CStr;

    /// Adds the value to `record`.
    #[doc(hidden)]
    fn push<'a>(&'a self, record: &mut Record<'a>);
}

macro_rules! integers {
    ($($type:ty, $c_type:literal, $kind:expr;)*) => {$(
        impl private::Sealed for $type {}

        impl Field for $type {
            const KIND: Kind = $kind;
            const C_TYPE: &'static CStr = $c_type;

            #[inline]
            fn push<'a>(&'a self, record: &mut Record<'a>) {
                record.push(Self::KIND, &self.to_ne_bytes());
            }
        }
    )*};
}

integers! {
    u8, c"u8", Kind::Integer { size: 1, signed: false };
    i8, c"s8", Kind::Integer { size: 1, signed: true };
    u16, c"u16", Kind::Integer { size: 2, signed: false };
    i16, c"s16", Kind::Integer { size: 2, signed: true };
    u32, c"unsigned int", Kind::Integer { size: 4, signed: false };
    i32, c"int", Kind::Integer { size: 4, signed: true };
    u64, c"u64", Kind::Integer { size: 8, signed: false };
    i64, c"s64", Kind::Integer { size: 8, signed: true };
    usize, c"unsigned long", Kind::Long { signed: false };
    isize, c"long", Kind::Long { signed: true };
}

impl private::Sealed for bool {}

impl Field for bool {
    const KIND: Kind = Kind::Integer {
        size: 1,
        signed: false,
    };
    const C_TYPE: &'static CStr = c"bool";

    #[inline]
    fn push<'a>(&'a self, record: &mut Record<'a>) {
        record.push(Self::KIND, &[u8::from(*self)]);
    }
}

impl<const N: usize> private::Sealed for [u8; N] {}

impl<const N: usize> Field for [u8; N] {
    const KIND: Kind = Kind::Chars(N);
    const C_TYPE: &'static CStr = match CStr::from_bytes_until_nul(&CharArray::<N>::NAME) {
        Ok(c_type) => c_type,
        Err(_) => panic!("the array is too large"),
    };

    #[inline]
    fn push<'a>(&'a self, record: &mut Record<'a>) {
        record.push(Self::KIND, self);
    }
}

/// An array of so many characters.
struct CharArray<const N: usize>;

impl<const N: usize> CharArray<N> {
    /// The name of the C type, and zero bytes.
    const NAME: [u8; 16] = char_array(N);
}

const fn char_array(len: usize) -> [u8; 16] {
    assert!(0 < len && len < 1000, "the array has no useful size");
    let mut name = *b"char[\0\0\0\0\0\0\0\0\0\0\0";
    let mut at = 5;
    let mut unit = 100;
    while unit > 0 {
        if len >= unit {
            name[at] = b'0' + (len / unit % 10) as u8;
            at += 1;
        }
        unit /= 10;
    }
    name[at] = b']';
    name
}

impl private::Sealed for &CStr {}

impl Field for &CStr {
    const KIND: Kind = Kind::String;
    const C_TYPE: &'static CStr = c"__data_loc char[]";

    #[inline]
    fn push<'a>(&'a self, record: &mut Record<'a>) {
        record.push_string(self.to_bytes());
    }
}

/// The bytes before the strings, aligned as numbers need it.
#[repr(align(8))]
struct Fixed([u8; MAX_FIXED]);

/// A record that is being put together.
///
/// # Invariants
///
/// - If `next` is at most the number of fields, then each field before it has the value, of its
///   kind, that was pushed for it. If it is more, the record is of no use.
/// - `end` is where the last of these fields ends, and at most `MAX_FIXED`.
/// - `len` is `spec.size` and the strings with a zero byte each. Strings are not longer than
///   `MAX_STRING`.
#[doc(hidden)]
pub struct Record<'a> {
    spec: &'static Spec,
    fixed: Fixed,
    strings: [&'a [u8]; MAX_STRINGS],
    nr_strings: usize,
    next: usize,
    end: usize,
    len: usize,
}

impl<'a> Record<'a> {
    /// A record to which nothing was pushed yet.
    pub(super) fn new(spec: &'static Spec) -> Self {
        // INVARIANT: There are no fields yet.
        Record {
            spec,
            fixed: Fixed([0; MAX_FIXED]),
            strings: [&[]; MAX_STRINGS],
            nr_strings: 0,
            next: 0,
            end: HEADER,
            len: spec.size,
        }
    }

    /// Sets the next field, which has to be of this kind.
    fn push(&mut self, kind: Kind, value: &[u8]) {
        let at = kind.offset_after(self.end);
        let is_next = self.spec.fields.get(self.next).map(|field| field.kind) == Some(kind);
        let place = self.fixed.0.get_mut(at..at + kind.size());
        match place {
            Some(place) if is_next && place.len() == value.len() => {
                place.copy_from_slice(value);
                // INVARIANT: The next field has its value.
                self.next += 1;
                self.end = at + kind.size();
            }
            // INVARIANT: There are not that many fields.
            _ => self.next = usize::MAX,
        }
    }

    /// Sets the next field to a string.
    fn push_string(&mut self, text: &'a [u8]) {
        let text = &text[..text.len().min(MAX_STRING)];
        // All are short, so neither half can overflow.
        let location = ((text.len() + 1) << 16 | self.len) as u32;
        match self.strings.get_mut(self.nr_strings) {
            Some(place) => *place = text,
            None => self.next = usize::MAX,
        }
        self.push(Kind::String, &location.to_ne_bytes());
        if self.next != usize::MAX {
            // INVARIANT: The string is one of them.
            self.nr_strings += 1;
            self.len += text.len() + 1;
        }
    }

    /// Returns what the record is one of.
    pub(super) fn spec(&self) -> &'static Spec {
        self.spec
    }

    /// Returns the size of the record if all fields are set.
    pub(super) fn len(&self) -> Option<usize> {
        (self.next == self.spec.fields.len()).then_some(self.len)
    }

    /// Writes all but the header, which is left as it is.
    ///
    /// # Safety
    ///
    /// `entry` is valid for writes of as many bytes as [`len`](Self::len) said.
    pub(super) unsafe fn copy_to(&self, entry: *mut u8) {
        let mut at = HEADER;
        let mut put = |bytes: &[u8]| {
            // SAFETY: By the type invariants, all the pieces together with the header have the size
            // for which the caller promises room. The record is on a stack, and `entry` is not.
            unsafe {
                entry
                    .add(at)
                    .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len())
            };
            at += bytes.len();
        };
        put(&self.fixed.0[HEADER..self.spec.size]);
        for text in &self.strings[..self.nr_strings] {
            put(text);
            put(&[0]);
        }
    }
}
