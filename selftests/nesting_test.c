// SPDX-License-Identifier: GPL-2.0
/* Calls within calls: which thread serves them and what becomes of chains. */

#include <errno.h>
#include <fcntl.h>

#include "kselftest_harness.h"
#include "object.h"

/* Three parties that can all call each other: to[i][j] is i's handle of j. */
FIXTURE(nesting)
{
	struct peer *manager;
	struct peer *peer[3];
	__u32 to[3][3];
};

FIXTURE_SETUP(nesting)
{
	binder_setup();
	self->manager = registry_open();
	for (int i = 0; i < 3; i++) {
		self->peer[i] = peer_open(i ? task_fork() : NULL);
		ASSERT_EQ(0, peer_word(self->peer[i], BC_ENTER_LOOPER));
	}
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			if (i != j)
				self->to[i][j] = registry_give(self->manager,
							       self->peer[j],
							       self->peer[i],
							       0x10 * j + i, j,
							       0);
}

FIXTURE_TEARDOWN(nesting)
{
	EXPECT_STREQ("", binder_teardown());
}

static int call(struct peer *from, __u32 handle, __u32 code)
{
	return peer_send(from, BC_TRANSACTION,
			 MSG(.handle = handle, .code = code));
}

/* Item 177: two opens of one process are as two processes. */
TEST_F(nesting, same_process)
{
	struct peer *twin = peer_open(NULL);
	__u32 handle = registry_give(self->manager, self->peer[0], twin, 0x99,
				     0, 0);

	ASSERT_EQ(0, call(twin, handle, 5));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->peer[0]));
	EXPECT_EQ(0x99, self->peer[0]->txn.target.ptr);
	EXPECT_EQ(task_pid(NULL), self->peer[0]->txn.sender_pid);
	answer(self->peer[0], MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(twin));
}

/* Item 180: A calls B, B calls A, A calls B, B calls A, and back. */
TEST_F(nesting, back_and_forth)
{
	struct peer *a = self->peer[0], *b = self->peer[1];
	__u32 to_b = self->to[0][1], to_a = self->to[1][0];

	ASSERT_EQ(0, call(a, to_b, 1));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(b));
	ASSERT_EQ(0, call(b, to_a, 2));
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE TRANSACTION", peer_read(a));
	EXPECT_EQ(2, a->txn.code);
	ASSERT_EQ(0, call(a, to_b, 3));
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE TRANSACTION", peer_read(b));
	EXPECT_EQ(3, b->txn.code);
	ASSERT_EQ(0, call(b, to_a, 4));
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE TRANSACTION", peer_read(a));
	EXPECT_EQ(4, a->txn.code);
	answer(a, MSG(.code = 40));
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(b));
	EXPECT_EQ(40, b->txn.code);
	answer(b, MSG(.code = 30));
	ASSERT_STREQ("NOOP REPLY", peer_read(a));
	EXPECT_EQ(30, a->txn.code);
	answer(a, MSG(.code = 20));
	ASSERT_STREQ("NOOP REPLY", peer_read(b));
	EXPECT_EQ(20, b->txn.code);
	answer(b, MSG(.code = 10));
	ASSERT_STREQ("NOOP REPLY", peer_read(a));
	EXPECT_EQ(10, a->txn.code);
}

/* Nothing is left to read but counts that the dead have given back. */
static bool told_all(struct peer *peer)
{
	while (strcmp(peer_read(peer), "EAGAIN"))
		for (int i = 1; i < peer->nr_rets; i++)
			if (peer->rets[i].cmd != BR_RELEASE &&
			    peer->rets[i].cmd != BR_DECREFS)
				return false;
	return true;
}

/* Starts A -> B -> C. */
static void chain(struct peer *peer[3], __u32 to[3][3])
{
	call(peer[0], to[0][1], 1);
	must_read(peer[1], "NOOP TRANSACTION");
	call(peer[1], to[1][2], 2);
	must_read(peer[2], "NOOP TRANSACTION");
}

/* Item 181: A calls B calls C calls A, which is A's waiting thread. */
TEST_F(nesting, three_parties)
{
	struct peer *a = self->peer[0], *b = self->peer[1], *c = self->peer[2];
	struct peer *idle = peer_thread(a, task_thread());

	ASSERT_EQ(0, peer_word(idle, BC_ENTER_LOOPER));
	chain(self->peer, self->to);
	ASSERT_EQ(0, call(c, self->to[2][0], 3));
	EXPECT_STREQ("EAGAIN", peer_read(idle));
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE TRANSACTION", peer_read(a));
	EXPECT_EQ(3, a->txn.code);
	answer(a, MSG());
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(c));
	answer(c, MSG());
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(b));
	answer(b, MSG());
	ASSERT_STREQ("NOOP REPLY", peer_read(a));
}

/* Item 182: a stranger's call is not for the waiting thread. */
TEST_F(nesting, stranger_is_served_later)
{
	struct peer *a = self->peer[0], *b = self->peer[1], *c = self->peer[2];

	ASSERT_EQ(0, call(a, self->to[0][1], 1));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(b));
	ASSERT_EQ(0, call(c, self->to[2][0], 7));
	EXPECT_STREQ("EAGAIN", peer_read(a));
	answer(b, MSG());
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(a));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(a));
	EXPECT_EQ(7, a->txn.code);
}

