/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tasks: processes and threads that do what the test tells them, one order at
 * a time, so that a test with many actors is still one sequence of steps.
 */
#ifndef BINDER_SELFTEST_TASK_H
#define BINDER_SELFTEST_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "kselftest.h"

/* A debug kernel in an emulator needs more than the usual half a minute. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 240

struct task;

/* What a task can be told to do. Pointers must lead into the arena. */
typedef long (*task_fn)(long a, long b, long c);

/* A NULL task is the test itself. */
struct task *task_fork(void);
struct task *task_thread(void);

/* Returns what fn returns, or -ETIMEDOUT if that takes too long. */
long task_call(struct task *task, task_fn fn, long a, long b, long c);

/* The two halves of task_call(), for what is expected to block. */
void task_start(struct task *task, task_fn fn, long a, long b, long c);
long task_finish(struct task *task);

/* Does the task sleep in system call nr? */
bool task_is_in(struct task *task, long nr);

/* Waits until it does. */
bool task_blocks_in(struct task *task, long nr);

void task_signal(struct task *task, int sig);
void task_kill(struct task *task);
pid_t task_pid(struct task *task);
pid_t task_tid(struct task *task);
void task_kill_all(void);

/* Memory that all tasks see at the same address, until the program ends */
void *arena_alloc(size_t size);
bool arena_has(const void *ptr);
void arena_drop(void);

/* Ends the test because a step that is not its subject failed. */
void __noreturn __printf(1, 2) die(const char *fmt, ...);

/* Time since start, for deadlines. */
long now_ms(void);
void nap(void);

/*
 * To be called once, before any device is open. Forked tasks keep keep_fd and
 * no other descriptor.
 */
void task_init(int keep_fd);

/* The process that forks the others, for changes that they shall inherit */
struct task *task_nursery(void);

#endif
