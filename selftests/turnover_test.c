// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that come, use a device and end without BINDER_THREAD_EXIT, as those
 * of a pool do: the process goes on, and what is kept of them is bounded.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

/* BINDER_THREADS in the environment is for a longer test. */
#define THREADS 20000
/* An old limit for one process, which this is about */
#define ENOUGH 17000
#define PATIENCE_MS 100000

/* What a thread is told, and tells */
struct entry {
	int fd;
	int error;
};

FIXTURE(turnover)
{
	struct peer *server;
	struct peer *client;
	int count;
};

FIXTURE_SETUP(turnover)
{
	const char *count = getenv("BINDER_THREADS");

	binder_setup();
	self->server = peer_manager(NULL);
	self->client = peer_open(task_fork());
	self->count = count ? atoi(count) : THREADS;
}

FIXTURE_TEARDOWN(turnover)
{
	EXPECT_STREQ("", binder_teardown());
}

static int enter(void *arg)
{
	__u32 cmd = BC_ENTER_LOOPER;
	struct binder_write_read bwr = {
		.write_size = sizeof(cmd), .write_buffer = (__u64)&cmd,
	};
	struct entry *entry = arg;

	entry->error = ioctl(entry->fd, BINDER_WRITE_READ, &bwr) ? errno : 0;
	return 0;
}

/*
 * Has threads come and go; returns how many, for lack of time, or -errno. Each
 * shares errno with this one, which sleeps until it is gone.
 */
static long turn_over(int fd, int count)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			  CLONE_THREAD | CLONE_SYSVSEM | CLONE_VFORK;
	static __u64 stack[8192];
	long end = now_ms() + PATIENCE_MS;
	struct entry entry = { .fd = fd };
	int made;

	for (made = 0; made < count && now_ms() < end; made++) {
		if (clone(enter, stack + ARRAY_SIZE(stack), flags, &entry) < 0)
			die("no thread: %m");
		if (entry.error)
			return -entry.error;
	}
	return made;
}

static const char *call(struct peer *client, struct peer *server)
{
	if (strcmp(peer_read(server), "NOOP TRANSACTION"))
		return server->text;
	answer(server, MSG());
	peer_read(client);
	peer_free_last(client);
	return client->text;
}

/* Items 46 and 608. */
TEST_F(turnover, the_process_goes_on)
{
	long made = turn_over(self->server->fd, self->count);

	EXPECT_LT(0, made);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
		ASSERT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
			     call(self->client, self->server));
	}
	if (made >= 0 && made < ENOUGH)
		SKIP(return, "this machine is too slow for more than %ld",
		     made);
}

/* Item 402: what is kept has nothing to do with how many there were. */
TEST_F(turnover, few_are_kept)
{
	long before = binder_count("thread"), made;

	if (!is_binder_safe())
		SKIP(return, "BETTER: C keeps all of them");
	made = turn_over(self->server->fd, self->count / 4);
	EXPECT_GE(made / 4, binder_count("thread") - before);
}

TEST_HARNESS_MAIN
