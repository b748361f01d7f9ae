// SPDX-License-Identifier: GPL-2.0

//! What the C side knows of an event, and what it calls.

use super::{
    format::{
        self,
        PrintFmt,
        Seq, //
    },
    record::Record,
    spec::Spec, //
};
use crate::{
    bindings,
    error::code::*,
    ffi::{
        c_int,
        c_void, //
    },
    str::{
        as_char_ptr_in_const_context,
        CStrExt as _, //
    },
    types::{
        CStatic,
        Opaque, //
    }, //
};
use core::{
    cell::UnsafeCell,
    ptr, //
};
use pin_init::zeroed;

/// An event: its tracepoint, its class, and its description.
///
/// The tracepoint has no static call: its probes, all of one type, are called by [`Event::emit`].
///
/// # Invariants
///
/// - Each probe of the tracepoint is a [`Probe`], and may be called with its data and a record of
///   `spec` for as long as the tracepoint lists it.
/// - `call` is a `struct trace_event_call` of the tracepoint and of `class`.
#[doc(hidden)]
#[repr(C)]
pub struct Event {
    tracepoint: Opaque<bindings::tracepoint>,
    call: Opaque<bindings::trace_event_call>,
    class: Opaque<bindings::trace_event_class>,
    spec: &'static Spec,
}

// SAFETY: The C side accesses its parts under locks of its own; `spec` does not change.
unsafe impl Sync for Event {}

/// A probe of the tracepoint of an event: called with what it was registered with and a [`Record`].
type Probe = unsafe extern "C" fn(data: *mut c_void, record: *const c_void);

/// The functions that print records. The C side completes them, under a lock of its own.
static FUNCTIONS: CStatic<UnsafeCell<bindings::trace_event_functions>> =
    CStatic::new(UnsafeCell::new(bindings::trace_event_functions {
        trace: Some(print),
        raw: None,
        hex: None,
        binary: None,
    }));

/// Says that a function knows the fields.
static FIELDS: CStatic<[bindings::trace_event_fields; 2]> = CStatic::new(fields());

const fn fields() -> [bindings::trace_event_fields; 2] {
    let mut all: [bindings::trace_event_fields; 2] = [zeroed(), zeroed()];
    // The C side's mark for a function, `TRACE_FUNCTION_TYPE`.
    all[0].type_ = ptr::without_provenance(usize::MAX);
    all[0].__bindgen_anon_1.define_fields = Some(define_fields);
    all
}

impl Event {
    /// Makes the event that is in the static `this`, of which only the address is used.
    pub const fn new<const N: usize>(
        this: &'static Event,
        spec: &'static Spec,
        print_fmt: &'static PrintFmt<N>,
    ) -> Self {
        let mut tracepoint: bindings::tracepoint = zeroed();
        tracepoint.name = as_char_ptr_in_const_context(spec.name);

        let mut class: bindings::trace_event_class = zeroed();
        class.system = as_char_ptr_in_const_context(spec.system);
        class.probe = probe as Probe as *mut c_void;
        #[cfg(CONFIG_PERF_EVENTS)]
        {
            class.perf_probe = perf::probe as Probe as *mut c_void;
        }
        class.reg = Some(bindings::trace_event_reg);
        class.fields_array = FIELDS.as_ptr().cast_mut().cast();
        class.raw_init = Some(raw_init);

        let mut call: bindings::trace_event_call = zeroed();
        call.class = this.class.get();
        call.__bindgen_anon_1.tp = this.tracepoint.get();
        call.event.funcs = UnsafeCell::raw_get(FUNCTIONS.as_ptr());
        call.print_fmt = print_fmt.as_ptr();
        call.flags = bindings::TRACE_EVENT_FL_TRACEPOINT as c_int;

        // INVARIANT: There are no probes yet, and only `trace_event_reg` adds some: those of the
        // class.
        Event {
            tracepoint: Opaque::new(tracepoint),
            call: Opaque::new(call),
            class: Opaque::new(class),
            spec,
        }
    }

    /// Returns whether somebody wants the event. Slow; [`trace_event!`](crate::trace_event!) has a
    /// branch for it that is patched.
    pub fn is_enabled(&self) -> bool {
        // SAFETY: The counter of the key is in a static, and changes atomically.
        let count = unsafe {
            let key = &raw const (*self.tracepoint.get()).key.key.enabled.counter;
            key.read_volatile()
        };
        count > 0
    }

