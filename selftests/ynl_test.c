// SPDX-License-Identifier: GPL-2.0
/*
 * Reports as the kernel's own tool for netlink families reads them, by
 * Documentation/netlink/specs/binder.yaml.
 */

#include <unistd.h>

#include "kselftest_harness.h"
#include "peer.h"

#ifdef HAVE_YNL
#include <ynl.h>

#include "binder-user.h"

#define SIZE (MAP_SIZE + 8)	/* no room for it */

FIXTURE(ynl)
{
	struct ynl_sock *sock;
	struct peer *server;	/* the manager */
	struct peer *client;
	pid_t server_pid;
};

FIXTURE_SETUP(ynl)
{
	struct task *task;
	struct ynl_error error;

	binder_setup();
	self->sock = ynl_sock_create(&ynl_binder_family, &error);
	ASSERT_NE(NULL, self->sock) {
		TH_LOG("%s", error.msg);
	}
	ASSERT_EQ(0, ynl_subscribe(self->sock, "report")) {
		TH_LOG("%s", self->sock->err.msg);
	}
	task = task_fork();
	self->server = peer_manager(task);
	self->client = peer_open(NULL);
	self->server_pid = task_pid(task);
}

FIXTURE_TEARDOWN(ynl)
{
	if (self->sock)
		ynl_sock_destroy(self->sock);
	EXPECT_STREQ("", binder_teardown());
}

/* Items 327 and 329. */
TEST_F(ynl, report)
{
	struct binder_report *report;
	struct ynl_ntf_base_type *ntf;

	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.code = 0xc0de, .flags = 0x40,
				   .data = "1", .size = SIZE, .raw = true)));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_read(self->client));
	ASSERT_EQ(0, ynl_ntf_check(self->sock)) {
		TH_LOG("%s", self->sock->err.msg);
	}
	ntf = ynl_ntf_dequeue(self->sock);
	ASSERT_NE(NULL, ntf);
	EXPECT_EQ(BINDER_CMD_REPORT, ntf->cmd);
	report = (struct binder_report *)ntf;
	EXPECT_EQ(1, (int)report->obj._present.error);
	EXPECT_EQ(BR_FAILED_REPLY, report->obj.error);
	EXPECT_STREQ(BINDER_DEV, report->obj.context);
	EXPECT_EQ(getpid(), report->obj.from_pid);
	EXPECT_EQ(getpid(), report->obj.from_tid);
	EXPECT_EQ(self->server_pid, report->obj.to_pid);
	EXPECT_EQ(0, (int)report->obj._present.to_tid);
	EXPECT_EQ(0, (int)report->obj._present.is_reply);
	EXPECT_EQ(0x40, report->obj.flags);
	EXPECT_EQ(0xc0de, report->obj.code);
	EXPECT_EQ(SIZE, report->obj.data_size);
	ynl_ntf_free(ntf);
	EXPECT_EQ(NULL, ynl_ntf_dequeue(self->sock));
}

#else

TEST(report)
{
	SKIP(return, "built without ynl, which needs python3 with yaml");
}

#endif

TEST_HARNESS_MAIN
