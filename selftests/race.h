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

/* Runs the loops at once, each in its task, and returns how many lost. */
struct race {
	struct task *task;
	task_fn loop;
	struct peer *racer;
	long arg;
};

int race_run(struct race *races, int count);

/* Opens that exist in the end are in order: a fresh pair can talk. */
bool race_survived(void);

#endif
