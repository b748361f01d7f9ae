// SPDX-License-Identifier: GPL-2.0

//! Tests of trace events.

use super::{
    event::Event,
    format::{
        self,
        print_fmt_len,
        PrintFmt,
        Seq, //
    },
    record::{
        Field,
        Record,
        MAX_STRING, //
    },
    spec::{
        Arg,
        FieldInfo,
        Spec,
        HEADER, //
    },
    Symbols, //
};
use crate::{
    bindings,
    error::to_result,
    ffi::c_void,
    prelude::*, //
};
use core::ptr;

const COLOURS: &Symbols = &[(1, "red"), (0xdead_beef, "blue")];

crate::trace_event! {
    /// An event that is made by the macro.
    struct Number("rust_kunit", "rust_kunit_number") {
        number: i8,
    }
    print("number=%d 0x%x", number, number)
}

crate::trace_event! {
    /// One that borrows, and prints nothing.
    struct Borrowed<'a>("rust_kunit", "rust_kunit_borrowed") {
        text: &'a CStr,
    }
    print("")
}

const FIELDS: &[FieldInfo] = &[
    FieldInfo::new::<u8>(c"small"),
    FieldInfo::new::<u32>(c"colour"),
    FieldInfo::new::<i32>(c"signed"),
    FieldInfo::new::<u64>(c"large"),
    FieldInfo::new::<usize>(c"address"),
    FieldInfo::new::<&CStr>(c"text"),
    FieldInfo::new::<bool>(c"yes"),
    FieldInfo::new::<[u8; 16]>(c"comm"),
    FieldInfo::new::<&CStr>(c"more"),
];

const SAMPLE: &Spec = &Spec::new(
    c"rust_kunit",
    c"rust_kunit_sample",
    FIELDS,
    "small=%u %s signed=%d|%5d large=0x%016llx %llu at=%zu yes=%d comm=%s 100%% %s/%s",
    &[
        Arg::new(FIELDS, "small"),
        Arg::new(FIELDS, "colour").symbols(COLOURS),
        Arg::new(FIELDS, "signed"),
        Arg::new(FIELDS, "signed"),
        Arg::new(FIELDS, "large"),
        Arg::new(FIELDS, "large"),
        Arg::new(FIELDS, "address"),
        Arg::new(FIELDS, "yes"),
        Arg::new(FIELDS, "comm"),
        Arg::new(FIELDS, "text"),
        Arg::new(FIELDS, "more"),
    ],
);

const SHORT: &Spec = &Spec::new(
    c"rust_kunit",
    c"rust_kunit_short",
    FIELDS,
    "%s large=0x%llx text=%s",
    &[
        Arg::new(FIELDS, "colour").symbols(COLOURS),
        Arg::new(FIELDS, "large"),
        Arg::new(FIELDS, "text"),
    ],
);

/// An event of which only the test knows.
static EVENT: Event = Event::new(&EVENT, SAMPLE, &PRINT_FMT);
static PRINT_FMT: PrintFmt<{ print_fmt_len(SAMPLE) }> = PrintFmt::new(SAMPLE);

/// What a probe of the test was called with.
struct Caught {
    bytes: KVec<u8>,
    spec: Option<&'static Spec>,
}

