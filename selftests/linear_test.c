// SPDX-License-Identifier: GPL-2.0
/*
 * What many opens, subscribers and devices cost: four times as many take some
 * four times as long, not sixteen times. Machines differ too much for limits
 * in seconds.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define FEW 2000
#define MANY 8000
/* Below this, times are all noise. */
#define FLOOR_MS 400
/* Between what is proportional, 4, and what is quadratic, 16 */
#define RATIO 10
/* A machine may pause at any time; what is quadratic is so each time. */
#define TRIES 3

FIXTURE(linear)
{
};

FIXTURE_SETUP(linear)
{
	binder_setup();
	registry_open();
}

FIXTURE_TEARDOWN(linear)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Whether the time for many is in proportion to that for a few */
static bool in_proportion(long few_ms, long many_ms)
{
	if (many_ms < FLOOR_MS || many_ms < RATIO * few_ms)
		return true;
	fprintf(stderr, "# %d take %ld ms, but %d take %ld ms\n", FEW, few_ms,
		MANY, many_ms);
	return false;
}

/* Whether the time grows no faster than the count, at least once */
static bool is_linear(long (*time_for)(int count))
{
	for (int i = 0; i < TRIES; i++) {
		long few_ms = time_for(FEW);

		if (in_proportion(few_ms, time_for(MANY)))
			return true;
	}
	return false;
}

static void allow_files(void)
{
	struct rlimit limit = { 2 * MANY, 2 * MANY };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("RLIMIT_NOFILE: %m");
}

/* Waits until there are no more of a kind of object than there were. */
static void wait_for_count(const char *name, long count)
{
	while (binder_count(name) > count)
		nap();
}

/* One more open of this process; it may ask to hear of the manager's end. */
static bool open_one(bool subscribe)
{
	struct peer peer = {
		.fd = binder_open_at(binder_dir, BINDER_DEV, O_RDWR),
	};

	if (peer.fd < 0 || !subscribe)
		return peer.fd >= 0;
	put_u32(&peer, BC_ACQUIRE, 0);
	put_handle_cookie(&peer, BC_REQUEST_DEATH_NOTIFICATION, 0, 1);
	return !peer_write(&peer);
}

/* A process with so many opens; how long its end takes */
static long open_and_exit(int count, bool subscribe)
{
	long start, before = binder_count("proc");
	int status, go[2], come[2];
	char byte = 0;
	pid_t pid;

	if (pipe(go) || pipe(come))
		die("pipe: %m");
	pid = fork();
	if (!pid) {
		allow_files();
		for (int i = 0; i < count; i++)
			if (!open_one(subscribe))
				_exit(1);
		_exit(write(come[1], &byte, 1) != 1 ||
		      read(go[0], &byte, 1) != 1);
	}
	close(come[1]);
	if (read(come[0], &byte, 1) != 1)
		die("the process cannot open so many");
	start = now_ms();
	if (write(go[1], &byte, 1) != 1 || waitpid(pid, &status, 0) != pid)
		die("the process does not end");
	wait_for_count("proc", before);
	close(go[0]);
	close(go[1]);
	close(come[0]);
	return now_ms() - start;
}

static long exit_with_opens(int count)
{
	return open_and_exit(count, false);
}

/* Items 10 and 612. */
TEST_F_TIMEOUT(linear, exit_with_many_opens, 150)
{
	EXPECT_TRUE(is_linear(exit_with_opens));
}

static long exit_with_requests(int count)
{
	return open_and_exit(count, true);
}

/* Items 152 and 612: all of them listen to one node. */
TEST_F_TIMEOUT(linear, exit_with_many_requests, 150)
{
	EXPECT_TRUE(is_linear(exit_with_requests));
}

/* How long a mount with so many devices takes to go */
static long add_and_unmount(int count)
{
	int dir = binder_mount(NULL, NULL);
	char name[16];
	long start;

	if (dir < 0)
		die("mount: %s", error_name(-dir));
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "many%d", i);
		if (binder_add(dir, name, NULL))
			die("no more than %d devices", i);
	}
	start = now_ms();
	close(dir);
	return now_ms() - start;
}

/* Items 291 and 612. */
TEST_F_TIMEOUT(linear, umount_with_many_devices, 150)
{
	EXPECT_TRUE(is_linear(add_and_unmount));
}

TEST_HARNESS_MAIN
