// SPDX-License-Identifier: GPL-2.0
/* Processes in cgroups. Item 21: a frozen looper loses nothing. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "peer.h"

#define GROUP "binder-selftest"

FIXTURE(cgroup)
{
	int dir;
	struct task *looper;
};

static int open_cgroup2(void)
{
	int fs = fsopen("cgroup2", FSOPEN_CLOEXEC);
	int dir = -1;

	if (fs >= 0 && !fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		dir = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
	return dir;
}

static int write_at(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	int ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;

	close(fd);
	return ret;
}

FIXTURE_SETUP(cgroup)
{
	char pid[16];

	binder_setup();
	self->dir = open_cgroup2();
	if (self->dir < 0)
		SKIP(return, "no cgroup2 file system");
	self->looper = task_fork();
	mkdirat(self->dir, GROUP, 0755);
	snprintf(pid, sizeof(pid), "%d", task_pid(self->looper));
	if (write_at(self->dir, GROUP "/cgroup.procs", pid))
		SKIP(return, "cannot move a task to a cgroup: %m");
}

FIXTURE_TEARDOWN(cgroup)
{
	EXPECT_STREQ("", binder_teardown());
	unlinkat(self->dir, GROUP, AT_REMOVEDIR);
	close(self->dir);
}

/* Waits until cgroup.events says so. */
static bool is_frozen(int dir)
{
	long deadline = now_ms() + 5000;
	char text[128];
	int fd, len;

	while (now_ms() < deadline) {
		fd = openat(dir, GROUP "/cgroup.events", O_RDONLY | O_CLOEXEC);
		len = read(fd, text, sizeof(text) - 1);
		close(fd);
		text[len > 0 ? len : 0] = 0;
		if (strstr(text, "frozen 1"))
			return true;
		nap();
	}
	return false;
}

TEST_F(cgroup, frozen_looper)
{
	struct peer *server = peer_open_as(self->looper, BINDER_DEV, O_RDWR,
					   MAP_SIZE);
	struct peer *client = peer_open(NULL);
	const char *text;

	ASSERT_EQ(0, peer_ioctl(server, BINDER_SET_CONTEXT_MGR, NULL));
	put_word(server, BC_ENTER_LOOPER);
	peer_read_start(server);
	ASSERT_EQ(0, write_at(self->dir, GROUP "/cgroup.freeze", "1"));
	ASSERT_TRUE(is_frozen(self->dir));
	put_msg(client, BC_TRANSACTION, MSG(.code = 3));
	EXPECT_STREQ("EAGAIN", peer_write_read(client));
	ASSERT_EQ(0, write_at(self->dir, GROUP "/cgroup.freeze", "0"));
	text = peer_read_finish(server);
	/* This freezer works like a signal, which ends a wait. */
	if (!strcmp(text, "EINTR"))
		text = peer_read(server);
	EXPECT_STREQ("NOOP TRANSACTION", text);
	EXPECT_EQ(3, server->txn.code);
}

static long read_at(int dir, const char *name, const char *key)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char text[512], *at = text;
	int len = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[len > 0 ? len : 0] = 0;
	if (key)
		at = strstr(text, key);
	return at && *at ? strtol(at + (key ? strlen(key) : 0), NULL, 10) : -1;
}

static long do_getpid(long unused, long unused2, long unused3)
{
	return getpid();
}

/* Whoever sends to a process must not have it killed for want of memory. */
TEST_F(cgroup, full_receiver)
{
	const size_t size = 3 << 20;
	struct peer *server, *client;
	char limit[32];

	if (write_at(self->dir, "cgroup.subtree_control", "+memory"))
		SKIP(return, "no memory cgroups");
	server = peer_open_as(self->looper, BINDER_DEV, O_RDWR, 4 << 20);
	client = peer_open(NULL);
	ASSERT_EQ(0, peer_ioctl(server, BINDER_SET_CONTEXT_MGR, NULL));
	ASSERT_EQ(0, peer_word(server, BC_ENTER_LOOPER));
	snprintf(limit, sizeof(limit), "%ld",
		 read_at(self->dir, GROUP "/memory.current", NULL) + (1 << 20));
	ASSERT_EQ(0, write_at(self->dir, GROUP "/memory.max", limit));

	put_msg(client, BC_TRANSACTION,
		MSG(.data = arena_alloc(size), .size = size));
	/* It fails if these pages are charged to the receiver. */
	peer_write_read(client);
	EXPECT_EQ(0, read_at(self->dir, GROUP "/memory.events", "oom_kill "));
	ASSERT_EQ(0, write_at(self->dir, GROUP "/memory.max", "max"));
	EXPECT_EQ(task_pid(self->looper),
		  task_call(self->looper, do_getpid, 0, 0, 0));
}

TEST_HARNESS_MAIN
