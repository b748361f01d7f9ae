// SPDX-License-Identifier: GPL-2.0
/* Devices and instances of binderfs that come and go under use. */

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "race.h"

FIXTURE(race_devices)
{
	struct race races[4];
};

FIXTURE_SETUP(race_devices)
{
	binder_setup();
	for (int i = 0; i < 4; i++)
		self->races[i].racer = racer_new();
}

FIXTURE_TEARDOWN(race_devices)
{
	EXPECT_STREQ("", binder_teardown());
}

static unsigned int next_random(unsigned int *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 16;
}

/* Makes and removes the same names, and uses whatever is there. */
static long janitor(long self, long seed, long unused)
{
	struct peer *racer = (struct peer *)self;
	struct binder_version version;
	unsigned int state = seed;
	int fd, dir;

	while (race_goes_on(racer)) {
		switch (next_random(&state) % 4) {
		case 0:
			binder_add(binder_dir, "shared", NULL);
			break;
		case 1:
			unlinkat(binder_dir, "shared", 0);
			break;
		case 2:
			fd = binder_open_at(binder_dir, "shared", O_RDWR);
			if (fd < 0)
				break;
			if (ioctl(fd, BINDER_VERSION, &version))
				return race_lost(racer, "no version");
			close(fd);
			break;
		case 3:
			dir = binder_mount(NULL, NULL);
			if (dir < 0 || binder_add(dir, "own", NULL))
				return race_lost(racer, "no instance");
			fd = binder_open_at(dir, "own", O_RDWR);
			close(dir);
			if (ioctl(fd, BINDER_VERSION, &version))
				return race_lost(racer, "no version");
			close(fd);
			break;
		}
	}
	return 0;
}

/* Item 526: devices and instances come and go. */
TEST_F(race_devices, come_and_go)
{
	for (int i = 0; i < 4; i++)
		self->races[i] = (struct race){
			task_fork(), janitor, self->races[i].racer, i,
		};
	EXPECT_EQ(0, race_run(self->races, 4));
	EXPECT_TRUE(race_survived());
}

TEST_HARNESS_MAIN
