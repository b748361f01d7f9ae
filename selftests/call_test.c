// SPDX-License-Identifier: GPL-2.0
/* Two-way calls to handle 0 and their replies, with plain data. */

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "peer.h"

FIXTURE(call)
{
	struct task *other;
};

FIXTURE_SETUP(call)
{
	binder_setup();
	self->other = task_fork();
}

FIXTURE_TEARDOWN(call)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Items 42, 116, 123, 125, 243 and 245: one call, looked at from all sides. */
TEST_F(call, round_trip)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);
	struct binder_transaction_data *txn = &server->txn;

	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION,
			       MSG(.code = 0xfeed, .flags = 0x80 | TF_ACCEPT_FDS,
				   .data = "question", .size = 9)));
	EXPECT_EQ(4 + sizeof(*txn), client->bwr.write_consumed);
	EXPECT_STREQ("EAGAIN", peer_read(client));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(0, txn->target.ptr);
	EXPECT_EQ(0, txn->cookie);
	EXPECT_EQ(0xfeed, txn->code);
	EXPECT_EQ(0x80 | TF_ACCEPT_FDS, txn->flags);
	EXPECT_EQ(getpid(), txn->sender_pid);
	EXPECT_EQ(geteuid(), txn->sender_euid);
	EXPECT_EQ(9, txn->data_size);
	EXPECT_EQ(0, txn->offsets_size);
	EXPECT_EQ(0, txn->data.ptr.buffer % 8);
	EXPECT_GE(txn->data.ptr.buffer, (__u64)server->map);
	EXPECT_LT(txn->data.ptr.buffer, (__u64)server->map + MAP_SIZE);
	EXPECT_STREQ("question", peer_string(server));
	ASSERT_EQ(0, peer_free_last(server));

	ASSERT_EQ(0, peer_send(server, BC_REPLY,
			       MSG(.code = 7, .data = "answer", .size = 7)));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(server));
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(client));
	txn = &client->txn;
	EXPECT_EQ(0, txn->target.ptr);
	EXPECT_EQ(0, txn->cookie);
	EXPECT_EQ(7, txn->code);
	EXPECT_EQ(0, txn->flags);
	EXPECT_EQ(0, txn->sender_pid);
	EXPECT_EQ(geteuid(), txn->sender_euid);
	EXPECT_EQ(7, txn->data_size);
	EXPECT_STREQ("answer", peer_string(client));
	EXPECT_EQ(0, peer_free_last(client));
	EXPECT_STREQ("EAGAIN", peer_read(client));
	EXPECT_STREQ("EAGAIN", peer_read(server));
}

/* Item 215: nothing at all can be sent. */
TEST_F(call, empty_payload)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);

	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION, MSG(.code = 1)));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(0, server->txn.data_size);
	EXPECT_NE(0, server->txn.data.ptr.buffer);
	ASSERT_EQ(0, peer_free_last(server));
	ASSERT_EQ(0, peer_send(server, BC_REPLY, MSG()));
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(client));
	EXPECT_EQ(0, client->txn.data_size);
}

/* Item 215: every byte of payloads of odd and even sizes arrives. */
TEST_F(call, payloads_arrive_unchanged)
{
	static const size_t sizes[] = {
		1, 3, 4, 7, 8, 127, 4095, 4096, 4097, 12345,
	};
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);
	unsigned char *data = arena_alloc(16384);

	for (size_t i = 0; i < 16384; i++)
		data[i] = i * 7 + i / 256;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, peer_send(client, BC_TRANSACTION,
				       MSG(.data = data + i,
					   .size = sizes[i])));
		ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
		ASSERT_EQ(sizes[i], server->txn.data_size);
		EXPECT_EQ(0, memcmp(data + i, peer_data(server), sizes[i]));
		ASSERT_EQ(0, peer_send(server, BC_REPLY,
				       MSG(.data = data + 2 * i,
					   .size = sizes[i])));
		peer_free_last(server);
		ASSERT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(server));
		ASSERT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
			     peer_read(client));
		ASSERT_EQ(sizes[i], client->txn.data_size);
		EXPECT_EQ(0, memcmp(data + 2 * i, peer_data(client), sizes[i]));
		peer_free_last(client);
	}
}

