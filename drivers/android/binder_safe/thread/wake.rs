// SPDX-License-Identifier: GPL-2.0

//! Waking the thread that is to do some work, or the pollers if nobody sleeps.

use crate::process::pollers::Pollers;
use core::mem;
use kernel::{
    sync::aref::ARef,
    task::Task, //
};

/// Somebody to wake, once no lock is held.
///
/// It comes from `Queue::assign` and its kin, which have queued work, and must be passed to
/// [`Wake::wake`] on every path: a wake-up that is dropped leaves work without a reader.
#[must_use = "somebody has to be woken"]
pub(crate) struct Wake<'a>(Target<'a>);

#[derive(Default)]
enum Target<'a> {
    #[default]
    Nobody,
    /// A thread that slept in a read, and sleeps for nothing else any more.
    Sleeper(ARef<Task>),
    /// No thread sleeps, so whoever polls may come for the work.
    Pollers(&'a Pollers),
}

/// How to wake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// The waker will sleep at once, so its CPU is a good place for the woken thread.
    Sync,
    /// The waker goes on.
    Plain,
}

impl<'a> Wake<'a> {
    /// Nothing was queued, or nothing worth waking up for.
    pub(crate) const fn nobody() -> Self {
        Self(Target::Nobody)
    }

    /// Wakes `sleeper`, which work was given to; without one, those who poll.
    pub(crate) fn new(sleeper: Option<ARef<Task>>, pollers: &'a Pollers) -> Self {
        Self(match sleeper {
            Some(task) => Target::Sleeper(task),
            None => Target::Pollers(pollers),
        })
    }

    /// Wakes `sleeper`, if there is one, and nobody else.
    pub(crate) fn sleeper(sleeper: Option<ARef<Task>>) -> Self {
        Self(sleeper.map_or(Target::Nobody, Target::Sleeper))
    }

    /// Wakes. No spin lock may be held.
    pub(crate) fn wake(mut self, urgency: Urgency) {
        match mem::take(&mut self.0) {
            Target::Nobody => {}
            Target::Sleeper(task) => match urgency {
                Urgency::Sync => task.wake_up_sync(),
                Urgency::Plain => task.wake_up(),
            },
            Target::Pollers(pollers) => pollers.notify(),
        }
    }
}

#[cfg(debug_assertions)]
impl Drop for Wake<'_> {
    fn drop(&mut self) {
        assert!(matches!(self.0, Target::Nobody), "a wake-up is lost");
    }
}