/// Keeps what a probe gets.
///
/// # Safety
///
/// `data` must point to a [`Caught`] that nobody else uses, and `record` to a [`Record`].
unsafe extern "C" fn catch(data: *mut c_void, record: *const c_void) {
    // SAFETY: This is what the probe was registered with, and called with.
    let (caught, record) = unsafe { (&mut *data.cast::<Caught>(), &*record.cast::<Record<'_>>()) };
    let len = record.len().unwrap_or(0);
    if len <= caught.bytes.len() {
        caught.bytes.truncate(len);
        caught.spec = Some(record.spec());
        // SAFETY: The bytes have that length.
        unsafe { record.copy_to(caught.bytes.as_mut_ptr()) };
    }
}

/// Returns what a probe of `EVENT` gets of one with these strings.
fn caught(text: &CStr, more: &CStr) -> Result<Caught> {
    let mut caught = KBox::new(
        Caught {
            bytes: KVec::from_elem(0xff, 4096, GFP_KERNEL)?,
            spec: None,
        },
        GFP_KERNEL,
    )?;
    let data = ptr::from_mut(&mut *caught).cast();
    let probe = catch as unsafe extern "C" fn(*mut c_void, *const c_void) as *mut c_void;
    let tracepoint = EVENT.tracepoint();
    // SAFETY: The tracepoint is in a static; the probe is one of events, and its data lives until
    // after it was removed and nobody runs it any more.
    unsafe {
        to_result(bindings::tracepoint_probe_register(tracepoint, probe, data))?;
        assert!(EVENT.is_enabled());
        emit(text, more);
        to_result(bindings::tracepoint_probe_unregister(
            tracepoint, probe, data,
        ))?;
        bindings::synchronize_srcu(&raw mut bindings::tracepoint_srcu);
    }
    assert!(!EVENT.is_enabled());
    Ok(KBox::into_inner(caught))
}

fn emit(text: &CStr, more: &CStr) {
    let mut record = EVENT.record();
    200u8.push(&mut record);
    0xdead_beef_u32.push(&mut record);
    (-7i32).push(&mut record);
    (u64::MAX - 1).push(&mut record);
    4096usize.push(&mut record);
    text.push(&mut record);
    true.push(&mut record);
    b"sixteen letters\0".push(&mut record);
    more.push(&mut record);
    EVENT.emit(&record);
}

/// Returns what a record is printed as.
fn printed(spec: &Spec, record: &[u8]) -> Result<KVec<u8>> {
    let mut seq: KBox<bindings::trace_seq> = KBox::init(pin_init::init_zeroed(), GFP_KERNEL)?;
    let buffer = seq.buffer.as_mut_ptr();
    // What `trace_seq_init` does.
    seq.seq.buffer = buffer.cast();
    seq.seq.size = seq.buffer.len();
    format::print(spec, record, &mut Seq::new(&mut seq));
    let mut text = KVec::new();
    for byte in &seq.buffer[..seq.seq.len] {
        text.push(*byte, GFP_KERNEL)?;
    }
    Ok(text)
}

/// Switches an event on or off in the way that tracefs does.
fn switch(event: &CStr, on: bool) -> Result {
    // SAFETY: The strings are C strings.
    to_result(unsafe {
        bindings::trace_set_clr_event(c"rust_kunit".as_char_ptr(), event.as_char_ptr(), on.into())
    })
}

#[macros::kunit_tests(rust_kernel_trace_event)]
mod cases {
    use super::*;

    #[test]
    fn fields_are_laid_out_as_in_c() {
        let mut end = HEADER;
        let offsets = [8, 12, 16, 24, 32, 40, 44, 45, 64];
        for (i, offset) in offsets.into_iter().enumerate() {
            let (field, at) = SAMPLE.field(i).unwrap();
            assert_eq!(at, offset);
            assert!(at >= end);
            end = at + field.kind.size();
        }
        assert_eq!(SAMPLE.size, 68);
        assert!(SAMPLE.field(offsets.len()).is_none());
        assert_eq!(<[u8; 16]>::C_TYPE, c"char[16]");
        assert_eq!(<[u8; 7]>::C_TYPE, c"char[7]");
        assert_eq!(<[u8; 100]>::C_TYPE, c"char[100]");
    }

    #[test]
    fn the_format_is_a_piece_of_c() {
        const PRINTED: &[u8] = b"\"%s large=0x%llx text=%s\", __print_symbolic(REC->colour, \
            { 0x1, \"red\" }, { 0xdeadbeef, \"blue\" }), REC->large, __get_str(text)\0";
        static PRINT_FMT: PrintFmt<{ print_fmt_len(SHORT) }> = PrintFmt::new(SHORT);
        assert_eq!(print_fmt_len(SHORT), PRINTED.len());
        // SAFETY: The line ends in a zero byte, and nobody changes it.
        let line = unsafe { CStr::from_char_ptr(PRINT_FMT.as_ptr()) };
        assert_eq!(line.to_bytes_with_nul(), PRINTED);
    }

    #[test]
    fn a_disabled_event_computes_nothing() {
        let mut calls = 0;
        Number::trace(|| {
            calls += 1;
            Number { number: 1 }
        });
        assert_eq!(calls, 0);
        assert!(!Number::is_enabled());
    }

    #[test]
    fn an_enabled_event_is_recorded_until_it_is_disabled() -> Result {
        let mut calls = 0;
        let mut count = || {
            calls += 1;
            Number { number: -1 }
        };
        switch(c"rust_kunit_number", true)?;
        assert!(Number::is_enabled());
        assert!(!Borrowed::is_enabled());
        Number::trace(&mut count);
        switch(c"rust_kunit_number", false)?;
        assert!(!Number::is_enabled());
        Number::trace(&mut count);
        assert_eq!(calls, 1);
        Ok(())
    }

    #[test]
    fn a_record_has_all_fields_and_is_printed() -> Result {
        let caught = caught(c"some", c"other")?;
        let spec = caught.spec.ok_or(EINVAL)?;
        assert_eq!(caught.bytes.len(), spec.size + 5 + 6);
        assert_eq!(caught.bytes[..HEADER], [0xff; HEADER]);
        assert_eq!(caught.bytes[8], 200);
        assert_eq!(caught.bytes[9..12], [0; 3]);
        assert_eq!(caught.bytes[12..16], 0xdead_beef_u32.to_ne_bytes());
        assert_eq!(caught.bytes[16..20], (-7i32).to_ne_bytes());
        assert_eq!(caught.bytes[45..61], *b"sixteen letters\0");
        assert_eq!(caught.bytes[68..], *b"some\0other\0");
        let text = printed(spec, &caught.bytes)?;
        let expected: &[u8] = b"small=200 blue signed=-7|   -7 large=0xfffffffffffffffe \
            18446744073709551614 at=4096 yes=1 comm=sixteen letters 100% some/other";
        assert_eq!(&*text, expected);
        Ok(())
    }

    #[test]
    fn small_numbers_are_extended() -> Result {
        const FIELDS: &[FieldInfo] = &[FieldInfo::new::<i8>(c"number")];
        const ARGS: &[Arg] = &[Arg::new(FIELDS, "number"), Arg::new(FIELDS, "number")];
        const SPEC: &Spec = &Spec::new(c"rust_kunit", c"none", FIELDS, "%d 0x%x", ARGS);
        let mut record = [0u8; HEADER + 1];
        record[HEADER] = 0xfe;
        assert_eq!(&*printed(SPEC, &record)?, b"-2 0xfffffffe");
        Ok(())
    }

    #[test]
    fn strings_that_are_borrowed_are_recorded() -> Result {
        let text = crate::str::CString::try_from_fmt(fmt!("{}", 42))?;
        switch(c"rust_kunit_borrowed", true)?;
        Borrowed::trace(|| Borrowed { text: &text });
        switch(c"rust_kunit_borrowed", false)
    }

    #[test]
    fn a_record_that_is_cut_off_prints_as_zeroes() -> Result {
        let mut bytes = [0xffu8; 72];
        assert_eq!(&*printed(SHORT, &bytes[..10])?, b"0x0 large=0x0 text=");
        // The string is said to be where there is nothing.
        bytes[12..16].copy_from_slice(&1u32.to_ne_bytes());
        assert_eq!(
            &*printed(SHORT, &bytes)?,
            b"red large=0xffffffffffffffff text="
        );
        Ok(())
    }

    #[test]
    fn long_strings_are_cut() -> Result {
        let long = KVec::from_elem(b'x', 5000, GFP_KERNEL)?;
        let long = crate::str::CString::try_from_fmt(fmt!("{}", core::str::from_utf8(&long)?))?;
        let caught = caught(&long, c"end")?;
        assert_eq!(caught.bytes.len(), 68 + MAX_STRING + 1 + 4);
        assert_eq!(caught.bytes[caught.bytes.len() - 5..], *b"\0end\0");
        Ok(())
    }

    #[test]
    fn values_of_another_kind_spoil_a_record() {
        const FIELDS: &[FieldInfo] = &[FieldInfo::new::<u32>(c"a"), FieldInfo::new::<u32>(c"b")];
        const SPEC: &Spec = &Spec::new(c"rust_kunit", c"none", FIELDS, "", &[]);
        let mut record = Record::new(SPEC);
        1u32.push(&mut record);
        assert!(record.len().is_none());
        2u32.push(&mut record);
        assert_eq!(record.len(), Some(16));
        3u32.push(&mut record);
        assert!(record.len().is_none());
        let mut record = Record::new(SPEC);
        1i32.push(&mut record);
        2u32.push(&mut record);
        assert!(record.len().is_none());
        let mut record = Record::new(SPEC);
        c"text".push(&mut record);
        2u32.push(&mut record);
        assert!(record.len().is_none());
    }
}
