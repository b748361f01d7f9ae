// SPDX-License-Identifier: GPL-2.0

//! Trace events, under `events/binder/` in tracefs.
//!
//! Tools that look at Binder know the events of the C driver by their names and fields, so those
//! are the same here: numbers have the same size and sign, also where another one would suit the
//! driver better. The formats by which events are printed are C's, too, except that
//! `binder_txn_latency_free` prints code and flags as what they are, and that user space can print
//! the names of commands and returns, which it gets from the format.
//!
//! An event that nobody wants costs one instruction.

mod buffers;
mod calls;
mod objects;
mod pages;
mod transactions;

pub(crate) use buffers::*;
pub(crate) use calls::*;
pub(crate) use objects::*;
pub(crate) use pages::*;
pub(crate) use transactions::*;
