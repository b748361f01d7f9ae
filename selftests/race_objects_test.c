// SPDX-License-Identifier: GPL-2.0
/* References, notifications and messages that change under use. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "race.h"

FIXTURE(race_objects)
{
};

FIXTURE_SETUP(race_objects)
{
	binder_setup();
}

FIXTURE_TEARDOWN(race_objects)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Acknowledges what a listener reads; anything else must not come. */
static long listen(struct peer *racer)
{
	peer_read(racer);
	for (int i = 0; i < racer->nr_rets && strcmp(racer->text, "EAGAIN");
	     i++) {
		switch (racer->rets[i].cmd) {
		case BR_DEAD_BINDER:
			put_u64(racer, BC_DEAD_BINDER_DONE,
				racer->rets[i].cookie);
			break;
		case BR_FROZEN_BINDER:
			put_u64(racer, BC_FREEZE_NOTIFICATION_DONE,
				racer->rets[i].frozen.cookie);
			break;
		case BR_NOOP:
		case BR_CLEAR_DEATH_NOTIFICATION_DONE:
		case BR_CLEAR_FREEZE_NOTIFICATION_DONE:
			break;
		default:
			return race_lost(racer, "unexpected return");
		}
	}
	if (racer->out_len)
		peer_write(racer);
	return 0;
}

/* Asks for notifications of handle 0 and clears them, in any order. */
static long listener(long self, long seed, long unused)
{
	static const __u32 counts[] = {
		BC_ACQUIRE, BC_INCREFS, BC_RELEASE, BC_DECREFS,
	};
	static const __u32 requests[] = {
		BC_REQUEST_DEATH_NOTIFICATION, BC_CLEAR_DEATH_NOTIFICATION,
		BC_REQUEST_FREEZE_NOTIFICATION, BC_CLEAR_FREEZE_NOTIFICATION,
	};
	struct peer *racer = (struct peer *)self;
	unsigned int state = seed;

	if (racer_open(racer))
		return RACE_LOST;
	peer_word(racer, BC_ENTER_LOOPER);
	while (race_goes_on(racer)) {
		unsigned int dice = next_random(&state) % 10;

		if (dice < 4)
			put_u32(racer, counts[dice], dice % 2);
		else if (dice < 8)
			put_handle_cookie(racer, requests[dice - 4], 0, 1);
		if (racer->out_len)
			peer_write(racer);
		if (dice >= 8 && listen(racer))
			return RACE_LOST;
		if (next_random(&state) % 200 == 0) {
			racer_close(racer);
			if (racer_open(racer))
				return RACE_LOST;
			peer_word(racer, BC_ENTER_LOOPER);
		}
	}
	racer_close(racer);
	return 0;
}

/* Item 501: owners die, listeners come and go. */
TEST_F(race_objects, death_notifications)
{
	struct race races[] = {
		{ race_mayfly, 30 }, { listener, 1 }, { listener, 2 },
		{ listener, 3 }, { listener, 4 },
	};

	EXPECT_EQ(0, race_run(races, ARRAY_SIZE(races)));
	EXPECT_TRUE(race_survived());
}

/* Item 525: freezing an owner that is being released. */
TEST_F(race_objects, freeze_notifications)
{
	struct task *owner = task_fork();
	struct race races[] = {
		{ race_mayfly, 30, owner }, { listener, 1 }, { listener, 2 },
		{ race_freezer, task_pid(owner) },
		{ race_freezer, task_pid(owner) },
	};

	EXPECT_EQ(0, race_run(races, ARRAY_SIZE(races)));
	EXPECT_TRUE(race_survived());
}

/* What a thread of the owner has been told, less what was taken back */
struct balance {
	long weak, strong;
};

static void weigh(struct peer *racer, struct balance *balance)
{
	for (int i = 0; i < racer->nr_rets && strcmp(racer->text, "EAGAIN");
	     i++) {
		struct ret *ret = &racer->rets[i];

		balance->weak += ret->cmd == BR_INCREFS;
		balance->weak -= ret->cmd == BR_DECREFS;
		balance->strong += ret->cmd == BR_ACQUIRE;
		balance->strong -= ret->cmd == BR_RELEASE;
	}
	if (racer->nr_rets && strcmp(racer->text, "EAGAIN"))
		ack_refs(racer);
}

/* Sends one of a few objects again and again; arg is for the balance. */
static long publisher(long self, long arg, long unused)
{
	struct peer *racer = (struct peer *)self;
	struct balance *balance = (struct balance *)arg;
	struct flat_binder_object obj = local_object(0, 0, 0);

	peer_word(racer, BC_ENTER_LOOPER);
	for (int i = 0; race_goes_on(racer); i++) {
		obj.binder = 0x10 * (1 + i % 3);
		obj.hdr.type = i % 4 ? BINDER_TYPE_BINDER :
				       BINDER_TYPE_WEAK_BINDER;
		send_object(racer, BC_TRANSACTION, MSG(.flags = TF_ONE_WAY),
			    &obj);
		peer_read(racer);
		weigh(racer, balance);
	}
	return 0;
}

