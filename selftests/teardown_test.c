// SPDX-License-Identifier: GPL-2.0
/* Processes and threads that go away while a call is under way. */

#include <errno.h>
#include <fcntl.h>

#include "kselftest_harness.h"
#include "object.h"

FIXTURE(teardown)
{
	struct task *other;
};

FIXTURE_SETUP(teardown)
{
	binder_setup();
	self->other = task_fork();
}

FIXTURE_TEARDOWN(teardown)
{
	EXPECT_STREQ("", binder_teardown());
}

static void call(struct peer *client, __u32 code)
{
	struct msg msg = { .code = code, .data = "data", .size = 5 };

	if (peer_send(client, BC_TRANSACTION, &msg))
		die("BC_TRANSACTION failed");
}

/* Item 259: with the call queued. */
TEST_F(teardown, server_killed_before_reading)
{
	struct peer *client = peer_open(NULL);

	peer_manager(self->other);
	call(client, 1);
	task_kill(self->other);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE DEAD_REPLY", read_late(client));
	EXPECT_STREQ("EAGAIN", peer_read(client));
}

/* Item 260: with the call in its hands. */
TEST_F(teardown, server_killed_while_serving)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);

	call(client, 1);
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	task_kill(self->other);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE DEAD_REPLY", read_late(client));
	EXPECT_STREQ("EAGAIN", peer_read(client));
}

/* Item 260: closed, not killed, and the buffer freed before. */
TEST_F(teardown, server_closed_while_serving)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);

	call(client, 1);
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	ASSERT_EQ(0, peer_free_last(server));
	peer_close(server);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE DEAD_REPLY", read_late(client));
}

/* Items 259 and 122: each of many callers hears of it once. */
TEST_F(teardown, all_callers_are_told_once)
{
	struct peer *server = peer_manager(self->other);
	struct peer *clients[20];

	for (int i = 0; i < 20; i++) {
		clients[i] = peer_open(NULL);
		call(clients[i], i);
	}
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	task_kill(self->other);
	for (int i = 0; i < 20; i++) {
		EXPECT_STREQ("NOOP TRANSACTION_COMPLETE DEAD_REPLY",
			     read_late(clients[i]));
		EXPECT_STREQ("EAGAIN", peer_read(clients[i]));
	}
}

/* Items 10 and 259: a caller that sleeps in its read is woken. */
TEST_F(teardown, sleeping_caller_is_woken)
{
	struct peer *client = peer_open_as(task_fork(), BINDER_DEV, O_RDWR,
					   MAP_SIZE);

	peer_manager(self->other);
	put_msg(client, BC_TRANSACTION, MSG());
	peer_read_start(client);
	task_kill(self->other);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE DEAD_REPLY",
		     peer_read_finish(client));
}

/* Items 178 and 269. */
TEST_F(teardown, dead_manager_and_its_successor)
{
	struct peer *client = peer_open(NULL);
	struct peer *server;
	struct task *next = task_fork();

	peer_manager(self->other);
	call(client, 1);
	task_kill(self->other);
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE DEAD_REPLY", read_late(client));
	call(client, 2);
	EXPECT_STREQ("NOOP DEAD_REPLY", peer_read(client));
	server = peer_manager(next);
	call(client, 3);
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(3, server->txn.code);
	ASSERT_EQ(0, peer_send(server, BC_REPLY, MSG()));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(client));
}

/* Waits until the count of opens is back to what the test has. */
static void wait_for_release(long procs)
{
	long deadline = now_ms() + RELEASE_TIMEOUT_MS;

	if (procs < 0)
		usleep(100000);
	while (binder_count("proc") > procs && now_ms() < deadline)
		nap();
}

/* Items 263, 244 and 108: the call is served though nobody waits for it. */
TEST_F(teardown, caller_killed_before_delivery)
{
	struct peer *server = peer_manager(NULL);
	long procs = binder_count("proc");
	struct peer *client = peer_open(self->other);

	call(client, 1);
	task_kill(self->other);
	wait_for_release(procs);
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(1, server->txn.code);
	EXPECT_STREQ("data", peer_string(server));
	EXPECT_EQ(0, server->txn.sender_pid);
	EXPECT_EQ(0, peer_free_last(server));
	put_msg(server, BC_REPLY, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_write_read(server));
	EXPECT_STREQ("EAGAIN", peer_read(server));
}

/* Item 108: dead while it is served. */
TEST_F(teardown, caller_killed_while_served)
{
	struct peer *server = peer_manager(NULL);
	long procs = binder_count("proc");
	struct peer *client = peer_open(self->other);

	call(client, 1);
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(task_pid(self->other), server->txn.sender_pid);
	task_kill(self->other);
	wait_for_release(procs);
	put_msg(server, BC_REPLY, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_write_read(server));
	put_msg(server, BC_REPLY, MSG());
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(server));
}

/* Item 265: the reply lies unread when its reader dies. */
TEST_F(teardown, caller_killed_with_the_reply_queued)
{
	struct peer *server = peer_manager(NULL);
	struct peer *client = peer_open(self->other);
	struct peer *next = peer_open(task_fork());

	call(client, 1);
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	put_msg(server, BC_REPLY, MSG(.data = "late", .size = 5));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_write_read(server));
	task_kill(self->other);
	call(next, 2);
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(2, server->txn.code);
}

/* Item 47: the call dies with the server's thread. */
TEST_F(teardown, server_thread_exits)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);

	call(client, 1);
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	ASSERT_EQ(0, peer_ioctl(server, BINDER_THREAD_EXIT, NULL));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE DEAD_REPLY", peer_read(client));
	ASSERT_EQ(0, peer_word(server, BC_ENTER_LOOPER));
	put_msg(server, BC_REPLY, MSG());
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(server));
	/* The buffer is the process's, not the thread's. */
	EXPECT_EQ(0, peer_free_last(server));
	call(client, 2);
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(server->map, (char *)server->txn.data.ptr.buffer);
}

/* Item 46: a call that no thread has read waits for the next thread. */
TEST_F(teardown, queued_call_outlives_a_thread)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);

	call(client, 1);
	ASSERT_EQ(0, peer_ioctl(server, BINDER_THREAD_EXIT, NULL));
	ASSERT_EQ(0, peer_word(server, BC_ENTER_LOOPER));
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(server));
}

/* Item 50: the caller's thread goes, the call goes on. */
TEST_F(teardown, caller_thread_exits)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);
	struct binder_version version;

	call(client, 1);
	ASSERT_EQ(0, peer_ioctl(client, BINDER_THREAD_EXIT, NULL));
	ASSERT_EQ(0, peer_ioctl(client, BINDER_VERSION, &version));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(0, server->txn.sender_pid);
	put_msg(server, BC_REPLY, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_write_read(server));
	ASSERT_EQ(0, peer_word(client, BC_ENTER_LOOPER));
	EXPECT_STREQ("EAGAIN", peer_read(client));
	call(client, 2);
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(server));
}

/* Item 46: an unread return goes with its thread. */
TEST_F(teardown, returns_die_with_the_thread)
{
	struct peer *client = peer_open(NULL);
	struct binder_version version;

	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION, MSG()));
	ASSERT_EQ(0, peer_ioctl(client, BINDER_THREAD_EXIT, NULL));
	ASSERT_EQ(0, peer_ioctl(client, BINDER_VERSION, &version));
	ASSERT_EQ(0, peer_word(client, BC_ENTER_LOOPER));
	EXPECT_EQ(4, client->bwr.write_consumed);
	EXPECT_STREQ("EAGAIN", peer_read(client));
}

TEST_HARNESS_MAIN
