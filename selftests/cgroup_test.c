// SPDX-License-Identifier: GPL-2.0
/*
 * What control groups do to processes: a looper that is stopped by the freezer
 * loses nothing (item 21), and one whose memory is full is not killed because
 * of what others send (item 613).
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
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

/* Item 21. */
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

#define MIB (1024 * 1024)
#define LIMIT (32 * MIB)
#define STEP (64 * 1024)
/* Less than what is sent, more than what system calls need */
#define LEFT (256 * 1024)
#define AREA (4 * MIB)
#define LARGE (2 * MIB - 4096)

FIXTURE(full_memory)
{
	int dir;
	struct peer *victim;
	struct peer *client;
};

/* The number in a file of the group, behind a word if it has several */
static long number_at(int dir, const char *name, const char *word)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char text[512], *at = text;
	long number = -1;
	int len;

	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = 0;
	if (word)
		at = strstr(text, word);
	if (at && sscanf(at + (word ? strlen(word) : 0), "%ld", &number) != 1)
		number = -1;
	return number;
}

static char *eaten;

/* Takes size more bytes, or gives all back. */
static long eat(long at, long size, long unused)
{
	if (!eaten)
		eaten = mmap(NULL, LIMIT, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			     MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (eaten == MAP_FAILED)
		return -errno;
	if (size)
		memset(eaten + at, 1, size);
	else if (madvise(eaten, LIMIT, MADV_DONTNEED))
		return -errno;
	return 0;
}

static void eat_nearly_all(int dir, struct task *task)
{
	for (long at = 0; number_at(dir, GROUP "/memory.current", NULL) <
	     LIMIT - LEFT && at < LIMIT; at += STEP)
		if (task_call(task, eat, at, STEP, 0))
			die("the victim cannot eat");
}

FIXTURE_SETUP(full_memory)
{
	struct task *task;
	char text[32];

	binder_setup();
	self->dir = open_cgroup2();
	if (self->dir < 0)
		SKIP(return, "no cgroup2 file system");
	mkdirat(self->dir, GROUP, 0755);
	snprintf(text, sizeof(text), "%d", LIMIT);
	if (write_at(self->dir, "cgroup.subtree_control", "+memory") ||
	    write_at(self->dir, GROUP "/memory.max", text))
		SKIP(return, "no limit for the memory of a cgroup");
	task = task_fork();
	snprintf(text, sizeof(text), "%d", task_pid(task));
	ASSERT_EQ(0, write_at(self->dir, GROUP "/cgroup.procs", text));
	self->victim = peer_open_as(task, BINDER_DEV, O_RDWR | O_NONBLOCK,
				    AREA);
	ASSERT_EQ(0, peer_ioctl(self->victim, BINDER_SET_CONTEXT_MGR, NULL));
	ASSERT_EQ(0, peer_word(self->victim, BC_ENTER_LOOPER));
	self->client = peer_open(NULL);
}

FIXTURE_TEARDOWN(full_memory)
{
	EXPECT_STREQ("", binder_teardown());
	unlinkat(self->dir, GROUP, AT_REMOVEDIR);
	close(self->dir);
}

/* Item 613: a sender is told that there is no room, or there is some. */
TEST_F(full_memory, receiver_lives)
{
	struct peer *client = self->client;
	char *data = arena_alloc(LARGE);
	struct binder_version version;
	const char *text;

	memset(data, 1, LARGE);
	eat_nearly_all(self->dir, self->victim->task);
	put_msg(client, BC_TRANSACTION, MSG(.data = data, .size = LARGE,
					    .flags = TF_ONE_WAY));
	text = peer_write_read(client);
	if (strcmp(text, "NOOP TRANSACTION_COMPLETE")) {
		EXPECT_STREQ("NOOP FAILED_REPLY", text);
		EXPECT_STREQ("FAILED_REPLY ENOMEM", peer_error(client));
	}
	put_msg(client, BC_TRANSACTION, MSG(.data = data, .size = LARGE));
	text = peer_write_read(client);
	if (strcmp(text, "EAGAIN")) {
		EXPECT_STREQ("NOOP FAILED_REPLY", text);
		EXPECT_STREQ("FAILED_REPLY ENOMEM", peer_error(client));
	}
	EXPECT_EQ(0, number_at(self->dir, GROUP "/memory.events",
			       "oom_kill "));
	ASSERT_EQ(0, peer_ioctl(self->victim, BINDER_VERSION, &version));
	/* And it goes on when there is memory again. */
	ASSERT_EQ(0, task_call(self->victim->task, eat, 0, 0, 0));
	client = peer_open(NULL);
	put_msg(client, BC_TRANSACTION, MSG(.data = data, .size = 1024));
	EXPECT_STREQ("EAGAIN", peer_write_read(client));
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(self->victim));
}

TEST_HARNESS_MAIN
