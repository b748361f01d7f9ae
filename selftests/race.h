/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loops that several tasks run at once against each other. A racer is a peer
 * that only the task which opens it may use; nobody steps it from outside.
 */
#ifndef BINDER_SELFTEST_RACE_H
#define BINDER_SELFTEST_RACE_H

#include "object.h"

#define RACE_MS 600

/* Returned by a loop that saw something wrong; the reason is in the racer. */
#define RACE_LOST (-1)

struct peer *racer_new(void);
/* Opens the device without blocking, or fails as race_lost() does. */
long racer_open(struct peer *racer);
void racer_close(struct peer *racer);
/* Shares the open of a peer that this process has. */
struct peer *racer_share(struct peer *peer);

/* Keeps what went wrong for race_run() to print. Returns RACE_LOST. */
long race_lost(struct peer *racer, const char *what);

bool race_goes_on(struct peer *racer);

/* One call to a handle: sends, waits for its end, frees the reply's buffer. */
enum call_end { CALL_REPLY, CALL_DEAD, CALL_FAILED, CALL_FROZEN, CALL_LOST };
enum call_end racer_call(struct peer *racer, const struct msg *msg);

/* One read; answers a call, frees what came, acknowledges counts. */
long racer_serve(struct peer *racer);

/* Serves until the racers behind this one have ended. */
void racer_serve_out(struct peer *racer);

/* Opens and becomes the manager as soon as there is none. */
long racer_manage(struct peer *racer);

/* Loops for several tests; the first argument is the racer. */

/* A manager that comes and goes: arg is how many reads it stays for. */
long race_mayfly(long self, long reads, long unused);
/* Freezes and thaws a process, and leaves it thawed. */
long race_freezer(long self, long pid, long unused);
/* Has idle pages taken away. */
long race_reclaimer(long self, long unused, long unused2);

/*
 * Runs the loops at once and returns how many lost. What has no task gets a
 * process of its own, and what has no racer a new one. Who is called comes
 * before who calls.
 */
struct race {
	task_fn loop;
	long arg;
	struct task *task;
	struct peer *racer;
};

int race_run(struct race *races, int count);

/* Numbers that look random and are the same each time */
unsigned int next_random(unsigned int *state);

/* Opens that exist in the end are in order: a fresh pair can talk. */
bool race_survived(void);

#endif
