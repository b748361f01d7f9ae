// SPDX-License-Identifier: GPL-2.0
/* What frozen processes receive and send, and TF_UPDATE_TXN. */

#include <errno.h>
#include <fcntl.h>

#include "kselftest_harness.h"
#include "object.h"

#define PENDING "NOOP TRANSACTION_PENDING_FROZEN"
#define UPDATE (TF_ONE_WAY | TF_UPDATE_TXN)

FIXTURE(frozen)
{
	struct task *task;
	struct peer *server;	/* the manager; frozen */
	struct peer *client;
};

FIXTURE_SETUP(frozen)
{
	binder_setup();
	self->task = task_fork();
	self->server = peer_manager(self->task);
	self->client = peer_open(NULL);
}

FIXTURE_TEARDOWN(frozen)
{
	EXPECT_STREQ("", binder_teardown());
}

static int freeze(struct peer *peer, struct task *task, bool on)
{
	struct binder_freeze_info info = { task_pid(task), on, 0 };

	return peer_ioctl(peer, BINDER_FREEZE, &info);
}

static const char *post(struct peer *client, __u32 flags, __u32 code,
			const char *data)
{
	put_msg(client, BC_TRANSACTION,
		MSG(.flags = flags, .code = code, .data = data,
		    .size = strlen(data) + 1));
	return peer_write_read(client);
}

/* Item 168: a call is refused, and does not turn up later. */
TEST_F(frozen, call_is_refused)
{
	ASSERT_EQ(0, freeze(self->client, self->task, true));
	put_msg(self->client, BC_TRANSACTION, MSG());
	EXPECT_STREQ("NOOP FROZEN_REPLY", peer_write_read(self->client));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
	ASSERT_EQ(0, freeze(self->client, self->task, false));
	EXPECT_STREQ("EAGAIN", peer_read(self->server));
}

/* Items 77 and 78: it holds up the commands that follow. */
TEST_F(frozen, refusal_stops_the_write)
{
	ASSERT_EQ(0, freeze(self->client, self->task, true));
	put_msg(self->client, BC_TRANSACTION, MSG());
	put_word(self->client, BC_ENTER_LOOPER);
	ASSERT_EQ(0, peer_write(self->client));
	EXPECT_EQ(68, self->client->bwr.write_consumed);
	EXPECT_STREQ("NOOP FROZEN_REPLY", peer_read(self->client));
}

/* Item 79: an accepted oneway does not. */
TEST_F(frozen, oneway_does_not_stop_the_write)
{
	ASSERT_EQ(0, freeze(self->client, self->task, true));
	put_msg(self->client, BC_TRANSACTION, MSG(.flags = TF_ONE_WAY));
	put_word(self->client, BC_ENTER_LOOPER);
	ASSERT_EQ(0, peer_write(self->client));
	EXPECT_EQ(72, self->client->bwr.write_consumed);
	EXPECT_STREQ(PENDING, peer_read(self->client));
}

/* Items 118 and 169: a looper that runs gets the oneway all the same. */
TEST_F(frozen, oneway_is_delivered)
{
	ASSERT_EQ(0, freeze(self->client, self->task, true));
	EXPECT_STREQ(PENDING, post(self->client, TF_ONE_WAY, 1, "one"));
	EXPECT_STREQ(PENDING, post(self->client, TF_ONE_WAY, 2, "two"));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	EXPECT_EQ(1, self->server->txn.code);
	ASSERT_EQ(0, peer_free_last(self->server));
	ASSERT_EQ(0, freeze(self->client, self->task, false));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	EXPECT_EQ(2, self->server->txn.code);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE",
		     post(self->client, TF_ONE_WAY, 3, "three"));
}

/* Item 170: a frozen process can call and be answered. */
TEST_F(frozen, may_call_others)
{
	__u32 handle;

	ASSERT_EQ(0, peer_word(self->client, BC_ENTER_LOOPER));
	handle = registry_add(self->server, self->client, 0x10, 0, 0);
	ASSERT_EQ(0, freeze(self->client, self->task, true));
	ASSERT_EQ(0, peer_send(self->server, BC_TRANSACTION,
			       MSG(.handle = handle)));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->client));
	answer(self->client, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
		     peer_read(self->server));
}

/* Parks one oneway behind another, the first of which has been read. */
static void occupy(struct peer *client, struct peer *server)
{
	post(client, TF_ONE_WAY, 100, "first");
	must_read(server, "NOOP TRANSACTION");
}

/* Frees what was read and gives the next payload, or what came instead. */
static const char *next(struct peer *server)
{
	peer_free_last(server);
	if (strcmp(peer_read(server), "NOOP TRANSACTION"))
		return server->text;
	return peer_string(server);
}

