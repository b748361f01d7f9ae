// SPDX-License-Identifier: GPL-2.0

//! Trace events that are defined in Rust.
//!
//! [`trace_event!`] defines an event of a system, as `TRACE_EVENT()` does in C. It appears under
//! `events/<system>/<event>/` in tracefs with `format`, `enable`, `filter`, `trigger` and so on, in
//! the `trace` file when it is enabled, and is there for perf, trace-cmd and BPF programs that
//! attach to trace events. This holds for code that is built in and for modules: the events of a
//! module come and go with it.
//!
//! # What it costs
//!
//! An event that nobody wants is one instruction that does nothing, patched to be a jump when the
//! event is enabled (a static branch), and what follows is out of line. The values are not computed
//! before. Without `CONFIG_EVENT_TRACING` nothing of it is there.
//!
//! # How it works
//!
//! The macro makes a `struct tracepoint`, a `struct trace_event_class` and a
//! `struct trace_event_call`, and puts a pointer to the latter where the kernel looks for events
//! (the section `_ftrace_events`). A record is put together on the stack of whoever calls
//! `trace()`, and then each probe of the tracepoint copies it to a ring buffer or to perf. All
//! functions that do it are part of the kernel crate, and the same for all events.
//!
//! The tracepoint is not listed among those of C (`__tracepoints_ptrs`): who attaches there, such
//! as raw tracepoints of BPF, expects arguments and not a record.
//!
//! # Examples
//!
//! ```
//! use kernel::trace_event;
//!
//! const STATES: &trace_event::Symbols = &[(0, "off"), (1, "on")];
//!
//! trace_event! {
//!     /// A lamp was switched.
//!     pub struct LampSwitched<'a>("rust_doctest", "lamp_switched") {
//!         /// Which one.
//!         id: i32,
//!         state: u32,
//!         room: &'a CStr,
//!     }
//!     print("lamp=%d state=0x%x %s room=%s", id, state, state as STATES, room)
//! }
//!
//! fn switch(id: i32, state: u32) {
//!     // Called only if somebody wants to know.
//!     LampSwitched::trace(|| LampSwitched {
//!         id,
//!         state,
//!         room: c"kitchen",
//!     });
//! }
//!
//! switch(7, 1);
//! assert!(!LampSwitched::is_enabled());
//! # Ok::<(), Error>(())
//! ```
//!
//! When the event is enabled, this is in the `trace` file:
//!
//! ```text
//! ...: lamp_switched: lamp=7 state=0x1 on room=kitchen
//! ```
//!
//! C header: [`include/linux/trace_events.h`](srctree/include/linux/trace_events.h)

#[cfg(CONFIG_EVENT_TRACING)]
mod event;
#[cfg(CONFIG_EVENT_TRACING)]
mod format;
#[cfg(CONFIG_EVENT_TRACING)]
mod record;
#[cfg(CONFIG_EVENT_TRACING)]
mod spec;
#[cfg(CONFIG_RUST_TRACE_EVENT_KUNIT_TEST)]
mod tests;

#[cfg(CONFIG_EVENT_TRACING)]
#[doc(hidden)]
pub use {
    event::{
        Entry,
        Event, //
    },
    format::{
        print_fmt_len,
        PrintFmt, //
    },
    record::Record,
    spec::{
        Arg,
        FieldInfo,
        Spec, //
    },
};

#[cfg(CONFIG_EVENT_TRACING)]
pub use record::Field;

