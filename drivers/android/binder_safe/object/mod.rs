// SPDX-License-Identifier: GPL-2.0

//! What lives: contexts, processes, threads, nodes and transactions.
//!
//! # Locks
//!
//! | Lock | Protects | Taken within |
//! |---|---|---|
//! | `Instance::processes` (mutex) | the processes of a mount | nothing |
//! | `Registry::lists` (mutex) | what the logs show | nothing |
//! | `Context::manager` | who answers at handle 0 | nothing |
//! | `Process::refs` | the handles of a process, and what was asked for by them | nothing |
//! | `Process::queue` | work, threads, nodes, subscriptions, their states | `refs`, `manager` |
//! | `Area::space` | which bytes of an area are in use | nothing |
//!
//! All but the first two are spin locks. Two pairs are held together: `refs` of a process that has
//! a reference and `queue` of the process that owns the node, so that the counts of a node are
//! always the sum of its references; and `manager` of a context and `queue` of the process that
//! becomes it, so that its node is not forgotten meanwhile. Nobody holds `refs` of two processes,
//! nor `queue` of two.
//! Inside `queue` is the wait queue of `Process::drained` alone. `entry` has two mutexes that are
//! about devices, `Slots::count` and `Minors::taken`, within the locks of the file system and
//! around nothing, and one about log files, `ProcessFiles::opens`, around the locks of the file
//! system; the locks of a page area are in the kernel crate, and no lock of the driver is held
//! around them.
//!
//! Under a spin lock one only records what is to be done. Threads and pollers are woken, objects
//! are dropped, user memory is copied and memory is allocated after it was released. What must be
//! queued without fail has a place promised (`pure::todo`); a table that is full is grown by its
//! user, between two attempts.
//!
//! Without a lock:
//!
//! - `Thread::own` belongs to the thread itself (`ExclusiveCell`),
//! - `Thread::gift` is filled under `queue`, and emptied by the thread when it wakes up,
//! - `Transaction::outcome` is written once, by whoever decides the call,
//! - `Node::strong_refs` and `Node::pins` are counts of which the last one to go takes the owner's
//!   `queue`; `NodePin` says why one of them always notices,
//! - `Process::is_frozen` changes under `queue`, and `outstanding` goes up under it and down
//!   without: who freezes and who has dealt with the last transaction change their own word first
//!   and look at the other's then,
//! - `Process::is_dead` is a hint for those who can fail early; what counts is the same in `queue`
//!   and in `refs`.

mod accepted;
pub(crate) mod contents;
pub(crate) mod context;
pub(crate) mod error;
pub(crate) mod gift;
pub(crate) mod instance;
pub(crate) mod node;
pub(crate) mod nodes;
pub(crate) mod own;
pub(crate) mod post;
pub(crate) mod process;
pub(crate) mod queue;
pub(crate) mod refs;
pub(crate) mod registry;
pub(crate) mod shared;
pub(crate) mod snapshot;
pub(crate) mod subscription;
pub(crate) mod subscriptions;
pub(crate) mod thread;
pub(crate) mod transaction;
pub(crate) mod work;
