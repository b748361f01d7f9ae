// SPDX-License-Identifier: GPL-2.0
/* Nice values: inherited with a call, given back with the reply. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

FIXTURE(nice)
{
	struct peer *manager;
	struct peer *server;
	struct peer *client;
};

FIXTURE_SETUP(nice)
{
	binder_setup();
	self->manager = registry_open();
	self->server = peer_open(task_fork());
	ASSERT_EQ(0, peer_word(self->server, BC_ENTER_LOOPER));
	self->client = peer_open(task_fork());
}

FIXTURE_TEARDOWN(nice)
{
	EXPECT_STREQ("", binder_teardown());
}

static long do_set_nice(long value, long unused, long unused2)
{
	return setpriority(PRIO_PROCESS, 0, value) ? -errno : 0;
}

static long do_get_nice(long unused, long unused2, long unused3)
{
	return getpriority(PRIO_PROCESS, 0);
}

static void set_nice(struct peer *peer, int value)
{
	if (task_call(peer->task, do_set_nice, value, 0, 0))
		die("setpriority failed");
}

static int nice_of(struct peer *peer)
{
	return task_call(peer->task, do_get_nice, 0, 0, 0);
}

/* One call with the given nice; returns the server's while it serves it. */
static int nice_in_call(struct peer *client, struct peer *server, __u32 handle,
			int value)
{
	struct msg msg = { .handle = handle };
	int seen;

	set_nice(client, value);
	if (peer_send(client, BC_TRANSACTION, &msg))
		die("BC_TRANSACTION failed");
	set_nice(client, 0);
	must_read(server, "NOOP TRANSACTION");
	seen = nice_of(server);
	answer(server, MSG());
	must_read(client, "NOOP TRANSACTION_COMPLETE REPLY");
	peer_free_last(client);
	return seen;
}

/* Item 248: the better of the caller's and the object's, and back again. */
TEST_F(nice, of_a_call)
{
	static const struct {
		int caller, seen;
	} cases[] = {
		{ 0, 0 }, { 5, 5 }, { 15, 10 }, { -5, -5 },
	};
	__u32 handle = registry_give(self->manager, self->server, self->client,
				     0x10, 0, 10);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_EQ(cases[i].seen,
			  nice_in_call(self->client, self->server, handle,
				       cases[i].caller)) {
			TH_LOG("caller %d", cases[i].caller);
		}
		EXPECT_EQ(0, nice_of(self->server));
	}
}

/* Item 251: a minimum out of range never counts. */
TEST_F(nice, without_a_minimum)
{
	static const __u32 flags[] = { 0x7f, 20, 236 };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		__u32 handle = registry_give(self->manager, self->server,
					     self->client, 0x10 + i, 0,
					     flags[i]);

		EXPECT_EQ(15, nice_in_call(self->client, self->server, handle,
					   15));
		EXPECT_EQ(-5, nice_in_call(self->client, self->server, handle,
					   -5));
		EXPECT_EQ(0, nice_of(self->server));
	}
}

/* Item 249: a oneway has the object's, if that is better. */
TEST_F(nice, of_a_oneway)
{
	static const struct {
		int before, seen;
	} cases[] = {
		{ 15, 10 }, { 10, 10 },
	};
	__u32 handle;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct peer *server;

		/* A thread's nice at open is the one that it falls back to. */
		set_nice(self->server, cases[i].before);
		server = peer_open(self->server->task);
		ASSERT_EQ(0, peer_word(server, BC_ENTER_LOOPER));
		handle = registry_give(self->manager, server, self->client,
				       0x10, 0, 10);
		ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
				       MSG(.handle = handle,
					   .flags = TF_ONE_WAY)));
		must_read(server, "NOOP TRANSACTION");
		must_read(self->client, "NOOP TRANSACTION_COMPLETE");
		EXPECT_EQ(cases[i].seen, nice_of(server));
		peer_close(server);
	}
}

/* Items 4 and 250: an idle looper goes back to the nice of the open. */
TEST_F(nice, of_an_idle_looper)
{
	set_nice(self->server, 7);
	EXPECT_STREQ("EAGAIN", peer_read(self->server));
	EXPECT_EQ(0, nice_of(self->server));
}

static long limit_nice(long limit, long uid, long unused)
{
	struct rlimit rlim = { limit, limit };

	if (setrlimit(RLIMIT_NICE, &rlim))
		return -errno;
	return setuid(uid) ? -errno : 0;
}

/* Item 252: without the capability RLIMIT_NICE is the bound. */
TEST_F(nice, limited)
{
	__u32 handle = registry_give(self->manager, self->server, self->client,
				     0x10, 0, 10);

	/* A limit of 25 allows -5 and worse. */
	ASSERT_EQ(0, task_call(self->server->task, limit_nice, 25, 1000, 0));
	EXPECT_EQ(-5, nice_in_call(self->client, self->server, handle, -10));
	EXPECT_EQ(0, nice_of(self->server));
	EXPECT_EQ(-3, nice_in_call(self->client, self->server, handle, -3));
}

/* Item 252: a limit of 0 lets nothing change. */
TEST_F(nice, limited_to_nothing)
{
	__u32 handle = registry_give(self->manager, self->server, self->client,
				     0x10, 0, 10);

	ASSERT_EQ(0, task_call(self->server->task, limit_nice, 0, 1000, 0));
	EXPECT_EQ(0, nice_in_call(self->client, self->server, handle, -10));
	EXPECT_EQ(0, nice_in_call(self->client, self->server, handle, 15));
	EXPECT_EQ(0, nice_of(self->server));
}

/* Item 43: the manager's object may have a priority, too. */
TEST_F(nice, of_the_manager)
{
	struct flat_binder_object obj = local_object(0, 0, 10);
	struct peer *server, *client;

	ASSERT_EQ(0, binder_add(binder_dir, "second", NULL));
	server = peer_open_as(self->server->task, "second",
			      O_RDWR | O_NONBLOCK, MAP_SIZE);
	client = peer_open_as(self->client->task, "second",
			      O_RDWR | O_NONBLOCK, MAP_SIZE);
	ASSERT_EQ(0, peer_ioctl(server, BINDER_SET_CONTEXT_MGR_EXT, &obj));
	ASSERT_EQ(0, peer_word(server, BC_ENTER_LOOPER));
	EXPECT_EQ(10, nice_in_call(client, server, 0, 15));
	EXPECT_EQ(0, nice_of(server));
}

static long do_be_real_time(long unused, long unused2, long unused3)
{
	struct sched_param param = { .sched_priority = 1 };

	return sched_setscheduler(0, SCHED_FIFO, &param) ? -errno : 0;
}

static long do_get_policy(long unused, long unused2, long unused3)
{
	return sched_getscheduler(0);
}

/* Item 253: a caller's policy is its own. */
TEST_F(nice, real_time_is_not_inherited)
{
	__u32 handle = registry_give(self->manager, self->server, self->client,
				     0x10, 0, 0x8ff);

	ASSERT_EQ(0, task_call(self->client->task, do_be_real_time, 0, 0, 0));
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.handle = handle)));
	must_read(self->server, "NOOP TRANSACTION");
	EXPECT_EQ(SCHED_OTHER, task_call(self->server->task, do_get_policy, 0,
					 0, 0));
	answer(self->server, MSG());
	must_read(self->client, "NOOP TRANSACTION_COMPLETE REPLY");
}

TEST_HARNESS_MAIN