/* Item 106: a reply's code and flags are the replier's, its target is not. */
TEST_F(call, reply_fields_are_passed_on)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);
	__u32 flags = TF_ONE_WAY | TF_STATUS_CODE | 0x4000;

	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION, MSG()));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	ASSERT_EQ(0, peer_send(server, BC_REPLY,
			       MSG(.handle = 12345, .code = 0x80000001,
				   .flags = flags)));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(server));
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(client));
	EXPECT_EQ(0x80000001, client->txn.code);
	EXPECT_EQ(flags, client->txn.flags);
}

/* Items 74 and 116: all steps of a call in one ioctl each. */
TEST_F(call, one_ioctl_each)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);

	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION, MSG()));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	put_u64(server, BC_FREE_BUFFER, server->txn.data.ptr.buffer);
	put_msg(server, BC_REPLY, MSG(.data = "x", .size = 2));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_write_read(server));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(client));
	put_u64(client, BC_FREE_BUFFER, client->txn.data.ptr.buffer);
	put_msg(client, BC_TRANSACTION, MSG());
	EXPECT_STREQ("EAGAIN", peer_write_read(client));
	EXPECT_EQ(client->bwr.write_size, client->bwr.write_consumed);
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(server));
}

/* Item 183: a thread that owes an answer gets no other call. */
TEST_F(call, busy_thread_takes_no_second_call)
{
	struct peer *server = peer_manager(self->other);
	struct peer *one = peer_open(NULL);
	struct peer *two = peer_open(NULL);

	ASSERT_EQ(0, peer_send(one, BC_TRANSACTION, MSG(.code = 1)));
	ASSERT_EQ(0, peer_send(two, BC_TRANSACTION, MSG(.code = 2)));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(1, server->txn.code);
	EXPECT_STREQ("EAGAIN", peer_read(server));
	ASSERT_EQ(0, peer_send(server, BC_REPLY, MSG(.code = 11)));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(server));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(2, server->txn.code);
	ASSERT_EQ(0, peer_send(server, BC_REPLY, MSG(.code = 12)));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(two));
	EXPECT_EQ(12, two->txn.code);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(one));
	EXPECT_EQ(11, one->txn.code);
}

/* Item 90: a read ends with its message, though more is queued. */
TEST_F(call, one_message_per_read)
{
	struct peer *server = peer_manager(NULL);
	struct peer *second = peer_thread(server, task_thread());
	struct peer *one = peer_open(self->other);
	struct peer *two = peer_open(self->other);

	ASSERT_EQ(0, peer_word(second, BC_ENTER_LOOPER));
	ASSERT_EQ(0, peer_send(one, BC_TRANSACTION, MSG(.code = 1)));
	ASSERT_EQ(0, peer_send(two, BC_TRANSACTION, MSG(.code = 2)));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(1, server->txn.code);
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(second));
	EXPECT_EQ(2, second->txn.code);
}

/* Item 187: the answer goes to the thread that asked. */
TEST_F(call, reply_goes_to_the_caller)
{
	struct peer *server = peer_manager(self->other);
	struct peer *one = peer_open(NULL);
	struct peer *two = peer_thread(one, task_thread());

	ASSERT_EQ(0, peer_send(one, BC_TRANSACTION, MSG(.code = 1)));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	ASSERT_EQ(0, peer_send(server, BC_REPLY, MSG()));
	EXPECT_STREQ("EAGAIN", peer_read(two));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(one));
}

/* Item 175. */
TEST_F(call, no_manager)
{
	struct peer *client = peer_open(NULL);

	put_msg(client, BC_TRANSACTION, MSG());
	EXPECT_STREQ("NOOP DEAD_REPLY", peer_write_read(client));
	EXPECT_STREQ("EAGAIN", peer_read(client));
}

/* Items 117 and 174. */
TEST_F(call, unknown_handle)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);

	put_msg(client, BC_TRANSACTION, MSG(.handle = 1));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(client));
	put_msg(client, BC_TRANSACTION, MSG(.handle = 0xffffffff));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(client));
	EXPECT_STREQ("EAGAIN", peer_read(server));
}

