// SPDX-License-Identifier: GPL-2.0
/* Devices and instances of binderfs that come and go under use. */

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "race.h"

FIXTURE(race_devices)
{
};

FIXTURE_SETUP(race_devices)
{
	binder_setup();
}

FIXTURE_TEARDOWN(race_devices)
{
	EXPECT_STREQ("", binder_teardown());
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
	struct race races[] = {
		{ janitor, 0 }, { janitor, 1 }, { janitor, 2 }, { janitor, 3 },
	};

	EXPECT_EQ(0, race_run(races, ARRAY_SIZE(races)));
	EXPECT_TRUE(race_survived());
}

/* Whether a step ended as such steps may when others do the same. */
static bool fine(int ret)
{
	return ret >= 0 || errno == ENOENT || errno == EEXIST;
}

/* One step with names that others use as well; 0 or what went wrong */
static const char *step(int dir, unsigned int *state, int *fd)
{
	static const char * const names[] = { "a", "b", "c", "d" };
	const char *name = names[next_random(state) % 4];
	const char *other = names[next_random(state) % 4];
	int ret;

	switch (next_random(state) % 6) {
	case 0:
	case 1:
		ret = binder_add(dir, name, NULL);
		return !ret || ret == -EEXIST || ret == -ENOSPC ?
			NULL : "cannot add";
	case 2:
		return fine(unlinkat(dir, name, 0)) ? NULL : "cannot remove";
	case 3:
		return fine(renameat2(dir, name, dir, other, 0)) ?
			NULL : "cannot rename";
	case 4:
		return fine(renameat2(dir, name, dir, other,
				      RENAME_EXCHANGE)) ?
			NULL : "cannot exchange";
	default:
		close(*fd);
		*fd = binder_open_at(dir, name, O_RDWR);
		return *fd >= 0 || *fd == -ENOENT ? NULL : "cannot open";
	}
}

/* In the instance that the others have, too */
static long neighbour(long self, long seed, long unused)
{
	struct peer *racer = (struct peer *)self;
	unsigned int state = seed;
	const char *wrong;
	int fd = -1;

	while (race_goes_on(racer)) {
		wrong = step(binder_dir, &state, &fd);
		if (wrong)
			return race_lost(racer, wrong);
	}
	close(fd);
	return 0;
}

/* In mounts of its own, which end while a device is open */
static long nomad(long self, long seed, long unused)
{
	struct peer *racer = (struct peer *)self;
	unsigned int state = seed;
	int dir, fd = -1;
	const char *wrong = NULL;

	while (race_goes_on(racer) && !wrong) {
		if (mount("binder", "/sys/kernel", "binder", 0, "max=7"))
			return race_lost(racer, "cannot mount");
		dir = open("/sys/kernel", O_PATH | O_CLOEXEC);
		for (int i = 0; i < 8 && !wrong; i++)
			wrong = step(dir, &state, &fd);
		close(dir);
		if (umount2("/sys/kernel", MNT_DETACH))
			return race_lost(racer, "cannot unmount");
	}
	close(fd);
	return wrong ? race_lost(racer, wrong) : 0;
}

/* Mount, add, rename, remove, unmount, in and out of user namespaces. */
TEST_F(race_devices, names_and_mounts)
{
	struct race races[] = {
		{ neighbour, 0 }, { neighbour, 1 }, { nomad, 2 }, { nomad, 3 },
	};

	for (int i = 2; i < 4; i++) {
		races[i].task = task_fork();
		if (task_call(races[i].task, enter_user_namespace, 0, 0, 0))
			SKIP(return, "no user namespaces here");
	}
	EXPECT_EQ(0, race_run(races, ARRAY_SIZE(races)));
	EXPECT_TRUE(race_survived());
}

TEST_HARNESS_MAIN
