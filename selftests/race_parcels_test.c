// SPDX-License-Identifier: GPL-2.0
/* Messages full of objects to receivers that come and go. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "race.h"

FIXTURE(race_parcels)
{
};

FIXTURE_SETUP(race_parcels)
{
	binder_setup();
}

FIXTURE_TEARDOWN(race_parcels)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Files that arrive are the receiver's to close. */
static void close_files(struct peer *racer)
{
	const struct flat_binder_object *obj;

	for (size_t i = 0; i < racer->txn.offsets_size / 8; i++) {
		obj = peer_object(racer, i);
		if (obj->hdr.type == BINDER_TYPE_FD)
			close(obj->handle);
	}
}

/* A manager that accepts descriptors, for a number of reads at a time */
static long receiver(long self, long reads, long unused)
{
	struct flat_binder_object me =
		local_object(0, 0, FLAT_BINDER_FLAG_ACCEPTS_FDS);
	struct peer *racer = (struct peer *)self;

	while (race_goes_on(racer)) {
		if (racer_open(racer))
			return RACE_LOST;
		while (ioctl(racer->fd, BINDER_SET_CONTEXT_MGR_EXT, &me) &&
		       race_goes_on(racer))
			sched_yield();
		peer_word(racer, BC_ENTER_LOOPER);
		for (int i = 0; i < reads; i++) {
			if (!strcmp(peer_read(racer), "EAGAIN") ||
			    racer->rets[racer->nr_rets - 1].cmd !=
			    BR_TRANSACTION) {
				sched_yield();
				continue;
			}
			close_files(racer);
			/* Some buffers are left for the release. */
			if (i % 3)
				peer_free(racer, racer->txn.data.ptr.buffer);
		}
		racer_close(racer);
	}
	return 0;
}

/* Sends one object of each kind, all oneway; arg chooses how it leaves. */
static long shipper(long self, long leaves, long unused)
{
	struct peer *racer = (struct peer *)self;
	struct binder_fd_object file = { .hdr.type = BINDER_TYPE_FD, .fd = 1 };
	struct flat_binder_object obj;

	if (racer_open(racer))
		return RACE_LOST;
	for (int i = 1; race_goes_on(racer); i++) {
		struct sg *sg = SG;
		size_t top = sg_ptr(sg, "some text here", 16);

		put_u32(racer, BC_ACQUIRE, 0);
		obj = local_object(0x10 + i % 4 * 8, 0, 0);
		sg_add(sg, &obj, sizeof(obj));
		obj.hdr.type = BINDER_TYPE_WEAK_BINDER;
		sg_add(sg, &obj, sizeof(obj));
		sg_add(sg, &file, sizeof(file));
		sg_child(sg, "child", 8, top, 8);
		sg_send(racer, BC_TRANSACTION_SG, MSG(.flags = TF_ONE_WAY), sg);
		/* Counts are on their way to this thread. */
		if (leaves && i % 5 == 0)
			ioctl(racer->fd, BINDER_THREAD_EXIT, 0);
		while (strcmp(peer_read(racer), "EAGAIN"))
			ack_refs(racer);
		if (i % 2) {
			put_u32(racer, BC_RELEASE, 0);
			peer_write(racer);
		}
		if (leaves && i % 50 == 0) {
			racer_close(racer);
			if (racer_open(racer))
				return RACE_LOST;
		}
	}
	racer_close(racer);
	return 0;
}

/* Items 510, 517 and 520: all that a message holds. */
TEST_F(race_parcels, to_the_dying)
{
	struct race races[] = {
		{ receiver, 10 }, { receiver, 100 }, { shipper, 0 },
		{ shipper, 1 }, { shipper, 0 },
	};

	EXPECT_EQ(0, race_run(races, ARRAY_SIZE(races)));
	EXPECT_TRUE(race_survived());
}

TEST_HARNESS_MAIN
