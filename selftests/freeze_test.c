// SPDX-License-Identifier: GPL-2.0
/* BINDER_FREEZE and BINDER_GET_FROZEN_INFO. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define NOBODY 0x3fffffff

/* The server, which is the manager, is the one to be frozen. */
FIXTURE(freeze)
{
	struct task *task;
	struct peer *server;
	struct peer *client;
};

FIXTURE_SETUP(freeze)
{
	binder_setup();
	self->task = task_fork();
	self->server = peer_manager(self->task);
	self->client = peer_open(NULL);
}

FIXTURE_TEARDOWN(freeze)
{
	EXPECT_STREQ("", binder_teardown());
}

static int freeze_pid(struct peer *peer, __u32 pid, bool on, __u32 timeout_ms)
{
	struct binder_freeze_info info = { pid, on, timeout_ms };

	return peer_ioctl(peer, BINDER_FREEZE, &info);
}

static int freeze(struct peer *peer, struct task *task, bool on)
{
	return freeze_pid(peer, task_pid(task), on, 0);
}

/* BINDER_GET_FROZEN_INFO as "sync_recv/async_recv" */
static const char *frozen_info(struct peer *peer, struct task *task)
{
	struct binder_frozen_status_info info = { .pid = task_pid(task) };
	int ret = peer_ioctl(peer, BINDER_GET_FROZEN_INFO, &info);

	if (ret)
		return error_name(-ret);
	snprintf(peer->text, sizeof(peer->text), "%u/%u", info.sync_recv,
		 info.async_recv);
	return peer->text;
}

/* What a oneway to the server gives */
static const char *post(struct peer *client)
{
	put_msg(client, BC_TRANSACTION, MSG(.flags = TF_ONE_WAY));
	return peer_write_read(client);
}

/* Items 55 and 66. */
TEST_F(freeze, unknown_pid)
{
	struct binder_frozen_status_info info = { .pid = NOBODY };

	EXPECT_EQ(-EINVAL, freeze_pid(self->client, NOBODY, true, 0));
	EXPECT_EQ(-EINVAL, freeze_pid(self->client, NOBODY, false, 0));
	EXPECT_EQ(-EINVAL, peer_ioctl(self->client, BINDER_GET_FROZEN_INFO,
				      &info));
}

/* Item 39, for the ioctls of this file. */
TEST_F(freeze, bad_pointers)
{
	EXPECT_EQ(-1, ioctl(self->client->fd, BINDER_FREEZE, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(self->client->fd, BINDER_GET_FROZEN_INFO, 8));
	EXPECT_EQ(EFAULT, errno);
}

/* Items 56, 63 and 168: an idle process freezes at once, and thaws. */
TEST_F(freeze, idle)
{
	long start = now_ms();

	EXPECT_EQ(0, freeze_pid(self->client, task_pid(self->task), true,
				60000));
	EXPECT_GT(10000, now_ms() - start);
	put_msg(self->client, BC_TRANSACTION, MSG());
	EXPECT_STREQ("NOOP FROZEN_REPLY", peer_write_read(self->client));
	EXPECT_EQ(0, freeze(self->client, self->task, false));
	EXPECT_STREQ("EAGAIN", peer_read(self->server));
	put_msg(self->client, BC_TRANSACTION, MSG(.code = 2));
	EXPECT_STREQ("EAGAIN", peer_write_read(self->client));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	EXPECT_EQ(2, self->server->txn.code);
}

/* Item 63: thawing what is not frozen is no error. */
TEST_F(freeze, thaw_unfrozen)
{
	EXPECT_EQ(0, freeze(self->client, self->task, false));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", post(self->client));
}

/* Item 57: a call waits to be read. */
TEST_F(freeze, queued_call)
{
	long start;

	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
	EXPECT_EQ(-EAGAIN, freeze(self->client, self->task, true));
	start = now_ms();
	EXPECT_EQ(-EAGAIN, freeze_pid(self->client, task_pid(self->task), true,
				      300));
	EXPECT_LE(250, now_ms() - start);
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	/* Item 57: nor while it is served. */
	EXPECT_EQ(-EAGAIN, freeze(self->client, self->task, true));
	answer(self->server, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
		     peer_read(self->client));
	/* It was never frozen. */
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", post(self->client));
}

/* Starts a BINDER_FREEZE that has to wait. */
static void start_freeze(struct peer *freezer, struct task *target)
{
	struct binder_freeze_info *info = arena_alloc(sizeof(*info));

	*info = (struct binder_freeze_info){ task_pid(target), 1, 60000 };
	peer_ioctl_start(freezer, BINDER_FREEZE, info);
}

/* Item 58: it waits for the answer, not for its whole time. */
TEST_F(freeze, waits_for_the_answer)
{
	struct peer *freezer = peer_open(task_fork());

	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	start_freeze(freezer, self->task);
	answer(self->server, MSG());
	EXPECT_EQ(0, task_finish(freezer->task));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
		     peer_read(self->client));
	put_msg(self->client, BC_TRANSACTION, MSG());
	EXPECT_STREQ("NOOP FROZEN_REPLY", peer_write_read(self->client));
}

