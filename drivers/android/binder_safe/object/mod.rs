// SPDX-License-Identifier: GPL-2.0

//! What lives: contexts, processes, threads, nodes and transactions.
//!
//! # Locks
//!
//! | Lock | Protects | Taken within |
//! |---|---|---|
//! | `Context::processes` | the processes of a context | nothing |
//! | `Context::manager` | who answers at handle 0 | nothing |
//! | `Process::queue` | work, threads and their states | nothing |
//! | `Area::space` | which bytes of an area are in use | nothing |
//!
//! No two of them are ever held together. Under a lock one only records what is to be done; threads
//! are woken, objects are dropped and memory is allocated after it was released.

pub(crate) mod contents;
pub(crate) mod context;
pub(crate) mod error;
pub(crate) mod instance;
pub(crate) mod node;
pub(crate) mod nodes;
pub(crate) mod post;
pub(crate) mod process;
pub(crate) mod queue;
pub(crate) mod refs;
pub(crate) mod shared;
pub(crate) mod subscription;
pub(crate) mod subscriptions;
pub(crate) mod thread;
pub(crate) mod transaction;
pub(crate) mod work;
