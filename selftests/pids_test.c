// SPDX-License-Identifier: GPL-2.0
/*
 * Which pids BINDER_FREEZE and BINDER_GET_FROZEN_INFO take. 0 is what the
 * kernel calls a process that a pid namespace does not see, or one that has
 * been reaped; nobody may reach those by it.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

/* No process has these, or not in the namespace of their user. */
static const __u32 nobody[] = { 0, -1, INT_MIN, INT_MAX, 0x3fffffff };

FIXTURE(pids)
{
	struct peer *server;
	struct peer *client;
};

FIXTURE_SETUP(pids)
{
	binder_setup();
	self->server = peer_manager(task_fork());
	self->client = peer_open(NULL);
}

FIXTURE_TEARDOWN(pids)
{
	EXPECT_STREQ("", binder_teardown());
}

static int freeze(struct peer *peer, __u32 pid, bool on)
{
	struct binder_freeze_info info = { pid, on, 0 };

	return peer_ioctl(peer, BINDER_FREEZE, &info);
}

static int ask(struct peer *peer, __u32 pid)
{
	struct binder_frozen_status_info info = { .pid = pid };

	return peer_ioctl(peer, BINDER_GET_FROZEN_INFO, &info);
}

/* What a pid of nobody does: "" if all is refused */
static const char *reach(struct peer *peer, __u32 pid)
{
	if (ask(peer, pid) != -EINVAL)
		return "it is asked about";
	if (freeze(peer, pid, false) != -EINVAL)
		return "it thaws";
	if (freeze(peer, pid, true) != -EINVAL)
		return "it freezes";
	return "";
}

/* Is the manager as it was? */
static const char *call(struct peer *client)
{
	put_msg(client, BC_TRANSACTION, MSG());
	return peer_write_read(client);
}

/* Items 55, 66 and 601. */
TEST_F(pids, of_nobody)
{
	for (size_t i = 0; i < ARRAY_SIZE(nobody); i++) {
		EXPECT_STREQ("", reach(self->client, nobody[i])) {
			TH_LOG("pid %d", (int)nobody[i]);
		}
	}
	EXPECT_STREQ("EAGAIN", call(self->client));
}

static long do_unshare(long flags, long unused, long unused2)
{
	return unshare(flags) ? -errno : 0;
}

static long set_uid(long uid, long unused, long unused2)
{
	return setuid(uid) ? -errno : 0;
}

/* Items 55, 66, 403 and 601: those outside have no number inside. */
TEST_F(pids, in_a_namespace)
{
	struct peer *inside;

	ASSERT_EQ(0, task_call(task_nursery(), do_unshare, CLONE_NEWPID, 0, 0));
	inside = peer_open(task_fork());
	ASSERT_EQ(0, task_call(inside->task, set_uid, 1000, 0, 0));
	for (size_t i = 0; i < ARRAY_SIZE(nobody); i++) {
		EXPECT_STREQ("", reach(inside, nobody[i])) {
			TH_LOG("pid %d", (int)nobody[i]);
		}
	}
	EXPECT_STREQ("EAGAIN", call(self->client));
}

/* Leaves the task's files to a child. Returns its pid. */
static long leave_heir(long unused, long unused2, long unused3)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, 0);
		pause();
		_exit(0);
	}
	return pid < 0 ? -errno : pid;
}

/* Items 55, 66 and 601: an opener that is no more, while its file is open. */
TEST_F(pids, of_the_reaped)
{
	struct peer *opener = peer_open(task_fork());
	pid_t heir;

	heir = task_call(opener->task, leave_heir, 0, 0, 0);
	ASSERT_LT(0, heir);
	task_kill(opener->task);
	for (size_t i = 0; i < ARRAY_SIZE(nobody); i++) {
		EXPECT_STREQ("", reach(self->client, nobody[i])) {
			TH_LOG("pid %d", (int)nobody[i]);
		}
	}
	kill(heir, SIGKILL);
	EXPECT_STREQ("EAGAIN", call(self->client));
}

TEST_HARNESS_MAIN
