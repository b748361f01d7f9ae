/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A random mix of all that processes do with Binder. A controller starts,
 * kills and replaces workers; each has threads that serve and one that calls.
 */
#ifndef BINDER_SELFTEST_WORKLOAD_H
#define BINDER_SELFTEST_WORKLOAD_H

#include "object.h"

#define WORKERS 6
#define MANAGER WORKERS		/* the slot of the context manager */
#define ACTORS 4		/* threads of a worker that are watched */

enum count {
	CALLS, REPLIES, DEAD, FAILED, FROZEN, ONEWAYS, NESTED, NODES, FILES,
	BYTES, DEATHS, FREEZES, EXITS, NR_COUNTS
};

/* One worker; the memory is shared, and outlives it. */
struct slot {
	pid_t pid;
	/* When a thread began to wait for the end of a call, or 0 */
	long waits_since[ACTORS];
};

struct workload {
	struct slot slots[WORKERS + 1];
	unsigned long counts[NR_COUNTS];
	char failure[256];	/* the first thing that was wrong */
	bool stop;
};

unsigned int workload_random(unsigned int *state, unsigned int sides);
void workload_fail(struct workload *load, const char *what);

/* The whole life of a worker, or of the manager. */
void __noreturn workload_worker(struct workload *load, int rank,
				unsigned int seed);

#endif
