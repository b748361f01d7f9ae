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
};

FIXTURE_SETUP(race_memory)
{
	binder_setup();
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
		if (racer_manage(racer))
			return RACE_LOST;
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

/*
 * Items 511, 521 and 524: pages are put in, taken out and reclaimed while
 * their mapping, or its process, goes.
 */
TEST_F(race_memory, mappings_go)
{
	struct race races[] = {
		{ unmapper, 5 }, { unmapper, 40 }, { caller, PAYLOAD },
		{ caller, PAYLOAD }, { caller, 16 }, { race_reclaimer },
	};

	EXPECT_EQ(0, race_run(races, ARRAY_SIZE(races)));
	EXPECT_TRUE(race_survived());
}

TEST_HARNESS_MAIN
