// SPDX-License-Identifier: GPL-2.0
/* The logs in debugfs, which are about all mounts and devices. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "logs.h"
#include "object.h"

FIXTURE(logs_debugfs)
{
	int dir;
};

FIXTURE_SETUP(logs_debugfs)
{
	binder_setup();
	self->dir = debug_logs_open();
	if (self->dir < 0)
		SKIP(return, "this kernel or driver has no logs in debugfs");
}

FIXTURE_TEARDOWN(logs_debugfs)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Items 307 and 309: the same files as in a mount, and the same text. */
TEST_F(logs_debugfs, files)
{
	static const struct {
		const char *name;
		const char *start;
	} files[] = {
		{ "state", "binder state:\n" },
		{ "state_hashed", "binder state:\n" },
		{ "stats", "binder stats:\n" },
		{ "transactions", "binder transactions:\n" },
		{ "transactions_hashed", "binder transactions:\n" },
		{ "transaction_log", "" },
		{ "failed_transaction_log", "" },
	};
	char text[64] = "";
	struct stat st;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		ASSERT_EQ(0, fstatat(self->dir, files[i].name, &st, 0)) {
			TH_LOG("%s: %m", files[i].name);
		}
		EXPECT_EQ(S_IFREG | 0444, st.st_mode);
		fd = binder_open_at(self->dir, files[i].name, O_RDONLY);
		ASSERT_LE(0, fd);
		EXPECT_LE(0, read(fd, text, sizeof(text) - 1));
		EXPECT_EQ(0, strncmp(text, files[i].start,
				     strlen(files[i].start)));
		close(fd);
	}
}

static void path_of(char *path, size_t size, struct peer *peer)
{
	snprintf(path, size, "proc/%d", task_pid(peer->task));
}

static const char *read_log(int dir, struct peer *peer)
{
	char path[32];

	path_of(path, sizeof(path), peer);
	return binder_file(dir, path);
}

/* Whether the file of a process goes soon. */
static bool goes(int dir, struct peer *peer)
{
	char path[32];

	path_of(path, sizeof(path), peer);
	for (long end = now_ms() + 5000; now_ms() < end; nap())
		if (faccessat(dir, path, F_OK, 0))
			return true;
	return false;
}

static bool shows(const char *text, struct peer *peer, const char *context)
{
	return strstr(text, "binder proc state:\n") == text &&
	       has_line(text, "^proc %d$", task_pid(peer->task)) &&
	       has_line(text, "^context %s$", context);
}

/* Items 307 and 308. */
TEST_F(logs_debugfs, process)
{
	struct peer *peer = peer_open(task_fork());
	struct stat st;
	char path[32];

	path_of(path, sizeof(path), peer);
	ASSERT_EQ(0, fstatat(self->dir, path, &st, 0));
	EXPECT_EQ(S_IFREG | 0444, st.st_mode);
	EXPECT_TRUE(shows(read_log(self->dir, peer), peer, BINDER_DEV));
	peer_close(peer);
	EXPECT_TRUE(goes(self->dir, peer));
}

/* Item 308: a mount without logs has its processes here, too. */
TEST_F(logs_debugfs, process_of_a_plain_mount)
{
	int mount = binder_mount(NULL, NULL);
	struct peer *peer;
	char path[64];

	ASSERT_LE(0, mount);
	EXPECT_NE(0, faccessat(mount, "binder_logs", F_OK, 0));
	snprintf(path, sizeof(path), "/proc/%d/fd/%d/hwbinder", getpid(),
		 mount);
	peer = peer_open_as(task_fork(), path, O_RDWR, MAP_SIZE);
	EXPECT_TRUE(shows(read_log(self->dir, peer), peer, "hwbinder"));
	peer_close(peer);
	EXPECT_TRUE(goes(self->dir, peer));
	close(mount);
}

/* Items 308 and 409: it stays until the process has closed all, of any mount. */
TEST_F(logs_debugfs, process_of_two_opens)
{
	struct task *task = task_fork();
	struct peer *first, *second;

	if (!is_binder_safe())
		SKIP(return, "BETTER: in C it goes with the first open");
	first = peer_open(task);
	second = peer_open(task);
	peer_close(first);
	usleep(100000);
	EXPECT_TRUE(shows(read_log(self->dir, second), second, BINDER_DEV));
	peer_close(second);
	EXPECT_TRUE(goes(self->dir, second));
}

TEST_HARNESS_MAIN