static void do_nothing(int sig)
{
}

static long catch_signal(long sig, long unused, long unused2)
{
	struct sigaction act = { .sa_handler = do_nothing };

	return sigaction(sig, &act, NULL);
}

/* Item 61: a signal ends the wait, and the target is as before. */
TEST_F(freeze, interrupted)
{
	struct peer *freezer = peer_open(task_fork());

	ASSERT_EQ(0, task_call(freezer->task, catch_signal, SIGUSR1, 0, 0));
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
	start_freeze(freezer, self->task);
	task_signal(freezer->task, SIGUSR1);
	EXPECT_EQ(-EINTR, task_finish(freezer->task));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	answer(self->server, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
		     peer_read(self->client));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", post(self->client));
}

/* Item 59: oneways that are not delivered count, the parked ones too. */
TEST_F(freeze, undelivered_oneway)
{
	post(self->client);
	EXPECT_EQ(-EAGAIN, freeze(self->client, self->task, true));
	post(self->client);
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	EXPECT_EQ(-EAGAIN, freeze(self->client, self->task, true));
	ASSERT_EQ(0, peer_free_last(self->server));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	EXPECT_EQ(0, freeze(self->client, self->task, true));
}

/* Item 60: so does a call that the target makes itself. */
TEST_F(freeze, outgoing_call)
{
	struct peer *outgoing = peer_open(self->task);
	__u32 handle;

	ASSERT_EQ(0, peer_word(self->client, BC_ENTER_LOOPER));
	handle = registry_add(self->server, self->client, 0x10, 0, 0);
	ASSERT_EQ(0, peer_send(self->server, BC_TRANSACTION,
			       MSG(.handle = handle)));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->client));
	EXPECT_EQ(-EAGAIN, freeze(self->client, self->task, true));
	answer(self->client, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
		     peer_read(self->server));
	EXPECT_EQ(0, freeze(outgoing, self->task, true));
}

/* Item 62: a failed second freeze; C thaws the target, which we do not pin. */
TEST_F(freeze, again_with_pending_work)
{
	const char *text;

	ASSERT_EQ(0, freeze(self->client, self->task, true));
	EXPECT_STREQ("NOOP TRANSACTION_PENDING_FROZEN", post(self->client));
	EXPECT_EQ(-EAGAIN, freeze(self->client, self->task, true));
	text = post(self->client);
	EXPECT_TRUE(!strcmp(text, "NOOP TRANSACTION_COMPLETE") ||
		    !strcmp(text, "NOOP TRANSACTION_PENDING_FROZEN")) {
		TH_LOG("read %s", text);
	}
	EXPECT_EQ(0, freeze(self->client, self->task, false));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", post(self->client));
}

