// SPDX-License-Identifier: GPL-2.0

//! What kind of work a kernel function does, by its name.

/// Kinds of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Driver,
    KernelCrate,
    Allocator,
    Locks,
    Copies,
    Scheduler,
    Entry,
    User,
    Rest,
}

/// The drivers' crates; what is generic and made for one of them has its name in it too.
const CRATES: [&str; 2] = ["main::", "rust_binder"];

const LOCKS: &[&str] = &[
    "_raw_",
    "mutex_",
    "__mutex",
    "down_",
    "up_",
    "rwsem_",
    "queued_",
    "native_queued",
    "osq_",
    "__rcu_read",
    "rcu_read",
    "refcount_",
    "rtmutex_",
    "lock_vma",
    "vma_start_read",
    "lockref_",
];
const ALLOCATOR: &[&str] = &[
    "kmem_cache",
    "kmalloc",
    "__kmalloc",
    "kfree",
    "kvfree",
    "krealloc",
    "kvrealloc",
    "kvmalloc",
    "__kvmalloc",
    "__slab",
    "___slab",
    "slab_",
    "alloc_",
    "__alloc_",
    "get_page_from",
    "free_unref",
    "__free_",
    "free_pages",
    "post_alloc_hook",
    "__memcg",
    "memcg_",
    "obj_cgroup",
    "refill_",
    "__refill",
    "get_obj_cgroup",
    "current_obj_cgroup",
    "mod_memcg",
    "rmqueue",
    "vrealloc",
];
const COPIES: &[&str] = &[
    "copy_",
    "_copy_",
    "__copy",
    "rep_",
    "__memcpy",
    "memcpy",
    "memset",
    "__memset",
    "memmove",
    "__memmove",
    "strncpy_from",
    "__get_user",
    "__put_user",
    "clear_page",
];
const SCHEDULER: &[&str] = &[
    "schedule",
    "__schedule",
    "__pick_",
    "pick_",
    "enqueue_",
    "dequeue_",
    "__enqueue",
    "__dequeue",
    "update_",
    "__update",
    "try_to_wake",
    "ttwu_",
    "wake_",
    "__wake",
    "default_wake",
    "autoremove_wake",
    "select_task",
    "select_idle",
    "available_idle",
    "resched_",
    "__resched",
    "set_next_",
    "__set_next",
    "put_prev",
    "place_entity",
    "avg_vruntime",
    "entity_",
    "vruntime",
    "finish_task",
    "switch_",
    "__switch",
    "prepare_",
    "finish_wait",
    "finish_swait",
    "init_wait",
    "add_wait",
    "remove_wait",
    "prepare_to_wait",
    "sched_",
    "__sched",
    "hrtick",
    "check_preempt",
    "wakeup_",
    "propagate_",
    "cpuacct",
    "cpu_",
    "psi_",
    "reweight_",
    "attach_",
    "detach_",
    "native_sched_clock",
    "native_load_tls",
    "activate_task",
    "deactivate_task",
    "block_task",
    "yield_",
    "raw_spin_rq",
    "cgroup_",
    "task_",
    "rb_",
    "__rb_",
    "clear_buddies",
    "tick_nohz",
    "rcu_note_context",
    "rcu_qs",
    "save_fpregs",
    "restore_fpregs",
    "load_new_mm",
    "native_set",
    "native_write_msr",
    "prandom",
    "wq_worker",
    "cfs_",
    "__calc_delta",
    "__account_cfs",
    "account_",
    "set_cfs",
    "sugov",
    "dl_",
    "__cond_resched",
    "preempt_schedule",
    "enter_lazy_tlb",
    "mmdrop",
    "__task_rq_lock",
    "sync_",
    "kick_process",
    "io_schedule",
    "fpregs",
];
const ENTRY: &[&str] = &[
    "entry_",
    "do_syscall",
    "x64_sys_call",
    "syscall_",
    "__x64_sys",
    "__se_sys",
    "__do_sys",
    "asm_",
    "do_sys_",
    "irqentry",
    "exit_to_user",
    "fdget",
    "__fget",
    "fput",
    "__fdget",
    "security_file_ioctl",
    "vfs_ioctl",
    "do_vfs_ioctl",
    "arch_exit",
    "__irqentry",
    "error_",
    "common_interrupt_return",
    "vdso",
    "ret_from",
    "sysvec_",
    "__sysvec",
];

fn starts(name: &str, list: &[&str]) -> bool {
    list.iter().any(|start| name.starts_with(start))
}

impl Class {
    /// The class of a function.
    pub fn of(name: &str) -> Self {
        if name == "(user space)" {
            Self::User
        } else if name.starts_with("binder_") || CRATES.iter().any(|one| name.contains(one)) {
            Self::Driver
        } else if name.contains("kernel::") || name.contains("core::") || name.contains("alloc::") {
            Self::KernelCrate
        } else if starts(name, LOCKS) {
            Self::Locks
        } else if starts(name, ALLOCATOR) {
            Self::Allocator
        } else if starts(name, COPIES) {
            Self::Copies
        } else if starts(name, SCHEDULER) {
            Self::Scheduler
        } else if starts(name, ENTRY) {
            Self::Entry
        } else {
            Self::Rest
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::KernelCrate => "Rust crates",
            Self::Allocator => "allocator",
            Self::Locks => "locks",
            Self::Copies => "copies",
            Self::Scheduler => "scheduler",
            Self::Entry => "entry",
            Self::User => "user",
            Self::Rest => "rest",
        }
    }
}

/// Whether a function is what is counted.
type Is = fn(&str) -> bool;

/// Events that are counted by calls of the functions that do them, inlined nowhere.
pub const EVENTS: [(&str, Is); 4] = [
    ("lock acquisitions", |name| {
        let lock = [
            "_raw_spin_lock",
            "_raw_spin_trylock",
            "_raw_read_lock",
            "_raw_write_lock",
            "mutex_lock",
            "mutex_trylock",
            "down_read",
            "down_write",
        ];
        starts(name, &lock) && !name.contains("unlock")
    }),
    ("allocations", |name| {
        starts(
            name,
            &[
                "kmem_cache_alloc",
                "__kmalloc",
                "kmalloc",
                "krealloc",
                "__kvmalloc",
                "__alloc_frozen_pages",
                "__alloc_pages",
            ],
        )
    }),
    ("frees", |name| {
        name == "kfree" || starts(name, &["kmem_cache_free", "kvfree", "free_unref"])
    }),
    ("copy loops entered", |name| {
        starts(
            name,
            &["rep_movs", "memcpy", "__memcpy", "memset", "__memset"],
        )
    }),
];
