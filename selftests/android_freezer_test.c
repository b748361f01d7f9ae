// SPDX-License-Identifier: GPL-2.0
/*
 * The freezer of Android's activity manager: how it finds out whether it can
 * be used, and what it does to an app in the background.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define GROUP "binder-android"
#define COOKIE 0xf12eULL

/* An app that has opened two devices, and somebody who calls it. */
FIXTURE(android_freezer)
{
	struct task *app;
	struct peer *binder;
	struct peer *hwbinder;
	struct peer *client;
};

FIXTURE_SETUP(android_freezer)
{
	binder_setup();
	self->app = task_fork();
	self->binder = peer_manager(self->app);
	self->hwbinder = peer_open_as(self->app, "hwbinder",
				      O_RDWR | O_NONBLOCK, MAP_SIZE);
	ASSERT_EQ(0, peer_become_manager(self->hwbinder));
	self->client = peer_open(NULL);
}

FIXTURE_TEARDOWN(android_freezer)
{
	EXPECT_STREQ("", binder_teardown());
}

static int freeze(struct peer *peer, __u32 pid, bool on, __u32 timeout_ms)
{
	struct binder_freeze_info info = { pid, on, timeout_ms };

	return peer_ioctl(peer, BINDER_FREEZE, &info);
}

static int frozen_info(struct peer *peer, __u32 pid,
		       struct binder_frozen_status_info *info)
{
	*info = (struct binder_frozen_status_info){ .pid = pid };
	return peer_ioctl(peer, BINDER_GET_FROZEN_INFO, info);
}

/* isFreezerSupported(), first half: a group can be frozen. */
TEST_F(android_freezer, cgroup)
{
	int fs = fsopen("cgroup2", FSOPEN_CLOEXEC);
	char state = 0;
	int dir, fd;

	if (fs < 0)
		SKIP(return, "no cgroup2 file system");
	ASSERT_EQ(0, fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	dir = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	ASSERT_LE(0, dir);
	ASSERT_EQ(0, mkdirat(dir, GROUP, 0755));
	fd = openat(dir, GROUP "/cgroup.freeze", O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(1, read(fd, &state, 1));
	EXPECT_EQ('0', state);
	close(fd);
	EXPECT_EQ(0, unlinkat(dir, GROUP, AT_REMOVEDIR));
	close(dir);
	close(fs);
}

/* isFreezerSupported(), second half: it asks about itself. */
TEST_F(android_freezer, own_state)
{
	struct binder_frozen_status_info info;

	EXPECT_EQ(0, frozen_info(self->client, getpid(), &info));
	EXPECT_EQ(0, info.sync_recv);
	EXPECT_EQ(0, info.async_recv);
}

static long do_unshare(long flags, long unused, long unused2)
{
	return unshare(flags) ? -errno : 0;
}

static long do_getpid(long unused, long unused2, long unused3)
{
	return getpid();
}

/* BETTER: in a container too. The C driver takes the pid as the host's. */
TEST_F(android_freezer, own_state_in_a_container)
{
	struct binder_frozen_status_info info;
	struct task *inner;
	struct peer *peer;
	int pid;

	if (!is_binder_safe())
		SKIP(return, "BETTER: C knows no pid namespace here");
	ASSERT_EQ(0, task_call(task_nursery(), do_unshare, CLONE_NEWPID, 0, 0));
	inner = task_fork();
	pid = task_call(inner, do_getpid, 0, 0, 0);
	ASSERT_NE(task_pid(inner), pid);
	peer = peer_open(inner);
	EXPECT_EQ(0, frozen_info(peer, pid, &info));
	/* The app of the host is out of reach: its number means nothing here. */
	EXPECT_EQ(-EINVAL, freeze(peer, task_pid(self->app), true, 0));
}

/* freezeBinder() of an app that is busy, and again when it is not. */
TEST_F(android_freezer, busy_app)
{
	__u32 pid = task_pid(self->app);

	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
	EXPECT_EQ(-EAGAIN, freeze(self->client, pid, true, 100));
	must_read(self->binder, "NOOP TRANSACTION");
	EXPECT_EQ(-EAGAIN, freeze(self->client, pid, true, 100));
	answer(self->binder, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
		     peer_read(self->client));
	EXPECT_EQ(0, freeze(self->client, pid, true, 100));
	EXPECT_EQ(0, freeze(self->client, pid, false, 0));
}

/* All that the app has opened is frozen, and it is told what it missed. */
TEST_F(android_freezer, frozen_app)
{
	struct binder_frozen_status_info info;
	__u32 pid = task_pid(self->app);
	struct peer *hwclient;

	hwclient = peer_open_as(NULL, "hwbinder", O_RDWR | O_NONBLOCK,
				MAP_SIZE);
	ASSERT_EQ(0, freeze(self->client, pid, true, 100));
	put_msg(hwclient, BC_TRANSACTION, MSG());
	EXPECT_STREQ("NOOP FROZEN_REPLY", peer_write_read(hwclient));
	put_msg(self->client, BC_TRANSACTION, MSG());
	EXPECT_STREQ("NOOP FROZEN_REPLY", peer_write_read(self->client));
	put_msg(self->client, BC_TRANSACTION, MSG(.flags = TF_ONE_WAY));
	EXPECT_STREQ("NOOP TRANSACTION_PENDING_FROZEN",
		     peer_write_read(self->client));
	ASSERT_EQ(0, frozen_info(self->client, pid, &info));
	EXPECT_EQ(3, info.sync_recv);
	EXPECT_EQ(1, info.async_recv);
	EXPECT_EQ(0, freeze(self->client, pid, false, 0));
	must_read(self->binder, "NOOP TRANSACTION");
	EXPECT_EQ(0, freeze(self->client, pid, false, 0));
}

/* Of messages that can stand for each other, the app finds the last. */
TEST_F(android_freezer, superseded)
{
	__u32 flags = TF_ONE_WAY | TF_UPDATE_TXN;
	__u32 pid = task_pid(self->app);
	__u64 value;

	/* They wait for one another behind this one, which is never freed. */
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.flags = TF_ONE_WAY)));
	must_read(self->binder, "NOOP TRANSACTION");
	ASSERT_EQ(0, freeze(self->client, pid, true, 100));
	for (value = 1; value <= 3; value++) {
		put_msg(self->client, BC_TRANSACTION,
			MSG(.code = 7, .flags = flags, .data = &value,
			    .size = sizeof(value)));
		peer_write_read(self->client);
	}
	ASSERT_EQ(0, freeze(self->client, pid, false, 0));
	ASSERT_EQ(0, peer_free_last(self->binder));
	must_read(self->binder, "NOOP TRANSACTION");
	memcpy(&value, peer_data(self->binder), sizeof(value));
	EXPECT_EQ(3, value);
	ASSERT_EQ(0, peer_free_last(self->binder));
	EXPECT_STREQ("EAGAIN", peer_read(self->binder));
}