    /// Starts a record.
    pub fn record<'a>(&self) -> Record<'a> {
        Record::new(self.spec)
    }

    /// Gives a record to all who want it; one that misses fields goes to nobody.
    ///
    /// Any context.
    pub fn emit(&self, record: &Record<'_>) {
        if !ptr::eq(record.spec(), self.spec) || record.len().is_none() {
            return;
        }
        let record = ptr::from_ref(record).cast::<c_void>();
        // SAFETY: Unlocked below.
        let lock = unsafe { bindings::tracepoint_read_lock() };
        // SAFETY: The field is valid; it changes meanwhile, by `rcu_assign_pointer`.
        let mut func = unsafe { (&raw const (*self.tracepoint.get()).funcs).read_volatile() };
        while !func.is_null() {
            // SAFETY: The lists of tracepoints end in an entry without a function, and stay as
            // long as we hold the lock.
            let (probe, data) =
                unsafe { ((&raw const (*func).func).read_volatile(), (*func).data) };
            if probe.is_null() {
                break;
            }
            // SAFETY: By the type invariants this is a `Probe`, for a record of our `spec`.
            unsafe { core::mem::transmute::<*mut c_void, Probe>(probe)(data, record) };
            // SAFETY: There is another entry, since this was not the last one.
            func = unsafe { func.add(1) };
        }
        // SAFETY: It was locked above.
        unsafe { bindings::tracepoint_read_unlock(lock) };
    }

    /// Returns the event of which `call` is a part.
    ///
    /// # Safety
    ///
    /// `call` is the `call` of an event.
    unsafe fn from_call<'a>(call: *mut bindings::trace_event_call) -> &'a Event {
        let call = Opaque::cast_from(call).cast_mut();
        // SAFETY: Promised by the caller; events are statics.
        unsafe { &*crate::container_of!(call, Event, call) }
    }

    /// Returns the tracepoint.
    #[cfg(CONFIG_RUST_TRACE_EVENT_KUNIT_TEST)]
    pub(super) fn tracepoint(&self) -> *mut bindings::tracepoint {
        self.tracepoint.get()
    }
}

/// An entry of the section in which the kernel, or the module loader, looks for events.
#[doc(hidden)]
#[repr(transparent)]
pub struct Entry(*mut bindings::trace_event_call);

// SAFETY: It does not change.
unsafe impl Sync for Entry {}

impl Entry {
    /// The entry of an event.
    pub const fn new(event: &'static Event) -> Self {
        Entry(event.call.get())
    }
}

/// Makes an event known.
///
/// # Safety
///
/// `call` is the `call` of an event, and nobody else uses it yet.
unsafe extern "C" fn raw_init(call: *mut bindings::trace_event_call) -> c_int {
    // SAFETY: By the caller's promise, `call` and its class are valid and ours.
    let id = unsafe {
        bindings::INIT_LIST_HEAD(&raw mut (*(*call).class).fields);
        bindings::register_trace_event(&raw mut (*call).event)
    };
    // The format needs no test at run time: it was checked against the fields.
    if id == 0 {
        ENODEV.to_errno()
    } else {
        0
    }
}

/// Tells the C side the fields of an event.
///
/// # Safety
///
/// `call` is the `call` of an event, and the caller holds the locks that the list of fields needs.
unsafe extern "C" fn define_fields(call: *mut bindings::trace_event_call) -> c_int {
    // SAFETY: Promised by the caller.
    let spec = unsafe { Event::from_call(call) }.spec;
    for index in 0..spec.fields.len() {
        let Some((field, at)) = spec.field(index) else {
            break;
        };
        // SAFETY: Promised by the caller; the strings are static. What the C side is told of size
        // and place is how records are laid out.
        let ret = unsafe {
            bindings::trace_define_field(
                call,
                field.c_type.as_char_ptr(),
                field.name.as_char_ptr(),
                at as c_int,
                field.kind.size() as c_int,
                field.kind.is_signed().into(),
                field.kind.filter_type(),
            )
        };
        if ret != 0 {
            return ret;
        }
    }
    0
}