/* Items 63 and 66. */
TEST_F(freeze, info)
{
	EXPECT_STREQ("0/0", frozen_info(self->client, self->task));
	ASSERT_EQ(0, freeze(self->client, self->task, true));
	EXPECT_STREQ("0/0", frozen_info(self->client, self->task));
	put_msg(self->client, BC_TRANSACTION, MSG());
	EXPECT_STREQ("NOOP FROZEN_REPLY", peer_write_read(self->client));
	EXPECT_STREQ("1/0", frozen_info(self->client, self->task));
	EXPECT_EQ(0, freeze(self->client, self->task, true));
	EXPECT_STREQ("0/0", frozen_info(self->client, self->task));
	put_msg(self->client, BC_TRANSACTION, MSG());
	peer_write_read(self->client);
	EXPECT_STREQ("NOOP TRANSACTION_PENDING_FROZEN", post(self->client));
	EXPECT_STREQ("3/1", frozen_info(self->client, self->task));
	EXPECT_EQ(0, freeze(self->client, self->task, false));
	EXPECT_STREQ("2/0", frozen_info(self->client, self->task));
	must_read(self->server, "NOOP TRANSACTION");
	EXPECT_STREQ("0/0", frozen_info(self->client, self->task));
}

/* Item 64: all opens of the process, on any device of the instance. */
TEST_F(freeze, every_open_of_the_process)
{
	struct peer *second, *client;

	ASSERT_EQ(0, binder_add(binder_dir, "second", NULL));
	second = peer_open_as(self->task, "second", O_RDWR | O_NONBLOCK,
			      MAP_SIZE);
	client = peer_open_as(NULL, "second", O_RDWR | O_NONBLOCK, MAP_SIZE);
	ASSERT_EQ(0, peer_ioctl(second, BINDER_SET_CONTEXT_MGR, NULL));
	ASSERT_EQ(0, freeze(self->client, self->task, true));
	put_msg(client, BC_TRANSACTION, MSG());
	EXPECT_STREQ("NOOP FROZEN_REPLY", peer_write_read(client));
	put_msg(self->client, BC_TRANSACTION, MSG());
	EXPECT_STREQ("NOOP FROZEN_REPLY", peer_write_read(self->client));
}

/* Item 64: the newest first; those before the one that fails stay frozen. */
TEST_F(freeze, busy_open_among_idle_ones)
{
	struct peer *second, *client;

	ASSERT_EQ(0, binder_add(binder_dir, "second", NULL));
	second = peer_open_as(self->task, "second", O_RDWR | O_NONBLOCK,
			      MAP_SIZE);
	client = peer_open_as(NULL, "second", O_RDWR | O_NONBLOCK, MAP_SIZE);
	ASSERT_EQ(0, peer_ioctl(second, BINDER_SET_CONTEXT_MGR, NULL));
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
	ASSERT_EQ(-EAGAIN, freeze(self->client, self->task, true));
	put_msg(client, BC_TRANSACTION, MSG());
	EXPECT_STREQ("NOOP FROZEN_REPLY", peer_write_read(client));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", post(peer_open(NULL)));
}

static long set_uid(long uid, long unused, long unused2)
{
	return setuid(uid) ? -errno : 0;
}

/* Item 65: no privilege is asked for, and one may freeze oneself. */
TEST_F(freeze, by_anyone)
{
	struct peer *freezer = peer_open(task_fork());

	ASSERT_EQ(0, task_call(freezer->task, set_uid, 1000, 0, 0));
	EXPECT_EQ(0, freeze(freezer, self->task, true));
	EXPECT_EQ(0, freeze(freezer, self->task, false));
	EXPECT_EQ(0, freeze(self->server, self->task, true));
	put_msg(self->client, BC_TRANSACTION, MSG());
	EXPECT_STREQ("NOOP FROZEN_REPLY", peer_write_read(self->client));
}

TEST_HARNESS_MAIN
