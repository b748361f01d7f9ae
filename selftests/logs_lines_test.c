// SPDX-License-Identifier: GPL-2.0
/* The columns of each kind of line in binder_logs, which programs parse. */

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "logs.h"

#define PTR "[0-9a-f]{16}"
#define NUM "[0-9]+"

FIXTURE(logs_lines)
{
	struct logged logged;
};

FIXTURE_SETUP(logs_lines)
{
	binder_setup();
	if (binder_count("proc") < 0)
		SKIP(return, "this instance has no binder_logs");
	self->logged = logged_open();
}

FIXTURE_TEARDOWN(logs_lines)
{
	EXPECT_STREQ("", binder_teardown());
}

#define PID(peer) task_pid((peer)->task)

/* Item 312: both ends of a call, and its buffer. */
TEST_F(logs_lines, call)
{
	struct peer *client = self->logged.client, *server = self->logged.server;

	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION,
			       MSG(.handle = self->logged.handle, .code = 0xabc,
				   .flags = TF_ACCEPT_FDS, .data = "1234567",
				   .size = 7)));
	EXPECT_TRUE(has_line(log_block("transactions", server),
			     "^  pending transaction " NUM ": " PTR
			     " from %d:%d to %d:0 code abc flags 10 pri 0 a0 r0 elapsed "
			     NUM "ms node " NUM " size 7:0 offset 0$",
			     PID(client), PID(client), PID(server)));
	must_read(server, "NOOP TRANSACTION");
	EXPECT_TRUE(has_line(log_block("transactions", client),
			     "^    outgoing transaction " NUM ": " PTR
			     " from %d:%d to %d:%d code abc flags 10 pri 0 a0 r0 elapsed "
			     NUM "ms$", PID(client), PID(client), PID(server),
			     PID(server)));
	EXPECT_TRUE(has_line(log_block("transactions", server),
			     "^    incoming transaction " NUM ": " PTR
			     " from %d:%d to %d:%d code abc flags 10 pri 0 a0 r0 elapsed "
			     NUM "ms node " NUM " size 7:0 offset 0$",
			     PID(client), PID(client), PID(server),
			     PID(server)));
	EXPECT_TRUE(has_line(log_block("state", server),
			     "^  buffer " NUM ": 0 size 7:0:0 active$"));
	ASSERT_EQ(0, peer_free_last(server));
	EXPECT_TRUE(has_line(log_block("transactions", server),
			     "^    incoming transaction .*ms buffer free$"));
}

/* Item 312: a reply that its reader has yet to read. */
TEST_F(logs_lines, reply)
{
	struct peer *client = self->logged.client, *server = self->logged.server;

	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION,
			       MSG(.handle = self->logged.handle)));
	must_read(server, "NOOP TRANSACTION");
	ASSERT_EQ(0, peer_send(server, BC_REPLY,
			       MSG(.code = 0xd, .data = "12345", .size = 5)));
	EXPECT_TRUE(has_line(log_block("transactions", client),
			     "^    pending transaction " NUM ": " PTR
			     " from %d:%d to %d:%d code d flags 0 pri -?" NUM
			     " a0 r1 elapsed " NUM "ms size 5:0 offset 0$",
			     PID(server), PID(server), PID(client),
			     PID(client)));
}

/* Items 312 and 314: the second oneway message waits at its node. */
TEST_F(logs_lines, oneway)
{
	struct peer *client = self->logged.client, *server = self->logged.server;

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, peer_send(client, BC_TRANSACTION,
				       MSG(.handle = self->logged.handle,
					   .code = 0xe0 + i,
					   .flags = TF_ONE_WAY)));
	EXPECT_TRUE(has_line(log_block("transactions", server),
			     "^  pending transaction " NUM ": " PTR
			     " from %d:%d to %d:0 code e0 flags 1 pri 0 a1 r0 ",
			     PID(client), PID(client), PID(server)));
	EXPECT_TRUE(has_line(log_block("transactions", server),
			     "^    pending async transaction " NUM ": " PTR
			     " from %d:%d to %d:0 code e1 flags 1 pri 0 a1 r0 ",
			     PID(client), PID(client), PID(server)));
	EXPECT_TRUE(has_line(log_block("transactions", server),
			     "^  node " NUM ": u0{12}1230 c0{12}4560 hs 1 "));
}