/* Items 55 and 66. */
TEST_F(android_freezer, unknown_app)
{
	struct binder_frozen_status_info info;

	EXPECT_EQ(-EINVAL, freeze(self->client, 0x3fffffff, true, 100));
	EXPECT_EQ(-EINVAL, frozen_info(self->client, 0x3fffffff, &info));
}

/* Reads one state and acknowledges it; or gives what came instead. */
static const char *frozen_state(struct peer *peer)
{
	const struct binder_frozen_state_info *info = &peer->rets[1].frozen;

	if (strcmp(peer_read(peer), "NOOP FROZEN_BINDER"))
		return peer->text;
	if (info->cookie != COOKIE)
		return "a wrong cookie";
	put_u64(peer, BC_FREEZE_NOTIFICATION_DONE, COOKIE);
	if (peer_write(peer))
		return "an error from BC_FREEZE_NOTIFICATION_DONE";
	return info->is_frozen ? "frozen" : "thawed";
}

/* addFrozenStateChangeCallback() and its end */
TEST_F(android_freezer, callback)
{
	__u32 pid = task_pid(self->app);
	struct peer *client = self->client;

	ASSERT_EQ(0, peer_word(client, BC_ENTER_LOOPER));
	put_u32(client, BC_ACQUIRE, 0);
	put_handle_cookie(client, BC_REQUEST_FREEZE_NOTIFICATION, 0, COOKIE);
	ASSERT_EQ(0, peer_write(client));
	EXPECT_STREQ("thawed", frozen_state(client));
	ASSERT_EQ(0, freeze(client, pid, true, 100));
	EXPECT_STREQ("frozen", frozen_state(client));
	ASSERT_EQ(0, freeze(client, pid, false, 0));
	EXPECT_STREQ("thawed", frozen_state(client));
	put_handle_cookie(client, BC_CLEAR_FREEZE_NOTIFICATION, 0, COOKIE);
	ASSERT_EQ(0, peer_write(client));
	EXPECT_STREQ("NOOP CLEAR_FREEZE_NOTIFICATION_DONE", peer_read(client));
}

TEST_HARNESS_MAIN
