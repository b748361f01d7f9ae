// SPDX-License-Identifier: GPL-2.0
/* Oneway messages: completion, order, the space they may take. */

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define AREA (64 * 1024)
#define BAD_POINTER ((void *)8)

FIXTURE(oneway)
{
	struct task *other;
	struct peer *server;
	struct peer *client;
};

FIXTURE_SETUP(oneway)
{
	binder_setup();
	self->other = task_fork();
	self->server = peer_open_as(self->other, BINDER_DEV,
				    O_RDWR | O_NONBLOCK, AREA);
	ASSERT_EQ(0, peer_ioctl(self->server, BINDER_SET_CONTEXT_MGR, NULL));
	ASSERT_EQ(0, peer_word(self->server, BC_ENTER_LOOPER));
	self->client = peer_open(NULL);
}

FIXTURE_TEARDOWN(oneway)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Sends and says what the sender is told. */
static const char *post(struct peer *client, __u32 code, const void *data,
			size_t size)
{
	put_msg(client, BC_TRANSACTION,
		MSG(.flags = TF_ONE_WAY, .code = code, .data = data,
		    .size = size));
	return peer_write_read(client);
}

/* Items 115, 118, 201 and 244. */
TEST_F(oneway, delivered_without_an_answer)
{
	struct binder_transaction_data *txn = &self->server->txn;

	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE",
		     post(self->client, 9, "event", 6));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	EXPECT_EQ(9, txn->code);
	EXPECT_EQ(TF_ONE_WAY, txn->flags);
	EXPECT_EQ(0, txn->sender_pid);
	EXPECT_EQ(geteuid(), txn->sender_euid);
	EXPECT_STREQ("event", peer_string(self->server));
	/* Item 104: there is nothing to reply to. */
	put_msg(self->server, BC_REPLY, MSG());
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(self->server));
	EXPECT_EQ(0, peer_free_last(self->server));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Item 198: the next one comes when the last one's buffer is freed. */
TEST_F(oneway, one_at_a_time)
{
	struct peer *second = peer_open(NULL);

	for (int i = 0; i < 6; i++)
		EXPECT_STREQ("NOOP TRANSACTION_COMPLETE",
			     post(i % 2 ? second : self->client, i, NULL, 0));
	for (int i = 0; i < 6; i++) {
		ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
		EXPECT_EQ(i, self->server->txn.code);
		EXPECT_STREQ("EAGAIN", peer_read(self->server));
		ASSERT_EQ(0, peer_free_last(self->server));
	}
	EXPECT_STREQ("EAGAIN", peer_read(self->server));
}

/* Items 183 and 186: a two-way call overtakes parked oneways. */
TEST_F(oneway, call_overtakes)
{
	__u64 first;

	for (int i = 1; i <= 3; i++)
		post(self->client, i, NULL, 0);
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG(.code = 9)));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	EXPECT_EQ(1, self->server->txn.code);
	first = self->server->txn.data.ptr.buffer;
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	EXPECT_EQ(9, self->server->txn.code);
	ASSERT_EQ(0, peer_free(self->server, first));
	/* The thread owes an answer first. */
	EXPECT_STREQ("EAGAIN", peer_read(self->server));
	answer(self->server, MSG());
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	EXPECT_EQ(2, self->server->txn.code);
	ASSERT_EQ(0, peer_free_last(self->server));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	EXPECT_EQ(3, self->server->txn.code);
}

/* Item 199: the rule is for each node. */
TEST_F(oneway, nodes_are_independent)
{
	struct peer *owner = peer_open(NULL);
	__u32 handles[2];

	ASSERT_EQ(0, peer_word(owner, BC_ENTER_LOOPER));
	for (int i = 0; i < 2; i++)
		handles[i] = registry_give(self->server, owner, self->client,
					   0x1000 + i, 0, 0);
	for (int i = 0; i < 4; i++) {
		put_msg(self->client, BC_TRANSACTION,
			MSG(.handle = handles[i % 2], .code = i,
			    .flags = TF_ONE_WAY));
		EXPECT_STREQ("NOOP TRANSACTION_COMPLETE",
			     peer_write_read(self->client));
	}
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(owner));
	EXPECT_EQ(0x1000, owner->txn.target.ptr);
	EXPECT_EQ(0, owner->txn.code);
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(owner));
	EXPECT_EQ(0x1001, owner->txn.target.ptr);
	EXPECT_EQ(1, owner->txn.code);
	EXPECT_STREQ("EAGAIN", peer_read(owner));
	ASSERT_EQ(0, peer_free_last(owner));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(owner));
	EXPECT_EQ(3, owner->txn.code);
}

/* Item 200: the next goes to any thread of the process. */
TEST_F(oneway, next_goes_to_any_thread)
{
	struct peer *server = peer_open(NULL);
	struct peer *second = peer_thread(server, task_thread());
	__u32 handle = registry_give(self->server, server, self->client, 0x10,
				     0, 0);

	ASSERT_EQ(0, peer_word(server, BC_ENTER_LOOPER));
	ASSERT_EQ(0, peer_word(second, BC_ENTER_LOOPER));
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
				       MSG(.handle = handle, .code = i,
					   .flags = TF_ONE_WAY)));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	peer_set_nonblock(server, false);
	peer_read_start(second);
	ASSERT_EQ(0, peer_free_last(server));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read_finish(second));
	EXPECT_EQ(1, second->txn.code);
}

