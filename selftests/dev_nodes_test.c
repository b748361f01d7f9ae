// SPDX-License-Identifier: GPL-2.0
/*
 * Item 408: nodes in /dev besides binderfs. BETTER: they are there where the
 * command line of the kernel has binder.devices=. The C driver makes them in
 * kernels without binderfs only.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "logs.h"
#include "object.h"

#define MISC_MAJOR 10

static const char * const nodes[] = {
	"/dev/binder", "/dev/hwbinder", "/dev/vndbinder",
};

/* Whether a file has a line that ends in a name */
static bool lists(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	char line[256], last[256];
	bool found = false;

	while (file && fgets(line, sizeof(line), file))
		found |= sscanf(line, "%*s %255s", last) == 1 &&
			 !strcmp(last, name);
	if (file)
		fclose(file);
	return found;
}

static bool asked_for(void)
{
	FILE *file = fopen("/proc/cmdline", "re");
	char line[1024] = "";

	if (file) {
		if (!fgets(line, sizeof(line), file))
			line[0] = 0;
		fclose(file);
	}
	return strstr(line, "binder.devices=binder,hwbinder,vndbinder");
}

FIXTURE(not_asked_for)
{
};

FIXTURE_SETUP(not_asked_for)
{
	if (is_binder_safe())
		SKIP(return, "module_test has this for binder_safe");
	binder_setup();
}

FIXTURE_TEARDOWN(not_asked_for)
{
	if (!is_binder_safe())
		EXPECT_STREQ("", binder_teardown());
}

/* Item 335: a kernel with binderfs has no such nodes of its own. */
TEST_F(not_asked_for, no_nodes)
{
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		EXPECT_FALSE(lists("/proc/misc", nodes[i] + strlen("/dev/")));
}

FIXTURE(dev_nodes)
{
};

FIXTURE_SETUP(dev_nodes)
{
	if (!is_binder_safe())
		SKIP(return, "BETTER: C has no such nodes with binderfs");
	if (!asked_for())
		SKIP(return, "the command line does not ask for nodes");
	binder_setup();
}

FIXTURE_TEARDOWN(dev_nodes)
{
	if (is_binder_safe() && asked_for())
		EXPECT_STREQ("", binder_teardown());
}

static int manage(const char *node)
{
	int fd = binder_open_at(binder_dir, node, O_RDWR), ret;

	if (fd < 0 || !ioctl(fd, BINDER_SET_CONTEXT_MGR, 0))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

/* Items 335 and 336: each is a context of its own, also from a mount's. */
TEST_F(dev_nodes, contexts)
{
	int fds[ARRAY_SIZE(nodes)], fd;
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		ASSERT_EQ(0, stat(nodes[i], &st));
		EXPECT_TRUE(lists("/proc/misc", nodes[i] + strlen("/dev/")));
		EXPECT_EQ(S_IFCHR | 0600, st.st_mode);
		EXPECT_EQ(MISC_MAJOR, major(st.st_rdev));
		fds[i] = manage(nodes[i]);
		EXPECT_LE(0, fds[i]);
	}
	EXPECT_EQ(-EBUSY, manage(nodes[0]));
	fd = manage("binder");
	EXPECT_LE(0, fd);
	close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		close(fds[i]);
}

/* Item 308: no mount shows who has them open, so debugfs does. */
TEST_F(dev_nodes, log_of_a_process)
{
	struct peer *peer = peer_open_as(task_fork(), nodes[2], O_RDWR, 0);
	int dir = debug_logs_open(), fd;
	char path[32], text[256] = "";

	if (dir < 0)
		SKIP(return, "this kernel has no debugfs");
	snprintf(path, sizeof(path), "proc/%d", task_pid(peer->task));
	fd = binder_open_at(dir, path, O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_LT(0, read(fd, text, sizeof(text) - 1));
	EXPECT_TRUE(has_line(text, "^context vndbinder$"));
	close(fd);
	peer_close(peer);
	for (long end = now_ms() + 5000; now_ms() < end; nap())
		if (faccessat(dir, path, F_OK, 0))
			break;
	EXPECT_NE(0, faccessat(dir, path, F_OK, 0));
	close(dir);
}

TEST_F(dev_nodes, call)
{
	struct peer *server, *client;

	server = peer_open_as(task_fork(), nodes[1], O_RDWR | O_NONBLOCK,
			      MAP_SIZE);
	client = peer_open_as(NULL, nodes[1], O_RDWR | O_NONBLOCK, MAP_SIZE);
	ASSERT_EQ(0, peer_ioctl(server, BINDER_SET_CONTEXT_MGR, NULL));
	ASSERT_EQ(0, peer_word(server, BC_ENTER_LOOPER));
	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION, MSG(.code = 5)));
	must_read(server, "NOOP TRANSACTION");
	EXPECT_EQ(5, server->txn.code);
	answer(server, MSG());
	must_read(client, "NOOP TRANSACTION_COMPLETE REPLY");
}

TEST_HARNESS_MAIN
