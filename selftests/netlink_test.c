// SPDX-License-Identifier: GPL-2.0
/* Reports about transactions that failed, or that may go wrong. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "events.h"
#include "kselftest_harness.h"
#include "netlink.h"
#include "object.h"

#define FAILED "NOOP FAILED_REPLY"
#define OK "NOOP TRANSACTION_COMPLETE"

FIXTURE(netlink)
{
	struct family family;
	struct report report;
	int fd;
	struct peer *server;	/* the manager */
	struct peer *client;
	struct task *task;
	pid_t me;
};

FIXTURE_SETUP(netlink)
{
	int ret;

	self->fd = -1;
	binder_setup();
	ret = family_get(&self->family);
	if (ret == -ENOENT)
		SKIP(return, "no netlink family " BINDER_FAMILY_NAME);
	ASSERT_EQ(0, ret);
	self->fd = reports_open(&self->family);
	ASSERT_LE(0, self->fd);
	self->task = task_fork();
	self->server = peer_manager(self->task);
	self->client = peer_open(NULL);
	self->me = getpid();
}

FIXTURE_TEARDOWN(netlink)
{
	if (self->fd >= 0)
		close(self->fd);
	EXPECT_STREQ("", binder_teardown());
}

static bool next(struct _test_data_netlink *self)
{
	return reports_next(self->fd, &self->report);
}

#define HAS(self, attr) ((self)->report.has[BINDER_A_REPORT_##attr])
#define VALUE(self, attr) ((self)->report.value[BINDER_A_REPORT_##attr])

/* Item 327. */
TEST_F(netlink, family)
{
	EXPECT_EQ(1, self->family.version);
	EXPECT_FALSE(self->family.has_ops);
	EXPECT_EQ(1, self->family.nr_groups);
	EXPECT_STREQ("report", self->family.group);
}

/* Items 328 and 329: all that is known, once. */
TEST_F(netlink, failed_call)
{
	struct flat_binder_object obj = remote_object(77);

	send_object(self->client, BC_TRANSACTION,
		    MSG(.code = 0xc0de, .flags = 0x40), &obj);
	EXPECT_STREQ(FAILED, peer_read(self->client));
	ASSERT_TRUE(next(self));
	EXPECT_EQ(self->family.id, self->report.type);
	EXPECT_EQ(BINDER_CMD_REPORT, self->report.cmd);
	EXPECT_EQ(1, self->report.version);
	EXPECT_EQ(BR_FAILED_REPLY, VALUE(self, ERROR));
	EXPECT_STREQ(BINDER_DEV, self->report.context);
	EXPECT_EQ(self->me, VALUE(self, FROM_PID));
	EXPECT_EQ(self->me, VALUE(self, FROM_TID));
	EXPECT_TRUE(HAS(self, TO_PID));
	EXPECT_EQ(task_pid(self->task), VALUE(self, TO_PID));
	EXPECT_FALSE(HAS(self, TO_TID));
	EXPECT_FALSE(HAS(self, IS_REPLY));
	EXPECT_EQ(0x40, VALUE(self, FLAGS));
	EXPECT_EQ(0xc0de, VALUE(self, CODE));
	EXPECT_EQ(sizeof(obj), VALUE(self, DATA_SIZE));
	EXPECT_FALSE(next(self));
}

/* Item 330. */
TEST_F(netlink, bad_handle)
{
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.handle = 77)));
	EXPECT_STREQ(FAILED, peer_read(self->client));
	ASSERT_TRUE(next(self));
	EXPECT_EQ(BR_FAILED_REPLY, VALUE(self, ERROR));
	EXPECT_FALSE(HAS(self, TO_PID));
	EXPECT_FALSE(HAS(self, TO_TID));
	EXPECT_FALSE(next(self));
}

/* Item 330. While the target is released, it has no mapping, but is known. */
TEST_F(netlink, dead_target)
{
	const char *error = "";

	peer_close(self->server);
	for (long end = now_ms() + 5000; now_ms() < end; nap()) {
		ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
		peer_read(self->client);
		error = peer_error(self->client);
		if (!strcmp("DEAD_REPLY EINVAL", error))
			break;
		while (next(self))
			;
	}
	ASSERT_STREQ("DEAD_REPLY EINVAL", error);
	ASSERT_TRUE(next(self));
	EXPECT_EQ(BR_DEAD_REPLY, VALUE(self, ERROR));
	EXPECT_FALSE(HAS(self, TO_PID));
	EXPECT_FALSE(HAS(self, TO_TID));
}