/// Prints a record for the `trace` file.
///
/// # Safety
///
/// `iter` is at a record of `event`, which is part of the `call` of an event.
unsafe extern "C" fn print(
    iter: *mut bindings::trace_iterator,
    _flags: c_int,
    event: *mut bindings::trace_event,
) -> bindings::print_line_t {
    // SAFETY: Promised by the caller.
    unsafe {
        let prepared = bindings::print_line_t(bindings::trace_raw_output_prep(iter, event));
        if prepared != bindings::print_line_t::TRACE_TYPE_HANDLED {
            return prepared;
        }
        let call = crate::container_of!(event, bindings::trace_event_call, event);
        let spec = Event::from_call(call).spec;
        let len = usize::try_from((*iter).ent_size).unwrap_or(0);
        // Nobody writes to a record that is being printed.
        let record = core::slice::from_raw_parts((*iter).ent.cast::<u8>(), len);
        let mut seq = Seq::new(&mut (*iter).seq);
        format::print(spec, record, &mut seq);
        seq.text(b"\n");
        bindings::trace_handle_return(&raw mut (*iter).seq)
    }
}

/// Puts a record into the ring buffer of a `struct trace_event_file`, which is `data`.
///
/// # Safety
///
/// `data` is a file of the event of which `record` is a [`Record`].
unsafe extern "C" fn probe(data: *mut c_void, record: *const c_void) {
    let file = data.cast::<bindings::trace_event_file>();
    // SAFETY: Promised by the caller.
    let record = unsafe { &*record.cast::<Record<'_>>() };
    let Some(len) = record.len() else { return };
    let mut buffer = bindings::trace_event_buffer::default();
    // SAFETY: The file is valid. What was reserved has room for the record and is committed, with
    // preemption disabled as the C side needs it.
    unsafe {
        bindings::preempt_disable_notrace();
        if !bindings::trace_trigger_soft_disabled(file) {
            let entry = bindings::trace_event_buffer_reserve(&raw mut buffer, file, len);
            if !entry.is_null() {
                record.copy_to(entry.cast());
                bindings::trace_event_buffer_commit(&raw mut buffer);
            }
        }
        bindings::preempt_enable_notrace();
    }
}

#[cfg(CONFIG_PERF_EVENTS)]
mod perf {
    use super::*;

    /// The size that perf puts before each record, which is to end at a multiple of eight bytes.
    const SIZE: usize = size_of::<u32>();

    /// Gives a record to those who opened the event, of which `data` is the `call`, with perf, or
    /// who attached a BPF program.
    ///
    /// # Safety
    ///
    /// `data` is the `call` of the event of which `record` is a [`Record`], and perf has a use of
    /// it.
    pub(super) unsafe extern "C" fn probe(data: *mut c_void, record: *const c_void) {
        let call = data.cast::<bindings::trace_event_call>();
        // SAFETY: Promised by the caller.
        let record = unsafe { &*record.cast::<Record<'_>>() };
        // SAFETY: Promised by the caller; with preemption disabled the list is that of this CPU.
        unsafe {
            bindings::preempt_disable_notrace();
            let head = bindings::trace_event_call_perf_head(call);
            if !head.is_null() {
                submit(call, record, head);
            }
            bindings::preempt_enable_notrace();
        }
    }

    /// Submits a record to the events in the list `head`.
    ///
    /// # Safety
    ///
    /// As for [`probe`]. `head` is the list of this CPU, and preemption is disabled.
    unsafe fn submit(
        call: *mut bindings::trace_event_call,
        record: &Record<'_>,
        head: *mut bindings::hlist_head,
    ) {
        let Some(len) = record.len() else { return };
        let size = (len + SIZE).next_multiple_of(size_of::<u64>()) - SIZE;
        let mut regs = ptr::null_mut();
        let mut context = 0;
        // SAFETY: The buffer has room for the record, and is given back by submitting it. Its last
        // eight bytes, all of the padding that is, were zeroed.
        unsafe {
            let entry =
                bindings::perf_trace_buf_alloc(size as c_int, &raw mut regs, &raw mut context);
            if entry.is_null() {
                return;
            }
            bindings::perf_fetch_caller_regs(regs);
            record.copy_to(entry.cast());
            bindings::perf_trace_run_bpf_submit(
                entry,
                size as c_int,
                context,
                call,
                1,
                regs,
                head,
                ptr::null_mut(),
            );
        }
    }
}
