// SPDX-License-Identifier: GPL-2.0
/*
 * Where binder_safe is meant to do better than the C driver. Other tests have
 * more of these; each skips, with the reason, unless binder_safe is tested.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

FIXTURE(better)
{
	struct peer *client;
};

FIXTURE_SETUP(better)
{
	binder_setup();
	self->client = peer_open(NULL);
}

FIXTURE_TEARDOWN(better)
{
	EXPECT_STREQ("", binder_teardown());
}

static int freeze(struct peer *peer, __u32 pid, bool on)
{
	struct binder_freeze_info info = { pid, on, 0 };

	return peer_ioctl(peer, BINDER_FREEZE, &info);
}

static long do_unshare(long flags, long unused, long unused2)
{
	return unshare(flags) ? -errno : 0;
}

/* Items 55, 65, 66 and 403: a pid means what it means to the caller. */
TEST_F(better, freeze_in_a_pid_namespace)
{
	struct binder_frozen_status_info info = { .pid = 2 };
	struct peer *first, *second;

	if (!is_binder_safe())
		SKIP(return, "BETTER: C takes pids of the first namespace");
	ASSERT_EQ(0, task_call(task_nursery(), do_unshare, CLONE_NEWPID, 0, 0));
	first = peer_open(task_fork());
	second = peer_manager(task_fork());
	ASSERT_EQ(0, freeze(first, 2, true));
	EXPECT_EQ(0, peer_ioctl(first, BINDER_GET_FROZEN_INFO, &info));
	put_msg(self->client, BC_TRANSACTION, MSG());
	EXPECT_STREQ("NOOP FROZEN_REPLY", peer_write_read(self->client));
	EXPECT_EQ(0, freeze(first, 2, false));
	/* Outsiders have no number there. */
	EXPECT_EQ(-EINVAL, freeze(first, getpid(), true));
	EXPECT_EQ(0, freeze(self->client, task_pid(second->task), true));
}

/* Calls handle 0 of the device; returns the BR_ that ends the attempt. */
static __u32 call_manager(int dir, const char *name)
{
	struct peer peer = { .nr_rets = 0 };

	peer.fd = binder_open_at(dir, name, O_RDWR | O_NONBLOCK);
	put_msg(&peer, BC_TRANSACTION, MSG());
	peer_write(&peer);
	if (!strcmp(peer_read(&peer), "EAGAIN"))
		return BR_OK;
	return peer.rets[peer.nr_rets - 1].cmd;
}

/* Items 64 and 404: freezing goes no further than the instance it is asked of. */
TEST_F(better, freeze_within_one_instance)
{
	int status, fd, dir = binder_mount(NULL, NULL);
	pid_t child;

	if (!is_binder_safe())
		SKIP(return, "BETTER: C freezes in all instances");
	ASSERT_LE(0, dir);
	ASSERT_EQ(0, binder_add(dir, "elsewhere", NULL));
	fd = binder_open_at(dir, "elsewhere", O_RDWR | O_NONBLOCK);
	ASSERT_EQ(0, ioctl(fd, BINDER_SET_CONTEXT_MGR, 0));
	ASSERT_EQ(0, freeze(self->client, getpid(), true));
	child = fork();
	if (!child)
		_exit(call_manager(dir, "elsewhere") == BR_FROZEN_REPLY);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, freeze(self->client, getpid(), false));
	close(fd);
	close(dir);
}

/* Items 62 and 407: a freeze that fails leaves the target as it was. */
TEST_F(better, failed_refreeze_keeps_it_frozen)
{
	struct peer *server = peer_manager(task_fork());
	__u32 pid = task_pid(server->task);

	if (!is_binder_safe())
		SKIP(return, "BETTER: C thaws the target without a word");
	ASSERT_EQ(0, freeze(self->client, pid, true));
	put_msg(self->client, BC_TRANSACTION, MSG(.flags = TF_ONE_WAY));
	EXPECT_STREQ("NOOP TRANSACTION_PENDING_FROZEN",
		     peer_write_read(self->client));
	EXPECT_EQ(-EAGAIN, freeze(self->client, pid, true));
	put_msg(self->client, BC_TRANSACTION, MSG());
	EXPECT_STREQ("NOOP FROZEN_REPLY", peer_write_read(self->client));
}

/* Items 160 and 410: what has not changed is not told. */
TEST_F(better, frozen_twice_is_told_once)
{
	struct peer *registry = registry_open();
	struct peer *owner = peer_open(task_fork());
	__u32 pid = task_pid(owner->task), handle;

	if (!is_binder_safe())
		SKIP(return, "BETTER: C repeats the state");
	handle = registry_give(registry, owner, self->client, 0x10, 0, 0);
	put_handle_cookie(self->client, BC_REQUEST_FREEZE_NOTIFICATION, handle,
			  1);
	put_word(self->client, BC_ENTER_LOOPER);
	ASSERT_EQ(0, peer_write(self->client));
	must_read(self->client, "NOOP FROZEN_BINDER");
	put_u64(self->client, BC_FREEZE_NOTIFICATION_DONE, 1);
	ASSERT_EQ(0, peer_write(self->client));
	ASSERT_EQ(0, freeze(self->client, pid, true));
	must_read(self->client, "NOOP FROZEN_BINDER");
	put_u64(self->client, BC_FREEZE_NOTIFICATION_DONE, 1);
	ASSERT_EQ(0, freeze(self->client, pid, true));
	EXPECT_STREQ("EAGAIN", peer_write_read(self->client));
}

/* Items 238 and 411: a parent at the start of the data is as good as any. */
TEST_F(better, parent_at_offset_0)
{
	struct sg *sg = &(struct sg){ .size = 0 };
	__u64 parent[4] = {};

	if (!is_binder_safe())
		SKIP(return, "BETTER: C takes offset 0 for no parent");
	peer_manager(task_fork());
	sg_child(sg, "child", 6, sg_ptr(sg, parent, sizeof(parent)), 8);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE",
		     sg_try(self->client, MSG(.flags = TF_ONE_WAY), sg));
}

/* More than any driver should keep for one thread that does not read */
#define MANY 20000
#define BATCH 50

/* Item 401: a sender that reads nothing is stopped, and told all later. */
TEST_F(better, unread_returns_are_bounded)
{
	struct peer *registry = registry_open();
	struct peer *server = peer_open(NULL);
	struct peer *client = self->client;
	int sent = 0, told = 0, came = 0, ret = 0;
	struct msg msg = { .flags = TF_ONE_WAY };

	if (!is_binder_safe())
		SKIP(return, "BETTER: C keeps as many as memory holds");
	ASSERT_EQ(0, peer_word(server, BC_ENTER_LOOPER));
	msg.handle = registry_give(registry, server, client, 0x10, 0, 0);
	while (!ret && sent < MANY) {
		for (int i = 0; i < BATCH; i++)
			put_msg(client, BC_TRANSACTION, &msg);
		ret = peer_write(client);
		sent += client->bwr.write_consumed /
			(client->bwr.write_size / BATCH);
	}
	EXPECT_EQ(-ENOMEM, ret);
	while (strcmp(peer_read(client), "EAGAIN"))
		told += client->bwr.read_consumed / 4 - 1;
	EXPECT_EQ(sent, told);
	while (strcmp(peer_read(server), "EAGAIN")) {
		put_u64(server, BC_FREE_BUFFER, server->txn.data.ptr.buffer);
		ASSERT_EQ(0, peer_write(server));
		came++;
	}
	EXPECT_EQ(sent, came);
	EXPECT_EQ(0, peer_send(client, BC_TRANSACTION, &msg));
}

TEST_HARNESS_MAIN