/* Item 330: a reply to nothing. */
TEST_F(netlink, no_call_to_reply_to)
{
	ASSERT_EQ(0, peer_send(self->client, BC_REPLY, MSG(.code = 5)));
	EXPECT_STREQ(FAILED, peer_read(self->client));
	ASSERT_TRUE(next(self));
	EXPECT_EQ(BR_FAILED_REPLY, VALUE(self, ERROR));
	EXPECT_TRUE(HAS(self, IS_REPLY));
	EXPECT_FALSE(HAS(self, TO_PID));
	EXPECT_EQ(5, VALUE(self, CODE));
	EXPECT_FALSE(next(self));
}

/* Items 328, 330 and 331: the replier is told that all is well. */
TEST_F(netlink, failed_reply)
{
	struct flat_binder_object obj = remote_object(77);

	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
	must_read(self->server, "NOOP TRANSACTION");
	send_object(self->server, BC_REPLY, MSG(.code = 9), &obj);
	EXPECT_STREQ(OK, peer_read(self->server));
	ASSERT_TRUE(next(self));
	EXPECT_EQ(BR_FAILED_REPLY, VALUE(self, ERROR));
	EXPECT_TRUE(HAS(self, IS_REPLY));
	EXPECT_EQ(task_pid(self->task), VALUE(self, FROM_PID));
	EXPECT_EQ(task_pid(self->task), VALUE(self, FROM_TID));
	EXPECT_EQ(self->me, VALUE(self, TO_PID));
	EXPECT_EQ(self->me, VALUE(self, TO_TID));
	EXPECT_EQ(9, VALUE(self, CODE));
	EXPECT_FALSE(next(self));
	must_read(self->client, "NOOP TRANSACTION_COMPLETE FAILED_REPLY");
	EXPECT_FALSE(next(self));
}

/* Item 331: as dead as the caller's mapping. */
TEST_F(netlink, reply_to_the_unmapped)
{
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
	must_read(self->server, "NOOP TRANSACTION");
	peer_unmap(self->client);
	ASSERT_EQ(0, peer_send(self->server, BC_REPLY, MSG()));
	EXPECT_STREQ(OK, peer_read(self->server));
	ASSERT_TRUE(next(self));
	EXPECT_EQ(BR_DEAD_REPLY, VALUE(self, ERROR));
}

/* Item 328: what fails later is not reported. */
TEST_F(netlink, later_failure)
{
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
	must_read(self->server, "NOOP TRANSACTION");
	task_kill(self->task);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE DEAD_REPLY",
		     read_late(self->client));
	EXPECT_FALSE(next(self));
}

/* Item 328. */
TEST_F(netlink, nothing_to_report)
{
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
	must_read(self->server, "NOOP TRANSACTION");
	ASSERT_EQ(0, peer_send(self->server, BC_REPLY, MSG()));
	must_read(self->client, "NOOP TRANSACTION_COMPLETE REPLY");
	EXPECT_FALSE(next(self));
}

/* Items 328 and 535: oneways that may be spam, and those to the frozen. */
TEST_F(netlink, spam_and_frozen)
{
	struct binder_freeze_info info = { task_pid(self->task), 1, 0 };
	char *data = arena_alloc(MAP_SIZE);
	struct msg msg = {
		.flags = TF_ONE_WAY, .data = data, .size = 2048,
	};
	__u32 on = 1;
	int sent = 0;

	ASSERT_EQ(0, peer_ioctl(self->client,
				BINDER_ENABLE_ONEWAY_SPAM_DETECTION, &on));
	while (!next(self)) {
		ASSERT_GT(MAP_SIZE / 2, sent);
		ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, &msg));
		peer_read(self->client);
		sent += 2048;
	}
	EXPECT_EQ(BR_ONEWAY_SPAM_SUSPECT, VALUE(self, ERROR));
	EXPECT_EQ(TF_ONE_WAY, VALUE(self, FLAGS));
	EXPECT_EQ(task_pid(self->task), VALUE(self, TO_PID));
	EXPECT_FALSE(HAS(self, TO_TID));
	EXPECT_FALSE(next(self));

	/* Nothing may be outstanding when the server is frozen. */
	while (!strcmp("NOOP TRANSACTION", peer_read(self->server)))
		peer_free_last(self->server);
	ASSERT_EQ(0, peer_ioctl(self->client, BINDER_FREEZE, &info));
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.flags = TF_ONE_WAY)));
	EXPECT_STREQ("NOOP TRANSACTION_PENDING_FROZEN",
		     peer_read(self->client));
	ASSERT_TRUE(next(self));
	EXPECT_EQ(BR_TRANSACTION_PENDING_FROZEN, VALUE(self, ERROR));
	EXPECT_EQ(task_pid(self->task), VALUE(self, TO_PID));
	EXPECT_FALSE(next(self));
}

static long enter_netns(long a, long b, long c)
{
	return unshare(CLONE_NEWNET) ? -errno : 0;
}

static long join(long family, long b, long c)
{
	return reports_open((const struct family *)family);
}

static long has_report(long fd, long report, long c)
{
	return reports_next(fd, (struct report *)report);
}

