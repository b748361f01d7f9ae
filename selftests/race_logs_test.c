// SPDX-License-Identifier: GPL-2.0
/* Item 320: reading the logs while all that they show comes and goes. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "race.h"

FIXTURE(race_logs)
{
};

FIXTURE_SETUP(race_logs)
{
	binder_setup();
	if (binder_count("proc") < 0)
		SKIP(return, "this instance has no binder_logs");
}

FIXTURE_TEARDOWN(race_logs)
{
	EXPECT_STREQ("", binder_teardown());
}

static long call(long self, long calls, long unused)
{
	struct peer *racer = (struct peer *)self;

	while (race_goes_on(racer)) {
		if (racer_open(racer))
			return RACE_LOST;
		for (int i = 0; i < calls; i++)
			if (racer_call(racer, MSG()) == CALL_LOST)
				return race_lost(racer, "one of its messages");
		racer_close(racer);
	}
	return 0;
}

static const char * const names[] = {
	"state", "state_hashed", "stats", "transactions",
	"transactions_hashed", "transaction_log", "failed_transaction_log",
};

static long look(long self, long unused, long unused2)
{
	struct peer *racer = (struct peer *)self;
	char path[64], text[4096];

	for (size_t i = 0; race_goes_on(racer); i++) {
		const char *name = names[i % ARRAY_SIZE(names)];
		int fd;

		snprintf(path, sizeof(path), "binder_logs/%s", name);
		fd = binder_open_at(binder_dir, path, O_RDONLY);
		if (fd < 0)
			return race_lost(racer, path);
		while (read(fd, text, sizeof(text)) > 0)
			;
		close(fd);
	}
	return 0;
}

TEST_F(race_logs, calls)
{
	struct race races[] = {
		{ race_mayfly, 20 }, { call, 10 }, { call, 3 }, { look }, { look },
	};

	EXPECT_EQ(0, race_run(races, ARRAY_SIZE(races)));
	EXPECT_TRUE(race_survived());
}

TEST_HARNESS_MAIN
