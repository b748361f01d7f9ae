// SPDX-License-Identifier: GPL-2.0

//! The identity of a task, which outlives the task.
//!
//! C header: [`include/linux/pid.h`](srctree/include/linux/pid.h)

use super::{
    CurrentTask,
    Pid,
    Task, //
};
use crate::{
    bindings,
    sync::aref::{
        ARef,
        AlwaysRefCounted, //
    },
    types::Opaque, //
};
use core::ptr::{
    self,
    NonNull, //
};

/// Wraps the kernel's `struct pid`: what a process id means, in each pid namespace.
///
/// A [`Task`] is large, and keeps credentials and signal state. Data that only has to remember who
/// somebody was, such as the peer of a connection, keeps one of these, which has about a hundred
/// bytes. It can also be asked whether the task has ended, and is never mistaken for a later task
/// of the same number.
///
/// # Invariants
///
/// The value is a valid `struct pid` with a reference count above zero.
///
/// # Examples
///
/// ```
/// use kernel::task::{
///     PidType,
///     TaskPid, //
/// };
///
/// let me = current!().task_pid(PidType::Thread).ok_or(ESRCH)?;
/// assert!(current!().is(&me));
/// assert!(me.has_task(PidType::Thread));
/// # Ok::<(), Error>(())
/// ```
#[doc(alias = "pid")]
#[repr(transparent)]
pub struct TaskPid(Opaque<bindings::pid>);

/// What a [`TaskPid`] is the identity of.
#[doc(alias = "pid_type")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum PidType {
    /// One thread.
    Thread = bindings::pid_type_PIDTYPE_PID,
    /// All threads of a process.
    ThreadGroup = bindings::pid_type_PIDTYPE_TGID,
}

// SAFETY: A `struct pid` is made to be shared; its numbers never change.
unsafe impl Send for TaskPid {}
// SAFETY: As above.
unsafe impl Sync for TaskPid {}

// SAFETY: By the type invariants, the count is not zero as long as a reference exists.
unsafe impl AlwaysRefCounted for TaskPid {
    #[inline]
    fn inc_ref(&self) {
        // SAFETY: By the type invariants, the pid is valid.
        unsafe { bindings::get_pid(self.0.get()) };
    }

    #[inline]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The caller gives up a reference to a valid pid.
        unsafe { bindings::put_pid(obj.as_ptr().cast()) }
    }
}

impl TaskPid {
    /// Returns the number in the pid namespace of the current task, or 0 if it has none there.
    ///
    /// The number stays after the task has ended, and may then be another task's as well.
    ///
    /// # Context
    ///
    /// Any context.
    #[doc(alias = "pid_vnr")]
    #[inline]
    pub fn nr_in_current_ns(&self) -> Pid {
        // SAFETY: By the type invariants, the pid is valid.
        unsafe { bindings::pid_vnr(self.0.get()) }
    }

    /// Returns whether a task, or a thread group, has this identity.
    ///
    /// Unless it is the caller's own, it can end at any time; it never comes back.
    ///
    /// # Context
    ///
    /// Any context.
    #[doc(alias = "pid_has_task")]
    #[inline]
    pub fn has_task(&self, kind: PidType) -> bool {
        // SAFETY: By the type invariants, the pid is valid. The function looks at one pointer.
        unsafe { bindings::pid_has_task(self.0.get(), kind as bindings::pid_type) }
    }
}

/// Identities of tasks.
impl Task {
    /// Returns the identity of the task or of its thread group, or `None` if the task has ended.
    ///
    /// # Context
    ///
    /// Any context.
    #[doc(alias = "get_task_pid")]
    pub fn task_pid(&self, kind: PidType) -> Option<ARef<TaskPid>> {
        // SAFETY: By the type invariants, the task is valid.
        let pid = unsafe { bindings::get_task_pid(self.as_ptr(), kind as bindings::pid_type) };
        // INVARIANT: The C function returns a reference that the caller owns.
        //
        // SAFETY: `TaskPid` is a transparent wrapper, and we own the reference.
        NonNull::new(pid).map(|pid| unsafe { ARef::from_raw(pid.cast()) })
    }
}

/// Identities of tasks.
impl CurrentTask {
    /// Returns whether `pid` is the identity of the current thread.
    ///
    /// # Context
    ///
    /// Task context.
    #[inline]
    pub fn is(&self, pid: &TaskPid) -> bool {
        // SAFETY: The task is valid, and the pid of the current task changes by its own doing only.
        let own = unsafe { bindings::task_pid(self.as_ptr()) };
        ptr::eq(own, pid.0.get())
    }
}

#[cfg(CONFIG_RUST_TASK_PID_KUNIT_TEST)]
#[macros::kunit_tests(rust_task_pid)]
mod tests {
    use super::*;
    use crate::{
        prelude::*,
        sync::{
            Arc,
            Completion,
            SetOnce, //
        },
        workqueue, //
    };

    #[test]
    fn the_current_task_is_itself() -> Result {
        let task = crate::current!();
        let me = task.task_pid(PidType::Thread).ok_or(ESRCH)?;
        assert!(task.is(&me));
        assert!(me.has_task(PidType::Thread));
        assert_eq!(me.nr_in_current_ns(), task.pid());
        let group = task.group_leader().task_pid(PidType::ThreadGroup);
        assert!(group.is_some_and(|group| group.has_task(PidType::ThreadGroup)));
        Ok(())
    }

    #[test]
    fn others_are_not_the_current_task() -> Result {
        #[pin_data]
        struct Shared {
            pid: SetOnce<ARef<TaskPid>>,
            #[pin]
            done: Completion,
        }
        let init = pin_init!(Shared { pid: SetOnce::new(), done <- Completion::new() });
        let shared = Arc::pin_init(init, GFP_KERNEL)?;
        let theirs = shared.clone();
        workqueue::system_unbound().try_spawn(GFP_KERNEL, move || {
            if let Some(pid) = crate::current!().task_pid(PidType::Thread) {
                theirs.pid.populate(pid);
            }
            theirs.done.complete_all();
        })?;
        shared.done.wait_for_completion();
        let other = shared.pid.as_ref().ok_or(ESRCH)?;
        assert!(!crate::current!().is(other));
        assert!(other.has_task(PidType::Thread));
        Ok(())
    }
}