/* Item 333. */
TEST_F(netlink, other_network_namespace)
{
	struct family *family = arena_alloc(sizeof(*family));
	struct report *report = arena_alloc(sizeof(*report));
	struct task *task = task_fork();
	long ret, fd;

	*family = self->family;
	ret = task_call(task, enter_netns, 0, 0, 0);
	if (ret == -EINVAL)
		SKIP(return, "no network namespaces in this kernel");
	ASSERT_EQ(0, ret);
	fd = task_call(task, join, (long)family, 0, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.handle = 77)));
	EXPECT_STREQ(FAILED, peer_read(self->client));
	EXPECT_TRUE(next(self));
	EXPECT_EQ(0, task_call(task, has_report, fd, (long)report, 0));
}

#define AREA (64 * 1024)

/* Items 328 and 332: whether or not the sender wants to know. */
TEST_F(netlink, spam)
{
	const unsigned int detect = BINDER_ENABLE_ONEWAY_SPAM_DETECTION;
	struct peer *server, *client;

	peer_close(self->server);
	server = peer_open_as(task_fork(), BINDER_DEV, O_RDWR | O_NONBLOCK,
			      AREA);
	ASSERT_EQ(0, peer_become_manager(server));
	client = peer_open(NULL);
	for (__u32 on = 0; on < 2; on++) {
		ASSERT_EQ(0, peer_ioctl(client, detect, &on));
		while (!next(self)) {
			put_msg(client, BC_TRANSACTION,
				MSG(.flags = TF_ONE_WAY,
				    .data = arena_alloc(1024), .size = 1024));
			peer_write_read(client);
			ASSERT_STRNE(FAILED, client->text);
		}
		EXPECT_EQ(BR_ONEWAY_SPAM_SUSPECT, VALUE(self, ERROR));
		EXPECT_EQ(TF_ONE_WAY, VALUE(self, FLAGS));
		EXPECT_EQ(1024, VALUE(self, DATA_SIZE));
		EXPECT_TRUE(HAS(self, TO_PID));
		EXPECT_EQ(task_pid(server->task), VALUE(self, TO_PID));
		EXPECT_FALSE(next(self));
		EXPECT_STREQ(on ? "NOOP ONEWAY_SPAM_SUSPECT" : OK, client->text);
		/* Detection begins anew when there is room again. */
		while (!strcmp(peer_read(server), "NOOP TRANSACTION"))
			peer_free_last(server);
		ASSERT_EQ(0, peer_send(client, BC_TRANSACTION,
				       MSG(.flags = TF_ONE_WAY)));
		EXPECT_STREQ(OK, peer_read(client));
		must_read(server, "NOOP TRANSACTION");
		peer_free_last(server);
	}
}

static long drop_privileges(long a, long b, long c)
{
	return setresuid(1234, 1234, 1234) ? -errno : 0;
}

/* Item 333: anybody may listen. */
TEST_F(netlink, without_capabilities)
{
	struct family *family = arena_alloc(sizeof(*family));
	struct report *report = arena_alloc(sizeof(*report));
	struct task *task = task_fork();
	long fd;

	*family = self->family;
	ASSERT_EQ(0, task_call(task, drop_privileges, 0, 0, 0));
	fd = task_call(task, join, (long)family, 0, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.handle = 77)));
	EXPECT_STREQ(FAILED, peer_read(self->client));
	EXPECT_EQ(1, task_call(task, has_report, fd, (long)report, 0));
	EXPECT_EQ(BR_FAILED_REPLY, report->value[BINDER_A_REPORT_ERROR]);
}

/* Item 326: the event comes with a report, and only if somebody listens. */
TEST_F(netlink, trace_event)
{
	char expected[128];

	/* Better: C's event has a pointer, and the kernel warns of who prints. */
	if (!is_binder_safe())
		SKIP(return, "the C driver's event cannot be printed");
	if (!events_open())
		SKIP(return, "no trace events of Binder in " TRACEFS);
	events_enable("binder_netlink_report");
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.handle = 77, .code = 0xc0de,
				   .flags = 0x40, .data = "123", .size = 3)));
	EXPECT_STREQ(FAILED, peer_read(self->client));
	snprintf(expected, sizeof(expected),
		 "from %d:%d to 0:0 context=%s error=%d is_reply=0 flags=0x40 code=0xc0de size=3",
		 self->me, self->me, BINDER_DEV, (int)BR_FAILED_REPLY);
	EXPECT_EQ(1, event_count("binder_netlink_report", self->me));
	EXPECT_STREQ(expected, event("binder_netlink_report", self->me, 0));
	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.handle = 77)));
	EXPECT_STREQ(FAILED, peer_read(self->client));
	EXPECT_EQ(1, event_count("binder_netlink_report", 0));
	events_close();
}

TEST_HARNESS_MAIN
