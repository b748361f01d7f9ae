// SPDX-License-Identifier: GPL-2.0

//! The format by which records are printed.
//!
//! User space gets it as the `print fmt` line of the event's `format` file, a piece of C; the
//! kernel prints records by it in the `trace` file. Both come from one format string, which is
//! checked against the fields when the event is compiled.

use super::{
    spec::{
        Arg,
        FieldInfo,
        Kind,
        Spec, //
    },
    Symbols, //
};
use crate::{
    bindings,
    ffi::{
        c_int,
        c_long,
        c_longlong, //
    }, //
};
use core::cell::UnsafeCell;

/// How long one conversion can be.
const MAX_CONVERSION: usize = 15;

/// How large the number is that a conversion prints.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    Int,
    Long,
    LongLong,
}

/// A piece of a format; the numbers are where it starts and ends.
enum Piece {
    /// To be printed as it is.
    Text(usize, usize),
    /// `%%`.
    Percent,
    /// `%s`.
    String(usize),
    /// A number.
    Number(usize, usize, Length),
    /// The format is over.
    End,
}

impl Piece {
    /// Returns where the next piece starts.
    const fn end(&self, start: usize) -> usize {
        match *self {
            Piece::Text(_, end) | Piece::String(end) | Piece::Number(_, end, _) => end,
            Piece::Percent => start + 2,
            Piece::End => start,
        }
    }
}

/// Returns the piece of `format` that starts at `start`.
const fn piece(format: &[u8], start: usize) -> Piece {
    let mut at = start;
    while at < format.len() && format[at] != b'%' {
        at += 1;
    }
    if at > start {
        return Piece::Text(start, at);
    }
    if at == format.len() {
        return Piece::End;
    }
    at += 1;
    if at < format.len() && format[at] == b'%' {
        return Piece::Percent;
    }
    if at < format.len() && format[at] == b's' {
        return Piece::String(at + 1);
    }
    while at < format.len() && matches!(format[at], b'0'..=b'9' | b'#' | b'-' | b'+' | b' ') {
        at += 1;
    }
    let mut length = Length::Int;
    while at < format.len() && matches!(format[at], b'l' | b'z') {
        length = match (format[at], length) {
            (b'l', Length::Int) | (b'z', Length::Int) => Length::Long,
            (b'l', Length::Long) => Length::LongLong,
            _ => panic!("the format has a length that is not l, ll or z"),
        };
        at += 1;
    }
    assert!(
        at < format.len() && matches!(format[at], b'd' | b'i' | b'u' | b'x' | b'X' | b'o'),
        "the format has a conversion that is not d, i, u, x, X, o or %s"
    );
    assert!(
        at - start < MAX_CONVERSION,
        "the format has a conversion that is too long"
    );
    Piece::Number(start, at + 1, length)
}

/// Checks that `format` has one conversion that fits for each of `args`, and no characters that a C
/// string would need a backslash for.
pub(super) const fn check(format: &str, args: &[Arg], fields: &[FieldInfo]) {
    let format = format.as_bytes();
    let mut i = 0;
    while i < format.len() {
        let is_plain = format[i] >= b' ' && format[i] != b'"' && format[i] != b'\\';
        assert!(is_plain, "the format has a quote, backslash or line end");
        i += 1;
    }
    let mut at = 0;
    let mut nr = 0;
    loop {
        let piece = piece(format, at);
        at = piece.end(at);
        let fits = match piece {
            Piece::End => break,
            Piece::Text(..) | Piece::Percent => continue,
            _ if nr == args.len() => panic!("the format prints more than there are arguments"),
            Piece::String(_) => {
                let kind = fields[args[nr].field].kind;
                let is_text = matches!(kind, Kind::Chars(_) | Kind::String);
                args[nr].symbols.is_some() != is_text
            }
            Piece::Number(_, _, length) => {
                let kind = fields[args[nr].field].kind;
                let fits = match length {
                    Length::Int => matches!(kind, Kind::Integer { size: ..=4, .. }),
                    Length::Long => matches!(kind, Kind::Long { .. }),
                    Length::LongLong => matches!(kind, Kind::Integer { size: 8, .. }),
                };
                fits && args[nr].symbols.is_none()
            }
        };
        assert!(
            fits,
            "the format has a conversion of another type than its field"
        );
        nr += 1;
    }
    assert!(
        nr == args.len(),
        "the format prints less than there are arguments"
    );
}

