// SPDX-License-Identifier: GPL-2.0

//! The work of a process and the threads that do it.

use super::{
    thread::Thread,
    work::Work, //
};
use crate::pure::ring::Ring;
use kernel::{
    prelude::*,
    sync::Arc,
    task::Pid, //
};

/// What the lock of a process protects, the states of its threads included.
pub(crate) struct Queue {
    /// Work for whichever thread is free.
    pub(crate) todo: Ring<Work>,
    /// All threads, by their ids. There is always room to make all of them idle.
    threads: KVec<Arc<Thread>>,
    /// Threads that sleep until there is work in `todo`. The one that came last goes first, because
    /// its memory is warmest.
    idle: KVec<Arc<Thread>>,
    pub(crate) loopers: Loopers,
    /// The process was released; nothing may be queued any more.
    pub(crate) is_dead: bool,
}

/// How many threads the process has and was asked for.
#[derive(Default)]
pub(crate) struct Loopers {
    /// How many the driver may ask for.
    pub(crate) max: u32,
    /// How many were asked for and have not registered yet.
    pub(crate) requested: u32,
    /// How many were asked for and have registered.
    pub(crate) started: u32,
}

impl Loopers {
    /// Whether the process is to be asked for another thread, which then counts as requested.
    pub(crate) fn request(&mut self) -> bool {
        let wants_one = self.requested == 0 && self.started < self.max;
        self.requested += u32::from(wants_one);
        wants_one
    }

    /// A requested thread has come. Fails if none was requested.
    pub(crate) fn register(&mut self) -> Result {
        self.requested = self.requested.checked_sub(1).ok_or(EINVAL)?;
        self.started += 1;
        Ok(())
    }
}

/// Room for one more thread, allocated where sleeping is allowed.
pub(crate) struct ThreadRoom {
    threads: KVec<Arc<Thread>>,
    idle: KVec<Arc<Thread>>,
}

impl ThreadRoom {
    /// Allocates room for `capacity` threads.
    pub(crate) fn new(capacity: usize) -> Result<Self> {
        Ok(Self {
            threads: KVec::with_capacity(capacity, GFP_KERNEL_ACCOUNT)?,
            idle: KVec::with_capacity(capacity, GFP_KERNEL_ACCOUNT)?,
        })
    }
}

impl Queue {
    /// No work and no threads.
    pub(crate) fn new() -> Self {
        Self {
            todo: Ring::new(),
            threads: KVec::new(),
            idle: KVec::new(),
            loopers: Loopers::default(),
            is_dead: false,
        }
    }

    /// The thread of that id.
    pub(crate) fn thread(&self, tid: Pid) -> Option<&Arc<Thread>> {
        let index = self.threads.binary_search_by_key(&tid, |thread| thread.tid);
        Some(&self.threads[index.ok()?])
    }

    /// All threads, by their ids.
    pub(crate) fn threads(&self) -> &[Arc<Thread>] {
        &self.threads
    }

    /// How many threads there is room for.
    pub(crate) fn thread_capacity(&self) -> usize {
        self.threads.capacity()
    }

    /// Adds a thread, unless there is no room. There must be none of its id.
    pub(crate) fn add_thread(&mut self, thread: &Arc<Thread>) -> bool {
        let index = self.threads.partition_point(|other| other.tid < thread.tid);
        self.threads
            .insert_within_capacity(index, thread.clone())
            .is_ok()
    }

    /// Moves the threads to larger `room` and gives back the old one, to be freed after unlocking.
    pub(crate) fn grow_threads(&mut self, mut room: ThreadRoom) -> ThreadRoom {
        if room.threads.capacity() > self.threads.capacity() {
            move_all(&mut self.threads, &mut room.threads);
            move_all(&mut self.idle, &mut room.idle);
        }
        room
    }

    /// Takes a thread out of the table.
    pub(crate) fn remove_thread(&mut self, thread: &Thread) -> Option<Arc<Thread>> {
        let index = self.threads.iter().position(|other| is_same(other, thread))?;
        self.threads.remove(index).ok()
    }

    /// Takes any thread out of the table.
    pub(crate) fn pop_thread(&mut self) -> Option<Arc<Thread>> {
        self.threads.pop()
    }

    /// Whether no thread waits for work.
    pub(crate) fn nobody_is_idle(&self) -> bool {
        self.idle.is_empty()
    }

    /// Adds a thread that is about to wait for any work.
    pub(crate) fn push_idle(&mut self, thread: &Arc<Thread>) {
        // There is room for each thread of the table, and a thread waits once.
        let _ = self.idle.push_within_capacity(thread.clone());
    }

    /// Takes the thread that began to wait last.
    pub(crate) fn pop_idle(&mut self) -> Option<Arc<Thread>> {
        self.idle.pop()
    }

    /// Takes out a thread that no longer waits. Whoever gave it work may have done so already.
    pub(crate) fn remove_idle(&mut self, thread: &Thread) -> Option<Arc<Thread>> {
        let index = self.idle.iter().rposition(|other| is_same(other, thread))?;
        self.idle.remove(index).ok()
    }
}

fn is_same(other: &Arc<Thread>, thread: &Thread) -> bool {
    core::ptr::eq(&**other, thread)
}

/// Moves the items of `from` to the larger `to`, and swaps the two.
fn move_all<T>(from: &mut KVec<T>, to: &mut KVec<T>) {
    for item in from.drain_all() {
        // There is room, so this cannot fail.
        let _ = to.push_within_capacity(item);
    }
    core::mem::swap(from, to);
}