/* Item 313: what a thread has to read of its own. */
TEST_F(logs_lines, own_work)
{
	struct peer *client = self->logged.client;

	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION,
			       MSG(.handle = self->logged.handle)));
	EXPECT_TRUE(has_line(log_block("state", client),
			     "^    transaction complete$"));
	must_read(self->logged.server, "NOOP TRANSACTION");
	answer(self->logged.server, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(client));
	peer_send(client, BC_TRANSACTION, MSG(.handle = 77));
	EXPECT_TRUE(has_line(log_block("state", client),
			     "^    transaction error: %u$", BR_FAILED_REPLY));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_read(client));
}

/* Item 313: what the owner of a node is to be told. */
TEST_F(logs_lines, node_work)
{
	registry_drop(self->logged.client, self->logged.handle);
	EXPECT_TRUE(has_line(log_block("state", self->logged.server),
			     "^  node work " NUM ": u0{12}1230 c0{12}4560$"));
	EXPECT_STREQ("NOOP RELEASE DECREFS", peer_read(self->logged.server));
}

/* Items 310 and 313: the stages of a death notification. */
TEST_F(logs_lines, death)
{
	struct peer *client = self->logged.client;

	put_handle_cookie(client, BC_REQUEST_DEATH_NOTIFICATION, self->logged.handle,
			  0xdead);
	ASSERT_EQ(0, peer_write(client));
	EXPECT_TRUE(has_line(log_block("state", client),
			     "^  ref " NUM ": desc 1 node " NUM " s " NUM
			     " w " NUM " d 0*[1-9a-f][0-9a-f]*$"));
	task_kill(self->logged.server->task);
	for (long end = now_ms() + 5000; now_ms() < end; nap())
		if (strstr(log_block("state", client), "  has dead binder\n"))
			break;
	EXPECT_TRUE(has_line(log_block("state", client),
			     "^  has dead binder$"));
	EXPECT_STREQ("NOOP DEAD_BINDER", peer_read(client));
	EXPECT_TRUE(has_line(log_block("state", client),
			     "^  has delivered dead binder$"));
	put_u64(client, BC_DEAD_BINDER_DONE, 0xdead);
	ASSERT_EQ(0, peer_write(client));
	EXPECT_EQ(NULL, strstr(log_block("state", client), "delivered dead"));
	put_handle_cookie(client, BC_CLEAR_DEATH_NOTIFICATION, self->logged.handle,
			  0xdead);
	ASSERT_EQ(0, peer_write(client));
	EXPECT_TRUE(has_line(log_block("state", client),
			     "^  has cleared death notification$"));
	EXPECT_STREQ("NOOP CLEAR_DEATH_NOTIFICATION_DONE", peer_read(client));
}

/* Items 310 and 313: the stages of a freeze notification. */
TEST_F(logs_lines, freeze)
{
	struct peer *client = self->logged.client;
	struct binder_freeze_info info = { PID(self->logged.server), 1, 0 };

	put_handle_cookie(client, BC_REQUEST_FREEZE_NOTIFICATION, self->logged.handle,
			  0xf);
	ASSERT_EQ(0, peer_write(client));
	EXPECT_TRUE(has_line(log_block("state", client),
			     "^  has frozen binder$"));
	EXPECT_STREQ("NOOP FROZEN_BINDER", peer_read(client));
	EXPECT_TRUE(has_line(log_block("state", client),
			     "^  has delivered freeze binder$"));
	put_u64(client, BC_FREEZE_NOTIFICATION_DONE, 0xf);
	ASSERT_EQ(0, peer_write(client));
	ASSERT_EQ(0, peer_ioctl(client, BINDER_FREEZE, &info));
	EXPECT_TRUE(has_line(log_block("state", client),
			     "^  has frozen binder$"));
	EXPECT_STREQ("NOOP FROZEN_BINDER", peer_read(client));
	put_u64(client, BC_FREEZE_NOTIFICATION_DONE, 0xf);
	put_handle_cookie(client, BC_CLEAR_FREEZE_NOTIFICATION, self->logged.handle,
			  0xf);
	ASSERT_EQ(0, peer_write(client));
	EXPECT_TRUE(has_line(log_block("state", client),
			     "^  has cleared freeze notification$"));
	EXPECT_STREQ("NOOP CLEAR_FREEZE_NOTIFICATION_DONE", peer_read(client));
}

