// SPDX-License-Identifier: GPL-2.0
/* The logs of the last transactions. */

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "logs.h"

#define LEN 32
#define PID(peer) task_pid((peer)->task)

FIXTURE(history)
{
	struct logged logged;
};

FIXTURE_SETUP(history)
{
	binder_setup();
	if (binder_count("proc") < 0)
		SKIP(return, "this instance has no binder_logs");
	self->logged = logged_open();
}

FIXTURE_TEARDOWN(history)
{
	EXPECT_STREQ("", binder_teardown());
}

/* How many lines a log has, the last number of which are calls to 1000 on */
static int count_lines(struct __test_metadata *_metadata, const char *text,
		       int handle)
{
	int lines = 0, expected = handle - LEN, found;

	for (; *text; text = strchr(text, '\n') + 1, lines++) {
		const char *at = strstr(text, " handle ");

		if (!at || sscanf(at, " handle %d", &found) != 1)
			die("strange line: %s", text);
		EXPECT_EQ(expected, found);
		expected++;
	}
	return lines;
}

/* Item 318: the last 32, in order. */
TEST_F(history, ring)
{
	int handle;

	for (handle = 1000; handle < 1000 + LEN + 8; handle++) {
		peer_send(self->logged.client, BC_TRANSACTION, MSG(.handle = handle));
		ASSERT_STREQ("NOOP FAILED_REPLY", peer_read(self->logged.client));
	}
	EXPECT_EQ(LEN, count_lines(_metadata, log_text("transaction_log"),
				   handle));
	EXPECT_EQ(LEN, count_lines(_metadata,
				   log_text("failed_transaction_log"),
				   handle));
}

/* Item 318: calls, replies and oneway messages. */
TEST_F(history, kinds)
{
	struct peer *client = self->logged.client, *server = self->logged.server;

	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION,
			       MSG(.handle = self->logged.handle, .data = "12",
				   .size = 2)));
	must_read(server, "NOOP TRANSACTION");
	answer(server, MSG(.data = "123", .size = 3));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(client));
	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION,
			       MSG(.handle = self->logged.handle,
				   .flags = TF_ONE_WAY)));
	EXPECT_TRUE(has_line(log_text("transaction_log"),
			     "^[0-9]+: call  from %d:%d to %d:0 context %s node [1-9][0-9]* handle 1 size 2:0 ret 0/0 l=[0-9]+$",
			     PID(client), PID(client), PID(server),
			     BINDER_DEV));
	EXPECT_TRUE(has_line(log_text("transaction_log"),
			     "^[0-9]+: reply from %d:%d to %d:%d context %s node 0 handle 0 size 3:0 ret 0/0 l=[0-9]+$",
			     PID(server), PID(server), PID(client),
			     PID(client), BINDER_DEV));
	EXPECT_TRUE(has_line(log_text("transaction_log"),
			     "^[0-9]+: async from %d:%d to %d:0 context %s node [1-9][0-9]* handle 1 size 0:0 ret 0/0 l=[0-9]+$",
			     PID(client), PID(client), PID(server),
			     BINDER_DEV));
}

/* Item 318: what failed is in both. */
TEST_F(history, failed)
{
	static const char * const logs[] = {
		"transaction_log", "failed_transaction_log",
	};

	peer_send(self->logged.client, BC_TRANSACTION,
		  MSG(.handle = self->logged.handle, .data = "1", .size = 1,
		      .offsets = "1", .offsets_size = 1));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_read(self->logged.client));
	for (int i = 0; i < 2; i++)
		EXPECT_TRUE(has_line(log_text(logs[i]),
				     "^[0-9]+: call  from %d:%d to %d:0 context %s node [1-9][0-9]* handle 1 size 1:1 ret %u/-%d l=[0-9]+$",
				     PID(self->logged.client), PID(self->logged.client),
				     PID(self->logged.server), BINDER_DEV,
				     BR_FAILED_REPLY, EINVAL));
}

/* Item 319: a call back goes to a thread that is known from the start. */
TEST_F(history, nested)
{
	struct peer *client = self->logged.client, *server = self->logged.server;
	__u32 back = registry_give(self->logged.manager, client, server, 0x77, 0, 0);

	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION,
			       MSG(.handle = self->logged.handle)));
	must_read(server, "NOOP TRANSACTION");
	ASSERT_EQ(0, peer_send(server, BC_TRANSACTION, MSG(.handle = back)));
	EXPECT_TRUE(has_line(log_text("transaction_log"),
			     "^[0-9]+: call  from %d:%d to %d:%d context ",
			     PID(server), PID(server), PID(client),
			     PID(client)));
}

TEST_HARNESS_MAIN
