// SPDX-License-Identifier: GPL-2.0
/*
 * A poller beside a thread that sleeps in its read: whoever polls reads next,
 * without end, and must not be told of what somebody else is given.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define ROUNDS 1000
#define PATIENCE_MS 60000
#define OBJECT 0x10

FIXTURE(pollers)
{
	struct peer *manager;
	struct peer *server;
	struct peer *sleeper;	/* threads of the server */
	struct peer *poller;
	struct peer *client;
	__u32 handle;
};

static long wait_for_input(long fd, long unused, long unused2)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int ret = poll(&pfd, 1, -1);

	return ret < 0 ? -errno : pfd.revents;
}

static void start_polling(struct peer *poller)
{
	task_start(poller->task, wait_for_input, poller->fd, 0, 0);
	if (!task_blocks_in(poller->task, SYS_poll))
		die("the poller does not wait");
}

static void send(struct peer *client, __u32 handle, __u32 flags, int count)
{
	struct msg msg = { .handle = handle, .flags = flags };

	for (int i = 0; i < count; i++)
		put_msg(client, BC_TRANSACTION, &msg);
	if (peer_write(client))
		die("BC_TRANSACTION failed");
}

/* Messages for the thread that sleeps: calls, */
static void call(struct peer *client, __u32 handle, struct peer *sleeper,
		 struct peer *server)
{
	peer_read_start(sleeper);
	send(client, handle, 0, 1);
	if (strcmp("NOOP TRANSACTION", peer_read_finish(sleeper)))
		die("server: %s", sleeper->text);
	answer(sleeper, MSG());
	must_read(client, "NOOP TRANSACTION_COMPLETE REPLY");
	peer_free_last(client);
}

/* oneways, */
static void post(struct peer *client, __u32 handle, struct peer *sleeper,
		 struct peer *server)
{
	peer_read_start(sleeper);
	send(client, handle, TF_ONE_WAY, 1);
	if (strcmp("NOOP TRANSACTION", peer_read_finish(sleeper)))
		die("oneway: %s", sleeper->text);
	peer_free_last(sleeper);
	must_read(client, "NOOP TRANSACTION_COMPLETE");
}

/* and the second of two oneways, when the first is freed. */
static void post_parked(struct peer *client, __u32 handle,
			struct peer *sleeper, struct peer *server)
{
	__u64 buffer;

	peer_read_start(sleeper);
	send(client, handle, TF_ONE_WAY, 2);
	if (strcmp("NOOP TRANSACTION", peer_read_finish(sleeper)))
		die("first oneway: %s", sleeper->text);
	buffer = sleeper->txn.data.ptr.buffer;
	peer_read_start(sleeper);
	peer_free(server, buffer);
	if (strcmp("NOOP TRANSACTION", peer_read_finish(sleeper)))
		die("second oneway: %s", sleeper->text);
	peer_free_last(sleeper);
	must_read(client, "NOOP TRANSACTION_COMPLETE TRANSACTION_COMPLETE");
}

FIXTURE_VARIANT(pollers)
{
	void (*send)(struct peer *client, __u32 handle, struct peer *sleeper,
		     struct peer *server);
};

FIXTURE_VARIANT_ADD(pollers, calls)
{
	.send = call,
};

FIXTURE_VARIANT_ADD(pollers, oneways)
{
	.send = post,
};

FIXTURE_VARIANT_ADD(pollers, parked_oneways)
{
	.send = post_parked,
};

FIXTURE_SETUP(pollers)
{
	binder_setup();
	self->manager = registry_open();
	self->handle = registry_pair(self->manager, &self->server,
				     &self->client);
	/* The main thread does not serve. */
	ASSERT_EQ(0, peer_ioctl(self->server, BINDER_THREAD_EXIT, NULL));
	self->sleeper = peer_thread(self->server, task_thread());
	self->poller = peer_thread(self->server, task_thread());
	ASSERT_EQ(0, peer_word(self->sleeper, BC_ENTER_LOOPER));
	ASSERT_EQ(0, peer_word(self->poller, BC_ENTER_LOOPER));
	peer_set_nonblock(self->server, false);
}

FIXTURE_TEARDOWN(pollers)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Items 17 and 605: as long as somebody sleeps, pollers are left alone. */
TEST_F(pollers, somebody_sleeps)
{
	long end = now_ms() + PATIENCE_MS;
	int round = 0;

	start_polling(self->poller);
	for (; round < ROUNDS && now_ms() < end; round++)
		variant->send(self->client, self->handle, self->sleeper,
			      self->server);
	EXPECT_TRUE(task_is_in(self->poller->task, SYS_poll)) {
		TH_LOG("the poller was told within %d rounds", round);
	}
	/* With nobody asleep it is told, and gets the work. */
	send(self->client, self->handle, TF_ONE_WAY, 1);
	EXPECT_EQ(POLLIN, task_finish(self->poller->task));
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(self->poller));
}

/* Items 16 and 605: with nobody asleep, each message is told. */
TEST_F(pollers, nobody_sleeps)
{
	for (int i = 0; i < 50; i++) {
		start_polling(self->poller);
		send(self->client, self->handle, TF_ONE_WAY, 1);
		ASSERT_EQ(POLLIN, task_finish(self->poller->task));
		ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->poller));
		ASSERT_EQ(0, peer_free_last(self->poller));
		must_read(self->client, "NOOP TRANSACTION_COMPLETE");
	}
}

TEST_HARNESS_MAIN