/* Item 176. */
TEST_F(call, manager_cannot_call_itself)
{
	struct peer *server = peer_manager(NULL);

	put_msg(server, BC_TRANSACTION, MSG());
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(server));
	EXPECT_STREQ("EAGAIN", peer_read(server));
}

/* Items 176 and 531: nor by a second open; the Rust driver of 7.3 lets it pass. */
TEST_F(call, manager_cannot_call_itself_by_another_open)
{
	struct peer *server = peer_manager(NULL);
	struct peer *client = peer_open(NULL);

	put_msg(client, BC_TRANSACTION, MSG());
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(client));
	EXPECT_STREQ("EAGAIN", peer_read(server));
}

/* Item 179. */
TEST_F(call, second_call_while_waiting)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);

	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION, MSG(.code = 1)));
	put_msg(client, BC_TRANSACTION, MSG(.code = 2));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE FAILED_REPLY",
		     peer_write_read(client));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(1, server->txn.code);
	ASSERT_EQ(0, peer_send(server, BC_REPLY, MSG()));
	EXPECT_STREQ("NOOP REPLY", peer_read(client));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(server));
	EXPECT_STREQ("EAGAIN", peer_read(server));
}

/* Item 104. */
TEST_F(call, reply_without_a_call)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);

	put_msg(server, BC_REPLY, MSG());
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(server));
	/* The call is queued, but not with this thread yet. */
	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION, MSG()));
	ASSERT_EQ(0, peer_send(server, BC_REPLY, MSG()));
	ASSERT_STREQ("NOOP FAILED_REPLY", peer_read(server));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	ASSERT_EQ(0, peer_send(server, BC_REPLY, MSG()));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(server));
	put_msg(server, BC_REPLY, MSG());
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(server));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(client));
	EXPECT_STREQ("EAGAIN", peer_read(client));
}

/* Item 104: another thread of the server read the call. */
TEST_F(call, reply_by_another_thread)
{
	struct peer *server = peer_manager(NULL);
	struct peer *second = peer_thread(server, task_thread());
	struct peer *client = peer_open(self->other);

	ASSERT_EQ(0, peer_word(second, BC_ENTER_LOOPER));
	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION, MSG()));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	put_msg(second, BC_REPLY, MSG());
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(second));
	EXPECT_STREQ("EAGAIN", peer_read(client));
	ASSERT_EQ(0, peer_send(server, BC_REPLY, MSG()));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(client));
}

/* Item 105. */
TEST_F(call, reply_to_the_own_call)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);

	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION, MSG()));
	put_msg(client, BC_REPLY, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE FAILED_REPLY",
		     peer_write_read(client));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	ASSERT_EQ(0, peer_send(server, BC_REPLY, MSG()));
	EXPECT_STREQ("NOOP REPLY", peer_read(client));
}

/* Items 1 and 20: a caller that blocks is woken by the reply. */
TEST_F(call, blocking_round_trip)
{
	struct peer *server = peer_open_as(self->other, BINDER_DEV, O_RDWR,
					   MAP_SIZE);
	struct peer *client = peer_open_as(task_fork(), BINDER_DEV, O_RDWR,
					   MAP_SIZE);

	ASSERT_EQ(0, peer_ioctl(server, BINDER_SET_CONTEXT_MGR, NULL));
	put_word(server, BC_ENTER_LOOPER);
	peer_read_start(server);
	put_msg(client, BC_TRANSACTION, MSG(.data = "ping", .size = 5));
	peer_read_start(client);
	ASSERT_STREQ("NOOP TRANSACTION", peer_read_finish(server));
	EXPECT_STREQ("ping", peer_string(server));
	put_u64(server, BC_FREE_BUFFER, server->txn.data.ptr.buffer);
	put_msg(server, BC_REPLY, MSG(.data = "pong", .size = 5));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_write_read(server));
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
		     peer_read_finish(client));
	EXPECT_STREQ("pong", peer_string(client));
}

TEST_HARNESS_MAIN