/* Item 315. */
TEST_F(logs_lines, reference)
{
	EXPECT_TRUE(has_line(log_block("state", self->logged.client),
			     "^  ref " NUM ": desc 1 node " NUM " s 1 w " NUM
			     " d 0{16}$"));
}

/* Item 316: what other programs must not know is hashed. */
TEST_F(logs_lines, hashed)
{
	const char *block = log_block("state_hashed", self->logged.server);

	EXPECT_EQ(NULL, strstr(block, "u0000000000001230"));
	EXPECT_EQ(NULL, strstr(block, "c0000000000004560"));
	EXPECT_TRUE(has_line(block, "^  node " NUM ": u" PTR " c" PTR " hs "));
	ASSERT_EQ(0, peer_send(self->logged.client, BC_TRANSACTION,
			       MSG(.handle = self->logged.handle,
				   .flags = TF_ONE_WAY)));
	block = log_block("transactions_hashed", self->logged.server);
	EXPECT_EQ(NULL, strstr(block, "u0000000000001230"));
	EXPECT_TRUE(has_line(block, "^  node " NUM ": u" PTR " c" PTR " hs "));
}

/* The number behind "  NAME: " in a block of stats, or 0 */
static long stat_of(const char *block, const char *name)
{
	char head[64];
	const char *line;

	snprintf(head, sizeof(head), "\n  %s: ", name);
	line = strstr(block, head);
	return line ? strtol(line + strlen(head), NULL, 10) : 0;
}

/* Item 317: a process counts what it writes and reads, and so does the driver. */
TEST_F(logs_lines, commands)
{
	struct peer *peer = peer_open(task_fork());
	const char *block;

	for (int i = 0; i < 3; i++) {
		peer_send(peer, BC_TRANSACTION, MSG(.handle = 77));
		ASSERT_STREQ("NOOP FAILED_REPLY", peer_read(peer));
	}
	/* Counted, and then refused */
	EXPECT_EQ(-EINVAL, peer_word(peer, BC_ATTEMPT_ACQUIRE));
	/* What a thread has counted outlives it. */
	ASSERT_EQ(0, peer_ioctl(peer, BINDER_THREAD_EXIT, NULL));
	block = log_block("stats", peer);
	EXPECT_EQ(3, stat_of(block, "BC_TRANSACTION"));
	EXPECT_EQ(3, stat_of(block, "BR_FAILED_REPLY"));
	EXPECT_EQ(1, stat_of(block, "BC_ATTEMPT_ACQUIRE"));
	EXPECT_EQ(0, stat_of(block, "BR_NOOP"));
	EXPECT_TRUE(has_line(block, "^  refs: 0 s 0 w 0$"));
	EXPECT_TRUE(has_line(block, "^  free async space %d$", MAP_SIZE / 2));
	EXPECT_TRUE(has_line(block, "^  pages high watermark: " NUM "$"));
	EXPECT_TRUE(has_line(block, "^  pending transactions: 0$"));
	EXPECT_TRUE(has_line(block, "^  ready threads 0$"));
	EXPECT_TRUE(has_line(log_text("stats"), "^BC_TRANSACTION: " NUM "$"));
	task_kill(peer->task);
	for (long end = now_ms() + 5000; now_ms() < end; nap())
		if (!strstr(log_text("stats"), "\n  BC_ATTEMPT_ACQUIRE: 1\n"))
			break;
	EXPECT_TRUE(has_line(log_text("stats"), "^BC_ATTEMPT_ACQUIRE: " NUM));
}

/* Item 317: the objects of a call come and go. */
TEST_F(logs_lines, objects)
{
	long calls = binder_count("transaction");
	long accepted = binder_count("transaction_complete");

	EXPECT_LE(3, binder_count("proc"));
	EXPECT_LE(3, binder_count("thread"));
	EXPECT_LE(2, binder_count("node"));
	EXPECT_LE(1, binder_count("ref"));
	ASSERT_EQ(0, peer_send(self->logged.client, BC_TRANSACTION,
			       MSG(.handle = self->logged.handle)));
	EXPECT_EQ(calls + 1, binder_count("transaction"));
	EXPECT_EQ(accepted + 1, binder_count("transaction_complete"));
	must_read(self->logged.server, "NOOP TRANSACTION");
	answer(self->logged.server, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
		     peer_read(self->logged.client));
	EXPECT_EQ(calls, binder_count("transaction"));
	EXPECT_EQ(accepted, binder_count("transaction_complete"));
}

TEST_HARNESS_MAIN