/// Collects bytes, as far as there is room, and counts them.
struct Output<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl Output<'_> {
    const fn byte(&mut self, byte: u8) {
        if self.len < self.bytes.len() {
            self.bytes[self.len] = byte;
        }
        self.len += 1;
    }

    const fn text(&mut self, text: &[u8]) {
        let mut i = 0;
        while i < text.len() {
            self.byte(text[i]);
            i += 1;
        }
    }

    const fn hex(&mut self, number: u64) {
        self.text(b"0x");
        let mut shift = 60;
        while shift > 0 && number >> shift == 0 {
            shift -= 4;
        }
        loop {
            self.byte(b"0123456789abcdef"[(number >> shift & 15) as usize]);
            if shift == 0 {
                break;
            }
            shift -= 4;
        }
    }
}

/// Writes the `print fmt` line as a C string.
const fn write_print_fmt(spec: &Spec, out: &mut Output<'_>) {
    out.byte(b'"');
    out.text(spec.format.as_bytes());
    out.byte(b'"');
    let mut i = 0;
    while i < spec.args.len() {
        let arg = spec.args[i];
        let field = &spec.fields[arg.field];
        let name = field.name.to_bytes();
        match arg.symbols {
            Some(symbols) => {
                out.text(b", __print_symbolic(REC->");
                out.text(name);
                let mut i = 0;
                while i < symbols.len() {
                    out.text(b", { ");
                    out.hex(symbols[i].0);
                    out.text(b", \"");
                    out.text(symbols[i].1.as_bytes());
                    out.text(b"\" }");
                    i += 1;
                }
                out.byte(b')');
            }
            None if matches!(field.kind, Kind::String) => {
                out.text(b", __get_str(");
                out.text(name);
                out.byte(b')');
            }
            None => {
                out.text(b", REC->");
                out.text(name);
            }
        }
        i += 1;
    }
    out.byte(0);
}

/// The `print fmt` line of an event, as long as [`print_fmt_len`] says.
#[doc(hidden)]
#[repr(transparent)]
pub struct PrintFmt<const N: usize>(UnsafeCell<[u8; N]>);

// SAFETY: Only the C side accesses the bytes, under locks of its own.
unsafe impl<const N: usize> Sync for PrintFmt<N> {}

/// Returns how long the `print fmt` line of an event is.
#[doc(hidden)]
pub const fn print_fmt_len(spec: &Spec) -> usize {
    let mut out = Output {
        bytes: &mut [],
        len: 0,
    };
    write_print_fmt(spec, &mut out);
    out.len
}

impl<const N: usize> PrintFmt<N> {
    /// Makes the line of an event.
    pub const fn new(spec: &Spec) -> Self {
        let mut bytes = [0; N];
        let mut out = Output {
            bytes: &mut bytes,
            len: 0,
        };
        write_print_fmt(spec, &mut out);
        assert!(out.len == N);
        PrintFmt(UnsafeCell::new(bytes))
    }

    /// Returns the line as a C string.
    pub(super) const fn as_ptr(&self) -> *mut crate::ffi::c_char {
        self.0.get().cast()
    }
}

/// A `struct trace_seq` to print to.
pub(super) struct Seq<'a>(&'a mut bindings::trace_seq);

impl<'a> Seq<'a> {
    /// Prints to `seq`, which is initialised.
    pub(super) fn new(seq: &'a mut bindings::trace_seq) -> Self {
        Seq(seq)
    }

