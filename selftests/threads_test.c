// SPDX-License-Identifier: GPL-2.0
/* A thread's own work and its process's, and threads that leave with some. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

FIXTURE(threads)
{
	struct peer *manager;
	struct peer *server;
	struct peer *client;
	__u32 handle;
};

FIXTURE_SETUP(threads)
{
	binder_setup();
	self->manager = registry_open();
	self->handle = registry_pair(self->manager, &self->server,
				     &self->client);
}

FIXTURE_TEARDOWN(threads)
{
	EXPECT_STREQ("", binder_teardown());
}

static void post(struct peer *client, __u32 handle, __u32 code)
{
	struct msg msg = {
		.handle = handle, .code = code, .flags = TF_ONE_WAY,
	};

	put_msg(client, BC_TRANSACTION, &msg);
	if (strcmp(peer_write_read(client), "NOOP TRANSACTION_COMPLETE"))
		die("oneway: %s", client->text);
}

/* Item 11: a thread's first call of all may return with nothing. */
TEST_F(threads, first_call_is_a_read)
{
	struct peer peer = { .nr_rets = 0 };
	const char *text;

	peer.fd = binder_open_at(binder_dir, BINDER_DEV, O_RDWR | O_NONBLOCK);
	ASSERT_LE(0, peer.fd);
	text = peer_read(&peer);
	EXPECT_TRUE(!strcmp(text, "NOOP") || !strcmp(text, "EAGAIN")) {
		TH_LOG("read %s", text);
	}
	EXPECT_STREQ("EAGAIN", peer_read(&peer));
	close(peer.fd);
}

/* Item 188: who has not entered the loop may or may not be given work. */
TEST_F(threads, thread_outside_the_loop)
{
	struct peer *outside = peer_thread(self->server, task_thread());
	const char *text;

	post(self->client, self->handle, 1);
	text = peer_read(outside);
	EXPECT_TRUE(!strcmp(text, "NOOP TRANSACTION") ||
		    !strcmp(text, "EAGAIN")) {
		TH_LOG("read %s", text);
	}
}

/* Item 92: what is the thread's own comes first, in a read of its own. */
TEST_F(threads, own_work_first)
{
	post(self->client, self->handle, 1);
	ASSERT_EQ(0, peer_send(self->server, BC_TRANSACTION,
			       MSG(.flags = TF_ONE_WAY)));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(self->server));
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	EXPECT_STREQ("EAGAIN", peer_read(self->server));
}

/* Item 92: both lists are in order. */
TEST_F(threads, work_in_order)
{
	struct peer *other = peer_open(NULL);
	__u32 handle;

	handle = registry_give(self->manager, self->server, other, 0x20, 0, 0);
	post(self->client, self->handle, 1);
	post(other, handle, 2);
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.handle = self->handle, .code = 3)));
	for (__u32 i = 1; i <= 3; i++) {
		ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
		EXPECT_EQ(i, self->server->txn.code);
	}
}

/* Item 114: an empty return is never empty. */
TEST_F(threads, noop_comes_first)
{
	for (int i = 0; i < 3; i++) {
		post(self->client, self->handle, i);
		must_read(self->server, "NOOP TRANSACTION");
		EXPECT_EQ(BR_NOOP, *(__u32 *)self->server->in);
		EXPECT_EQ(BR_TRANSACTION, *(__u32 *)(self->server->in + 4));
		ASSERT_EQ(0, peer_free_last(self->server));
	}
}

/* Items 48 and 532: counts that a thread has not read go with it; nothing worse. */
TEST_F(threads, exit_with_counts_unread)
{
	struct flat_binder_object obj = local_object(0x50, 0, 0);

	ASSERT_EQ(0, send_object(self->server, BC_TRANSACTION,
				 MSG(.flags = TF_ONE_WAY), &obj));
	ASSERT_EQ(0, peer_ioctl(self->server, BINDER_THREAD_EXIT, NULL));
	ASSERT_EQ(0, peer_word(self->server, BC_ENTER_LOOPER));
	must_read(self->manager, "NOOP TRANSACTION");
	ASSERT_EQ(0, peer_free_last(self->manager));
	/* Life goes on. */
	post(self->client, self->handle, 1);
	while (strcmp(peer_read(self->server), "EAGAIN"))
		if (!strcmp(self->server->text, "NOOP TRANSACTION"))
			break;
	EXPECT_STREQ("NOOP TRANSACTION", self->server->text);
}

/* Items 413 and 532: they are for the threads that stay. */
TEST_F(threads, exit_passes_counts_on)
{
	struct flat_binder_object obj = local_object(0x50, 0, 0);
	struct peer *second = peer_thread(self->server, task_thread());

	if (!is_binder_safe())
		SKIP(return, "BETTER: in C they may be lost");
	ASSERT_EQ(0, peer_word(second, BC_ENTER_LOOPER));
	ASSERT_EQ(0, send_object(self->server, BC_TRANSACTION,
				 MSG(.flags = TF_ONE_WAY), &obj));
	EXPECT_STREQ("EAGAIN", peer_read(second));
	ASSERT_EQ(0, peer_ioctl(self->server, BINDER_THREAD_EXIT, NULL));
	EXPECT_STREQ("NOOP INCREFS ACQUIRE", peer_read(second));
	EXPECT_EQ(0x50, second->rets[1].node.ptr);
}

/* Item 266: a thread dies within a call; the caller hears of it some time. */
TEST_F(threads, dies_within_a_call)
{
	struct task *task = task_fork();
	struct peer *server = peer_open(task);
	__u32 handle;

	ASSERT_EQ(0, peer_word(server, BC_ENTER_LOOPER));
	handle = registry_give(self->manager, server, self->client, 0x20, 0, 0);
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.handle = handle)));
	must_read(server, "NOOP TRANSACTION");
	peer_close(server);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE DEAD_REPLY",
		     read_late(self->client));
}

/* Item 46: the other threads notice nothing of an exit. */
TEST_F(threads, exit_leaves_the_others)
{
	struct peer *second = peer_thread(self->server, task_thread());

	ASSERT_EQ(0, peer_word(second, BC_ENTER_LOOPER));
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.handle = self->handle)));
	must_read(second, "NOOP TRANSACTION");
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, peer_ioctl(self->server, BINDER_THREAD_EXIT,
					NULL));
		ASSERT_EQ(0, peer_word(self->server, BC_ENTER_LOOPER));
	}
	answer(second, MSG(.code = 5));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
		     peer_read(self->client));
}

/* Items 129 and 253: flags of objects pass through, whatever they mean. */
TEST_F(threads, object_flags_pass_through)
{
	struct flat_binder_object obj = local_object(0x60, 0, 0xfffffeff);

	ASSERT_EQ(0, send_object(self->client, BC_TRANSACTION,
				 MSG(.flags = TF_ONE_WAY), &obj));
	must_read(self->manager, "NOOP TRANSACTION");
	EXPECT_EQ(0xfffffeff, peer_object(self->manager, 0)->flags);
}

TEST_HARNESS_MAIN
