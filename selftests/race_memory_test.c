// SPDX-License-Identifier: GPL-2.0
/* Mappings that go away while messages arrive and pages are reclaimed. */

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "race.h"

#define PAYLOAD 20000

FIXTURE(race_memory)
{
	struct race races[6];
};

FIXTURE_SETUP(race_memory)
{
	binder_setup();
	for (int i = 0; i < 6; i++)
		self->races[i].racer = racer_new();
}

FIXTURE_TEARDOWN(race_memory)
{
	EXPECT_STREQ("", binder_teardown());
}

/*
 * A manager that serves for a while, then loses its mapping or has other
 * memory in its place, and closes later.
 */
static long unmapper(long self, long reads, long unused)
{
	struct peer *racer = (struct peer *)self;
	char *other;

	for (int i = 0; race_goes_on(racer); i++) {
		if (racer_open(racer))
			return RACE_LOST;
		while (ioctl(racer->fd, BINDER_SET_CONTEXT_MGR, 0) &&
		       race_goes_on(racer))
			sched_yield();
		peer_word(racer, BC_ENTER_LOOPER);
		for (int j = 0; j < reads; j++)
			racer_serve(racer);
		munmap(racer->map, racer->map_size);
		other = mmap(racer->map, racer->map_size,
			     PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			     -1, 0);
		if (other == racer->map)
			memset(other, 0x5a, racer->map_size);
		for (int j = 0; j < i % 4; j++)
			racer_serve(racer);
		for (size_t j = 0; j < racer->map_size && other == racer->map;
		     j++)
			if (other[j] != 0x5a)
				return race_lost(racer, "alien memory changed");
		racer_close(racer);
	}
	return 0;
}

/* Calls handle 0 with much data, so that many pages are used and left. */
static long caller(long self, long size, long unused)
{
	struct peer *racer = (struct peer *)self;
	static char payload[PAYLOAD];
	struct msg msg = { .data = payload, .size = size, .raw = true };

	if (racer_open(racer))
		return RACE_LOST;
	while (race_goes_on(racer))
		if (racer_call(racer, &msg) == CALL_LOST)
			return race_lost(racer, "a call did not end");
	racer_close(racer);
	return 0;
}

static long reclaimer(long self, long unused, long unused2)
{
	struct peer *racer = (struct peer *)self;
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	while (race_goes_on(racer))
		if (write(fd, "2", 1) != 1)
			return race_lost(racer, "drop_caches failed");
	close(fd);
	return 0;
}

/*
 * Items 511, 521 and 524: pages are put in, taken out and reclaimed while
 * their mapping, or its process, goes.
 */
TEST_F(race_memory, mappings_go)
{
	static const int reads[] = { 5, 40 };

	for (int i = 0; i < 2; i++)
		self->races[i] = (struct race){
			task_fork(), unmapper, self->races[i].racer, reads[i],
		};
	for (int i = 2; i < 5; i++)
		self->races[i] = (struct race){
			task_fork(), caller, self->races[i].racer,
			i == 4 ? 16 : PAYLOAD,
		};
	self->races[5] = (struct race){
		task_fork(), reclaimer, self->races[5].racer,
	};
	EXPECT_EQ(0, race_run(self->races, 6));
	EXPECT_TRUE(race_survived());
}

TEST_HARNESS_MAIN