/* Item 182: or by another thread. */
TEST_F(nesting, stranger_is_served_by_another_thread)
{
	struct peer *a = self->peer[0], *c = self->peer[2];
	struct peer *idle = peer_thread(a, task_thread());

	ASSERT_EQ(0, peer_word(idle, BC_ENTER_LOOPER));
	ASSERT_EQ(0, call(a, self->to[0][1], 1));
	ASSERT_EQ(0, call(c, self->to[2][0], 7));
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(idle));
	EXPECT_EQ(7, idle->txn.code);
}

/* Item 182: a oneway from within the chain is not part of it. */
TEST_F(nesting, oneway_from_the_chain)
{
	struct peer *a = self->peer[0], *b = self->peer[1], *c = self->peer[2];

	chain(self->peer, self->to);
	put_msg(c, BC_TRANSACTION,
		MSG(.handle = self->to[2][0], .code = 7, .flags = TF_ONE_WAY));
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE", peer_write_read(c));
	EXPECT_STREQ("EAGAIN", peer_read(a));
	answer(c, MSG());
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(b));
	answer(b, MSG());
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(a));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(a));
	EXPECT_EQ(7, a->txn.code);
}

/* Item 183: nor does a thread inside a call take its process's oneways. */
TEST_F(nesting, busy_thread_takes_no_oneway)
{
	struct peer *a = self->peer[0], *b = self->peer[1];

	ASSERT_EQ(0, call(b, self->to[1][0], 1));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(a));
	ASSERT_EQ(0, peer_send(self->peer[2], BC_TRANSACTION,
			       MSG(.handle = self->to[2][0], .code = 7,
				   .flags = TF_ONE_WAY)));
	EXPECT_STREQ("EAGAIN", peer_read(a));
	answer(a, MSG());
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(a));
	EXPECT_EQ(7, a->txn.code);
}

/* Item 184: no new call while a nested one is unread. */
TEST_F(nesting, call_with_a_nested_one_unread)
{
	struct peer *a = self->peer[0], *b = self->peer[1];

	ASSERT_EQ(0, call(a, self->to[0][1], 1));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(b));
	ASSERT_EQ(0, call(b, self->to[1][0], 2));
	ASSERT_EQ(0, call(a, self->to[0][1], 3));
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE TRANSACTION", peer_read(a));
	EXPECT_EQ(2, a->txn.code);
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_read(a));
	answer(a, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(b));
}

/* Items 50 and 528: a thread exits with a call back unread, which ends. */
TEST_F(nesting, exit_with_a_nested_call_unread)
{
	struct peer *a = self->peer[0], *b = self->peer[1];

	ASSERT_EQ(0, call(a, self->to[0][1], 1));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(b));
	ASSERT_EQ(0, call(b, self->to[1][0], 2));
	ASSERT_EQ(0, peer_ioctl(a, BINDER_THREAD_EXIT, NULL));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE DEAD_REPLY", read_late(b));
	put_msg(b, BC_REPLY, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_write_read(b));
	ASSERT_EQ(0, peer_word(a, BC_ENTER_LOOPER));
	EXPECT_STREQ("EAGAIN", peer_read(a));
}

/* Item 261: the one in the middle dies; who waits hears it at the end. */
TEST_F(nesting, middle_dies)
{
	struct peer *a = self->peer[0], *c = self->peer[2];
	long procs = binder_count("proc");

	chain(self->peer, self->to);
	task_kill(self->peer[1]->task);
	while (procs > 0 && binder_count("proc") == procs)
		nap();
	EXPECT_STREQ("EAGAIN", peer_read(a));
	answer(c, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE DEAD_REPLY", read_late(a));
	EXPECT_TRUE(told_all(a));
}

/* Item 262: then the last one, too. */
TEST_F(nesting, middle_and_last_die)
{
	struct peer *a = self->peer[0];

	chain(self->peer, self->to);
	task_kill(self->peer[1]->task);
	task_kill(self->peer[2]->task);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE DEAD_REPLY", read_late(a));
	EXPECT_TRUE(told_all(a));
}

/* Item 262: the last one first. */
TEST_F(nesting, last_dies)
{
	struct peer *a = self->peer[0], *b = self->peer[1];

	chain(self->peer, self->to);
	task_kill(self->peer[2]->task);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE DEAD_REPLY", read_late(b));
	EXPECT_STREQ("EAGAIN", peer_read(a));
	answer(b, MSG(.code = 6));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(a));
	EXPECT_EQ(6, a->txn.code);
}

/* Item 260: the first dies, the rest unwinds. */
TEST_F(nesting, first_dies)
{
	struct peer *a = self->peer[1], *b = self->peer[0], *c = self->peer[2];
	long procs = binder_count("proc");

	ASSERT_EQ(0, call(a, self->to[1][0], 1));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(b));
	ASSERT_EQ(0, call(b, self->to[0][2], 2));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(c));
	task_kill(a->task);
	while (procs > 0 && binder_count("proc") == procs)
		nap();
	answer(c, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(b));
	answer(b, MSG());
	EXPECT_TRUE(told_all(b));
}

TEST_HARNESS_MAIN