    pub(super) fn text(&mut self, text: &[u8]) {
        // The C side takes no more than a few kilobytes.
        let len = text.len() as crate::ffi::c_uint;
        // SAFETY: `text` is valid for so many bytes.
        unsafe { bindings::trace_seq_putmem(self.0, text.as_ptr().cast(), len) };
    }

    /// Prints a number by a conversion of that length.
    fn number(&mut self, conversion: &[u8], length: Length, value: i64) {
        let mut format = [0u8; MAX_CONVERSION + 1];
        let len = conversion.len().min(MAX_CONVERSION);
        format[..len].copy_from_slice(&conversion[..len]);
        let format = format.as_ptr().cast();
        // SAFETY: The format is a C string that has one conversion, for a number of the type that
        // is passed: it is a piece that `piece` found to be of this length.
        unsafe {
            match length {
                Length::Int => bindings::trace_seq_printf(self.0, format, value as c_int),
                Length::Long => bindings::trace_seq_printf(self.0, format, value as c_long),
                Length::LongLong => bindings::trace_seq_printf(self.0, format, value as c_longlong),
            }
        }
    }
}

/// Prints `record`, one of `spec`.
pub(super) fn print(spec: &Spec, record: &[u8], out: &mut Seq<'_>) {
    let format = spec.format.as_bytes();
    let mut args = spec.args.iter();
    let mut at = 0;
    loop {
        let piece = piece(format, at);
        at = piece.end(at);
        match piece {
            Piece::End => return,
            Piece::Text(start, end) => out.text(&format[start..end]),
            Piece::Percent => out.text(b"%"),
            Piece::String(_) => {
                let Some(arg) = args.next() else { return };
                match arg.symbols {
                    Some(symbols) => symbol(symbols, number(spec, record, arg.field), out),
                    None => out.text(string(spec, record, arg.field)),
                }
            }
            Piece::Number(start, end, length) => {
                let Some(arg) = args.next() else { return };
                let value = number(spec, record, arg.field);
                out.number(&format[start..end], length, value);
            }
        }
    }
}

/// Prints the name of `value`.
fn symbol(symbols: &Symbols, value: i64, out: &mut Seq<'_>) {
    match symbols.iter().find(|symbol| symbol.0 == value as u64) {
        Some(symbol) => out.text(symbol.1.as_bytes()),
        None => out.number(b"0x%llx", Length::LongLong, value),
    }
}

/// Returns the number in a field of a record, or 0 if it has no such field.
fn number(spec: &Spec, record: &[u8], index: usize) -> i64 {
    let Some((field, at)) = spec.field(index) else {
        return 0;
    };
    let size = field.kind.size();
    let mut bytes = [0u8; size_of::<i64>()];
    let Some(value) = record.get(at..at + size).filter(|v| v.len() <= bytes.len()) else {
        return 0;
    };
    bytes[..size].copy_from_slice(value);
    #[cfg(target_endian = "big")]
    bytes.rotate_right(size_of::<i64>() - size);
    let value = i64::from_ne_bytes(bytes);
    if field.kind.is_signed() {
        let unused = 64 - 8 * size as u32;
        value << unused >> unused
    } else {
        value
    }
}

/// Returns the string in a field of a record, or an empty one if it has no such field.
fn string<'a>(spec: &Spec, record: &'a [u8], index: usize) -> &'a [u8] {
    let bytes = match spec.field(index) {
        Some((field, at)) if matches!(field.kind, Kind::Chars(_)) => {
            record.get(at..at + field.kind.size())
        }
        _ => {
            let location = number(spec, record, index) as u32;
            let start = (location & 0xffff) as usize;
            record.get(start..start + (location >> 16) as usize)
        }
    };
    let bytes = bytes.unwrap_or_default();
    let end = bytes.iter().position(|byte| *byte == 0);
    &bytes[..end.unwrap_or(bytes.len())]
}