/* Receives, sometimes keeps a reference a little longer. */
static long collector(long self, long until_empty, long unused)
{
	struct peer *racer = (struct peer *)self;
	__u32 handle;

	for (int i = 0; race_goes_on(racer) || until_empty; i++) {
		if (!strcmp(peer_read(racer), "EAGAIN")) {
			if (until_empty)
				break;
			sched_yield();
			continue;
		}
		if (strcmp(racer->text, "NOOP TRANSACTION"))
			return race_lost(racer, "unexpected return");
		handle = peer_object(racer, 0)->handle;
		if (i % 3 == 0) {
			put_u32(racer, BC_ACQUIRE, handle);
			put_u32(racer, BC_INCREFS, handle);
		}
		put_u64(racer, BC_FREE_BUFFER, racer->txn.data.ptr.buffer);
		if (i % 3 == 0) {
			put_u32(racer, BC_RELEASE, handle);
			put_u32(racer, BC_DECREFS, handle);
		}
		peer_write(racer);
	}
	return 0;
}

/* Item 145: two threads publish, a third party takes and drops. */
TEST_F(race_objects, publishing)
{
	struct balance *balance = arena_alloc(3 * sizeof(*balance));
	struct peer *manager = peer_manager(task_fork());
	struct peer *owner = peer_open(NULL);
	struct race races[] = {
		{ publisher, (long)&balance[0], task_thread(),
		  racer_share(owner) },
		{ publisher, (long)&balance[1], task_thread(),
		  racer_share(owner) },
		{ collector, 0, manager->task, racer_share(manager) },
	};

	ASSERT_EQ(0, race_run(races, ARRAY_SIZE(races)));
	/* All are gone in the end, and the books balance. */
	ASSERT_EQ(0, task_call(manager->task, collector,
			       (long)races[2].racer, 1, 0));
	ASSERT_EQ(0, peer_word(owner, BC_ENTER_LOOPER));
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, peer_write(races[i].racer));
	while (strcmp(peer_read(owner), "EAGAIN"))
		weigh(owner, &balance[2]);
	EXPECT_EQ(0, balance[0].weak + balance[1].weak + balance[2].weak);
	EXPECT_EQ(0, balance[0].strong + balance[1].strong + balance[2].strong);
	for (int i = 1; i <= 3; i++)
		EXPECT_STREQ("none", node_refs(owner, 0x10 * i));
}

/* A message that one thread sends and another rewrites */
struct moving_target {
	struct flat_binder_object obj;
	binder_size_t offset;
};

static long sender(long self, long arg, long unused)
{
	struct moving_target *target = (struct moving_target *)arg;
	struct peer *racer = (struct peer *)self;
	struct msg msg = {
		.flags = TF_ONE_WAY, .data = &target->obj,
		.size = sizeof(target->obj), .offsets = &target->offset,
		.offsets_size = 8, .raw = true,
	};

	peer_word(racer, BC_ENTER_LOOPER);
	while (race_goes_on(racer)) {
		peer_send(racer, BC_TRANSACTION, &msg);
		while (strcmp(peer_read(racer), "EAGAIN"))
			ack_refs(racer);
	}
	return 0;
}

static long rewriter(long self, long arg, long unused)
{
	struct moving_target *target = (struct moving_target *)arg;
	struct peer *racer = (struct peer *)self;
	static const __u32 types[] = {
		BINDER_TYPE_BINDER, BINDER_TYPE_HANDLE, BINDER_TYPE_FD, 0,
	};

	for (unsigned int i = 0; race_goes_on(racer); i++) {
		__atomic_store_n(&target->obj.hdr.type, types[i / 7 % 4],
				 __ATOMIC_RELAXED);
		__atomic_store_n(&target->obj.binder, 0x40 + i % 2 * 0x1000,
				 __ATOMIC_RELAXED);
	}
	return 0;
}

static long inspector(long self, long unused, long unused2)
{
	const struct flat_binder_object *obj;
	struct peer *racer = (struct peer *)self;

	while (race_goes_on(racer)) {
		if (!strcmp(peer_read(racer), "EAGAIN")) {
			sched_yield();
			continue;
		}
		if (strcmp(racer->text, "NOOP TRANSACTION"))
			return race_lost(racer, "unexpected return");
		obj = peer_object(racer, 0);
		if (obj->hdr.type != BINDER_TYPE_HANDLE || !obj->handle ||
		    obj->binder >= 0x40 || obj->cookie)
			return race_lost(racer, "an object came untranslated");
		peer_free(racer, racer->txn.data.ptr.buffer);
	}
	return 0;
}

/* Items 216 and 504: what is checked is what is delivered. */
TEST_F(race_objects, rewritten_message)
{
	struct moving_target *target = arena_alloc(sizeof(*target));
	struct peer *manager = peer_manager(task_fork());
	struct peer *owner = peer_open(NULL);
	struct race races[] = {
		{ inspector, 0, manager->task, racer_share(manager) },
		{ sender, (long)target, task_thread(), racer_share(owner) },
		{ rewriter, (long)target, task_thread() },
	};

	EXPECT_EQ(0, race_run(races, ARRAY_SIZE(races)));
	EXPECT_TRUE(race_survived());
}

TEST_HARNESS_MAIN