/// Names of values, for [`trace_event!`]: each value with its name.
pub type Symbols = [(u64, &'static str)];

/// Defines a trace event.
///
/// The event is a struct. Its fields are those of the event, and have one of the types that
/// implement [`Field`]; the struct may have one lifetime, for strings. In parentheses follow the
/// system and the name of the event. `print` says how a record is printed: by a format as in C,
/// with the conversions `%d`, `%i`, `%u`, `%x`, `%X`, `%o` (with flags and a width, with `l` or `z`
/// for `usize` and `isize`, with `ll` for `u64` and `i64`) and `%s`, and by fields. `field as
/// TABLE` stands for the name that the value of the field has in `TABLE`, of type `&'static`
/// [`Symbols`]; a value that is not in the table is printed as a number. What does not fit together
/// does not compile.
///
/// The struct gets two functions:
///
/// - `trace(make)`, which calls `make` if somebody wants the event, and records what it returns.
///   May be called in any context in which `make` may.
/// - `is_enabled()`, which says whether somebody wants the event, for what would cost too much.
///
/// No two events of a system may have the same name.
///
/// See [the module](crate::trace_event) for an example.
///
/// [`Symbols`]: crate::trace_event::Symbols
#[cfg_attr(CONFIG_EVENT_TRACING, doc = "\n[`Field`]: crate::trace_event::Field")]
#[cfg_attr(not(CONFIG_EVENT_TRACING), doc = "\n[`Field`]: crate::trace_event")]
#[macro_export]
macro_rules! trace_event {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident $(<$lt:lifetime>)? ($system:literal, $event:literal) {
            $( $(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty ),* $(,)?
        }
        print($format:literal $(, $arg:ident $(as $symbols:path)?)* $(,)?)
    ) => {
        $(#[$meta])*
        #[cfg_attr(not(CONFIG_EVENT_TRACING), allow(dead_code))]
        $vis struct $name $(<$lt>)? {
            $( $(#[$field_meta])* $field_vis $field: $type, )*
        }

        #[cfg(CONFIG_EVENT_TRACING)]
        impl $(<$lt>)? $name $(<$lt>)? {
            #[doc(hidden)]
            const __FIELDS: &'static [$crate::trace_event::FieldInfo] = &[$(
                $crate::trace_event::FieldInfo::new::<$type>($crate::c_str!(stringify!($field))),
            )*];
        }

        #[cfg(CONFIG_EVENT_TRACING)]
        const _: () = {
            const SPEC: &$crate::trace_event::Spec = &$crate::trace_event::Spec::new(
                $crate::c_str!($system),
                $crate::c_str!($event),
                $name::__FIELDS,
                $format,
                &[ $( $crate::trace_event::Arg::new($name::__FIELDS, stringify!($arg))
                    $( .symbols($symbols) )?, )* ],
            );
            static PRINT_FMT: $crate::trace_event::PrintFmt<
                { $crate::trace_event::print_fmt_len(SPEC) },
            > = $crate::trace_event::PrintFmt::new(SPEC);
            static EVENT: $crate::trace_event::Event =
                $crate::trace_event::Event::new(&EVENT, SPEC, &PRINT_FMT);
            // The kernel expects pointers to events in this section, and this is one: that of an
            // event which nothing else can name, so that it is there once.
            #[link_section = "_ftrace_events"]
            #[used]
            static ENTRY: $crate::trace_event::Entry = $crate::trace_event::Entry::new(&EVENT);

            impl $(<$lt>)? $name $(<$lt>)? {
                /// Returns whether somebody wants the event.
                #[allow(dead_code)]
                #[inline(always)]
                $vis fn is_enabled() -> bool {
                    #[cfg(CONFIG_JUMP_LABEL)]
                    // SAFETY: An `Event` begins with its tracepoint, which has a static key.
                    let is_enabled = unsafe {
                        $crate::jump_label::arch_static_branch! {
                            EVENT, $crate::bindings::tracepoint, key, false
                        }
                    };
                    #[cfg(not(CONFIG_JUMP_LABEL))]
                    let is_enabled = EVENT.is_enabled();
                    is_enabled
                }

                /// Records what `make` returns, if somebody wants the event.
                #[allow(dead_code)]
                #[inline(always)]
                $vis fn trace(make: impl FnOnce() -> Self) {
                    #[cold]
                    #[inline(never)]
                    fn record $(<$lt>)? (make: impl FnOnce() -> $name $(<$lt>)?) {
                        let event = make();
                        let mut record = EVENT.record();
                        $( $crate::trace_event::Field::push(&event.$field, &mut record); )*
                        EVENT.emit(&record);
                    }

                    if Self::is_enabled() {
                        record(make);
                    }
                }
            }
        };

        #[cfg(not(CONFIG_EVENT_TRACING))]
        const _: () = {
            $( $( let _ = $symbols; )? )*

            impl $(<$lt>)? $name $(<$lt>)? {
                /// Returns whether somebody wants the event: nobody, in a kernel without events.
                #[allow(dead_code)]
                #[inline(always)]
                $vis fn is_enabled() -> bool {
                    false
                }

                /// Does nothing in a kernel without events.
                #[allow(dead_code)]
                #[inline(always)]
                $vis fn trace(make: impl FnOnce() -> Self) {
                    let _ = make;
                }
            }
        };
    };
}