/* Item 202: half of the mapping, while calls may have all that is free. */
TEST_F(oneway, half_of_the_space)
{
	char *data = arena_alloc(AREA);

	EXPECT_STREQ("NOOP FAILED_REPLY",
		     post(self->client, 1, data, AREA / 2 + 1));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE",
		     post(self->client, 1, data, AREA / 2));
	EXPECT_STREQ("NOOP FAILED_REPLY", post(self->client, 2, NULL, 0));
	put_msg(self->client, BC_TRANSACTION, MSG(.data = data,
						  .size = AREA / 2));
	EXPECT_STREQ("EAGAIN", peer_write_read(self->client));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	EXPECT_EQ(1, self->server->txn.code);
}

/* Items 202 and 203: an empty one costs 8 bytes, and all comes back. */
TEST_F(oneway, space_comes_back)
{
	char *data = arena_alloc(AREA);

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 4; i++)
			EXPECT_STREQ("NOOP TRANSACTION_COMPLETE",
				     post(self->client, i, data, AREA / 8 - 8));
		for (int i = 0; i < 4; i++)
			EXPECT_STREQ("NOOP TRANSACTION_COMPLETE",
				     post(self->client, i, NULL, 0));
		EXPECT_STREQ("NOOP FAILED_REPLY",
			     post(self->client, 9, NULL, 0));
		for (int i = 0; i < 8; i++) {
			ASSERT_STREQ("NOOP TRANSACTION",
				     peer_read(self->server));
			ASSERT_EQ(0, peer_free_last(self->server));
		}
		EXPECT_STREQ("EAGAIN", peer_read(self->server));
	}
}

/* Items 31, 178 and 212: what a oneway's sender is told at once. */
TEST_F(oneway, failures)
{
	put_msg(self->client, BC_TRANSACTION,
		MSG(.flags = TF_ONE_WAY, .handle = 5));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(self->client));
	put_msg(self->client, BC_TRANSACTION,
		MSG(.flags = TF_ONE_WAY, .data = BAD_POINTER, .size = 1,
		    .raw = true));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(self->client));
	peer_unmap(self->server);
	EXPECT_STREQ("NOOP DEAD_REPLY", post(self->client, 1, NULL, 0));
	task_kill(self->other);
	EXPECT_STREQ("NOOP DEAD_REPLY", post(self->client, 1, NULL, 0));
}

/* Item 33: a sender needs no mapping. */
TEST_F(oneway, sender_without_a_mapping)
{
	struct peer *client = peer_open_as(NULL, BINDER_DEV,
					   O_RDWR | O_NONBLOCK, 0);

	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", post(client, 1, "hi", 3));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	EXPECT_STREQ("hi", peer_string(self->server));
}

/* Item 264. */
TEST_F(oneway, outlives_its_sender)
{
	struct peer *sender = peer_open(task_fork());

	for (int i = 0; i < 3; i++)
		EXPECT_STREQ("NOOP TRANSACTION_COMPLETE",
			     post(sender, i, "will", 5));
	task_kill(sender->task);
	for (int i = 0; i < 3; i++) {
		ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
		EXPECT_EQ(i, self->server->txn.code);
		EXPECT_STREQ("will", peer_string(self->server));
		ASSERT_EQ(0, peer_free_last(self->server));
	}
}

/* Item 268: the owner dies; who has sent has his completion and no more. */
TEST_F(oneway, owner_dies_with_some_parked)
{
	for (int i = 0; i < 3; i++)
		EXPECT_STREQ("NOOP TRANSACTION_COMPLETE",
			     post(self->client, i, NULL, 0));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	task_kill(self->other);
	EXPECT_STREQ("NOOP DEAD_REPLY", post(self->client, 4, NULL, 0));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Item 179: a thread that waits for a reply may send one. */
TEST_F(oneway, while_waiting_for_a_reply)
{
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG(.code = 1)));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE TRANSACTION_COMPLETE",
		     post(self->client, 2, NULL, 0));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	answer(self->server, MSG());
	EXPECT_STREQ("NOOP REPLY", peer_read(self->client));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	EXPECT_EQ(2, self->server->txn.code);
}

/* Items 86 and 405: a reader that faults loses the one message, not the queue. */
TEST_F(oneway, reader_faults)
{
	struct peer *server = peer_open(NULL);
	__u32 handle = registry_give(self->server, server, self->client, 0x10,
				     0, 0);
	long page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!is_binder_safe())
		SKIP(return, "BETTER: the C driver's node never recovers");
	ASSERT_EQ(0, mprotect(pages + page, page, PROT_NONE));
	ASSERT_EQ(0, peer_word(server, BC_ENTER_LOOPER));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
				       MSG(.handle = handle, .code = i,
					   .flags = TF_ONE_WAY)));
	server->bwr = (struct binder_write_read){
		.read_size = 256, .read_buffer = (__u64)(pages + page - 16),
	};
	EXPECT_EQ(-EFAULT, peer_submit(server));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(1, server->txn.code);
	ASSERT_EQ(0, peer_free_last(server));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(2, server->txn.code);
}

/* Item 82: each return wants room for the largest, however small it is. */
TEST_F(oneway, room_before_each_completion)
{
	struct peer *client = self->client;

	for (int i = 0; i < 2; i++)
		put_msg(client, BC_TRANSACTION, MSG(.flags = TF_ONE_WAY));
	ASSERT_EQ(0, peer_write(client));
	for (int i = 0; i < 2; i++) {
		client->bwr = (struct binder_write_read){
			.read_size = 83, .read_buffer = (__u64)client->in,
		};
		ASSERT_EQ(0, peer_submit(client));
		EXPECT_EQ(8, client->bwr.read_consumed);
	}
	EXPECT_STREQ("EAGAIN", peer_read(client));
}

TEST_HARNESS_MAIN
