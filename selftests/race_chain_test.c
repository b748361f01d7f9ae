// SPDX-License-Identifier: GPL-2.0
/* Chains of calls whose members leave in the middle. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "race.h"

#define PATIENCE_MS 8000

FIXTURE(race_chain)
{
};

FIXTURE_SETUP(race_chain)
{
	binder_setup();
}

FIXTURE_TEARDOWN(race_chain)
{
	EXPECT_STREQ("", binder_teardown());
}

/* What came last in a read, 0 for nothing */
static __u32 last_of(struct peer *racer)
{
	if (!strcmp(peer_read(racer), "EAGAIN"))
		return 0;
	ack_refs(racer);
	return racer->rets[racer->nr_rets - 1].cmd;
}

/* Waits for the end of the call, serving what is called back meanwhile. */
static long wait_for_end(struct peer *racer)
{
	long deadline = now_ms() + PATIENCE_MS;

	while (now_ms() < deadline) {
		switch (last_of(racer)) {
		case BR_TRANSACTION:
			put_msg(racer, BC_REPLY, MSG());
			peer_free(racer, racer->txn.data.ptr.buffer);
			break;
		case BR_REPLY:
			peer_free(racer, racer->txn.data.ptr.buffer);
			return 0;
		case BR_DEAD_REPLY:
		case BR_FAILED_REPLY:
			return 0;
		default:
			sched_yield();
		}
	}
	return race_lost(racer, "a call never ends");
}

/* Calls the manager with an object on which it can call back. */
static long caller(long self, long seed, long unused)
{
	struct flat_binder_object obj = local_object(0x10, 0, 0);
	struct peer *racer = (struct peer *)self;
	unsigned int state = seed, dice;

	while (race_goes_on(racer)) {
		if (racer_open(racer))
			return RACE_LOST;
		peer_word(racer, BC_ENTER_LOOPER);
		for (int i = 0; i < 20 && race_goes_on(racer); i++) {
			send_object(racer, BC_TRANSACTION, MSG(), &obj);
			dice = next_random(&state) % 16;
			if (dice == 1)
				ioctl(racer->fd, BINDER_THREAD_EXIT, 0);
			/* An exited thread's call must not be waited for. */
			if (dice < 2)
				break;
			if (wait_for_end(racer))
				return RACE_LOST;
		}
		racer_close(racer);
	}
	return 0;
}

/* Serves one call by calling back first; may leave at any point. */
static bool call_back(struct peer *racer, unsigned int *state)
{
	__u32 handle;
	long end;

	if (racer->txn.offsets_size) {
		handle = peer_object(racer, 0)->handle;
		peer_send(racer, BC_TRANSACTION, MSG(.handle = handle));
		if (next_random(state) % 8 == 0)
			return false;
		end = now_ms() + PATIENCE_MS;
		for (__u32 cmd = 0; cmd != BR_REPLY && cmd != BR_DEAD_REPLY &&
		     cmd != BR_FAILED_REPLY && now_ms() < end;)
			cmd = last_of(racer);
	}
	if (next_random(state) % 8 == 0)
		return false;
	peer_send(racer, BC_REPLY, MSG());
	return true;
}

static long manager(long self, long seed, long unused)
{
	struct peer *racer = (struct peer *)self;
	unsigned int state = seed;

	while (race_goes_on(racer)) {
		if (racer_manage(racer))
			return RACE_LOST;
		while (race_goes_on(racer)) {
			if (last_of(racer) != BR_TRANSACTION)
				sched_yield();
			else if (!call_back(racer, &state))
				break;
		}
		racer_close(racer);
	}
	return 0;
}

/* Items 528 and 529: each call ends once. */
TEST_F(race_chain, members_leave)
{
	struct race races[] = {
		{ manager, 0 }, { manager, 1 }, { caller, 2 }, { caller, 3 },
		{ caller, 4 },
	};

	EXPECT_EQ(0, race_run(races, ARRAY_SIZE(races)));
	EXPECT_TRUE(race_survived());
}

TEST_HARNESS_MAIN