/* Item 171: the last of several updates is the one that arrives. */
TEST_F(frozen, update_replaces)
{
	occupy(self->client, self->server);
	ASSERT_EQ(0, freeze(self->client, self->task, true));
	EXPECT_STREQ(PENDING, post(self->client, UPDATE, 1, "a"));
	EXPECT_STREQ(PENDING, post(self->client, UPDATE, 1, "b"));
	EXPECT_STREQ(PENDING, post(self->client, UPDATE, 1, "c"));
	EXPECT_STREQ("c", next(self->server));
	EXPECT_STREQ("EAGAIN", next(self->server));
}

/* Item 172: equal are code and flags; the new one goes to the end. */
TEST_F(frozen, update_of_the_same_kind_only)
{
	occupy(self->client, self->server);
	ASSERT_EQ(0, freeze(self->client, self->task, true));
	post(self->client, UPDATE, 1, "one");
	post(self->client, UPDATE, 2, "two");
	post(self->client, UPDATE | TF_STATUS_CODE, 1, "other flags");
	post(self->client, TF_ONE_WAY, 1, "no update");
	post(self->client, UPDATE, 1, "one again");
	EXPECT_STREQ("two", next(self->server));
	EXPECT_STREQ("other flags", next(self->server));
	EXPECT_STREQ("no update", next(self->server));
	EXPECT_STREQ("one again", next(self->server));
	EXPECT_STREQ("EAGAIN", next(self->server));
}

/* Item 172: and the sender. */
TEST_F(frozen, update_by_the_same_sender_only)
{
	struct peer *other = peer_open(task_fork());

	occupy(self->client, self->server);
	ASSERT_EQ(0, freeze(self->client, self->task, true));
	post(self->client, UPDATE, 1, "mine");
	post(other, UPDATE, 1, "theirs");
	EXPECT_STREQ("mine", next(self->server));
	EXPECT_STREQ("theirs", next(self->server));
}

/* Item 173: what is out already is not replaced. */
TEST_F(frozen, update_leaves_what_is_on_its_way)
{
	ASSERT_EQ(0, freeze(self->client, self->task, true));
	post(self->client, UPDATE, 1, "on its way");
	post(self->client, UPDATE, 1, "old");
	post(self->client, UPDATE, 1, "new");
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	EXPECT_STREQ("on its way", peer_string(self->server));
	EXPECT_STREQ("new", next(self->server));
	EXPECT_STREQ("EAGAIN", next(self->server));
}

/* Item 173: only for the frozen. */
TEST_F(frozen, no_update_without_freeze)
{
	occupy(self->client, self->server);
	post(self->client, UPDATE, 1, "a");
	post(self->client, UPDATE, 1, "b");
	EXPECT_STREQ("a", next(self->server));
	EXPECT_STREQ("b", next(self->server));
}

/* Item 173: a replaced message gives its space back at once. */
TEST_F(frozen, updates_take_no_space)
{
	char *data = arena_alloc(MAP_SIZE);
	struct msg msg = { .flags = UPDATE, .data = data, .size = 16384 };

	occupy(self->client, self->server);
	ASSERT_EQ(0, freeze(self->client, self->task, true));
	for (int i = 0; i < 50; i++) {
		put_msg(self->client, BC_TRANSACTION, &msg);
		ASSERT_STREQ(PENDING, peer_write_read(self->client));
	}
	next(self->server);
	EXPECT_EQ(16384, self->server->txn.data_size);
	EXPECT_STREQ("EAGAIN", next(self->server));
}

/* Item 173: and its references. */
TEST_F(frozen, update_drops_references)
{
	struct flat_binder_object obj = local_object(0x10, 0, 0);

	occupy(self->client, self->server);
	ASSERT_EQ(0, freeze(self->client, self->task, true));
	ASSERT_EQ(0, send_object(self->client, BC_TRANSACTION,
				 MSG(.flags = UPDATE), &obj));
	EXPECT_STREQ("NOOP INCREFS ACQUIRE TRANSACTION_PENDING_FROZEN",
		     peer_read(self->client));
	ack_refs(self->client);
	ASSERT_EQ(0, peer_word(self->client, BC_ENTER_LOOPER));
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.flags = UPDATE)));
	EXPECT_STREQ("NOOP TRANSACTION_PENDING_FROZEN",
		     peer_read(self->client));
	EXPECT_STREQ("NOOP RELEASE DECREFS", peer_read(self->client));
}

TEST_HARNESS_MAIN
