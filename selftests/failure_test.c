// SPDX-License-Identifier: GPL-2.0
/* Calls and replies that fail, by what is wrong with the message. */

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "peer.h"

#define BAD_POINTER ((void *)8)

FIXTURE(failure)
{
	struct task *other;
};

FIXTURE_SETUP(failure)
{
	binder_setup();
	self->other = task_fork();
}

FIXTURE_TEARDOWN(failure)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Sends and reads back what the sender is told. */
static const char *try_call(struct peer *client, const struct msg *msg)
{
	put_msg(client, BC_TRANSACTION, msg);
	return peer_write_read(client);
}

/* Item 212. */
TEST_F(failure, unreadable_data)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);
	long page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ, MAP_PRIVATE |
			   MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, pages);
	ASSERT_EQ(0, munmap(pages + page, page));
	EXPECT_STREQ("NOOP FAILED_REPLY",
		     try_call(client, MSG(.data = BAD_POINTER, .size = 4,
					  .raw = true)));
	EXPECT_STREQ("NOOP FAILED_REPLY",
		     try_call(client, MSG(.data = pages + page - 16, .size = 32,
					  .raw = true)));
	EXPECT_STREQ("NOOP FAILED_REPLY",
		     try_call(client, MSG(.data = pages, .size = 2 * page,
					  .raw = true)));
	EXPECT_STREQ("EAGAIN", peer_read(server));
	EXPECT_STREQ("EAGAIN",
		     try_call(client, MSG(.data = pages, .size = page,
					  .raw = true)));
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(server));
}

/* Items 213 and 514: sizes that no mapping can hold, and sums that overflow. */
TEST_F(failure, absurd_sizes)
{
	static const struct {
		size_t data, offsets;
	} sizes[] = {
		{ ~0UL, 0 }, { ~7UL, 0 }, { ~0UL - 6, 8 }, { 8, ~7UL },
		{ 1UL << 63, 1UL << 63 }, { 1UL << 63, 0 }, { 1UL << 32, 0 },
		{ MAP_SIZE + 1, 0 }, { MAP_SIZE, 8 },
	};
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_STREQ("NOOP FAILED_REPLY",
			     try_call(client,
				      MSG(.data = client->map,
					  .size = sizes[i].data,
					  .offsets_size = sizes[i].offsets,
					  .offsets = client->map,
					  .raw = true))) {
			TH_LOG("data %#zx, offsets %#zx", sizes[i].data,
			       sizes[i].offsets);
		}
	}
	EXPECT_STREQ("EAGAIN", peer_read(server));
}

/* Item 217: failures leave no hole; a call that needs all still fits. */
TEST_F(failure, nothing_is_left_behind)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);
	char *data = arena_alloc(MAP_SIZE);

	for (int i = 0; i < 100; i++)
		ASSERT_STREQ("NOOP FAILED_REPLY",
			     try_call(client, MSG(.data = BAD_POINTER,
						  .size = 5000, .raw = true)));
	EXPECT_STREQ("EAGAIN", try_call(client, MSG(.data = data,
						    .size = MAP_SIZE)));
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(server->map, (char *)server->txn.data.ptr.buffer);
}

/* Item 31: a target without a mapping is as good as dead. */
TEST_F(failure, target_never_mapped)
{
	struct peer *server = peer_open_as(self->other, BINDER_DEV,
					   O_RDWR | O_NONBLOCK, 0);
	struct peer *client = peer_open(NULL);

	ASSERT_EQ(0, peer_ioctl(server, BINDER_SET_CONTEXT_MGR, NULL));
	ASSERT_EQ(0, peer_word(server, BC_ENTER_LOOPER));
	EXPECT_STREQ("NOOP DEAD_REPLY", try_call(client, MSG()));
	EXPECT_STREQ("EAGAIN", peer_read(server));
}

/* Item 32: unmapped later is the same. */
TEST_F(failure, target_unmapped)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);

	peer_unmap(server);
	EXPECT_STREQ("NOOP DEAD_REPLY", try_call(client, MSG()));
	EXPECT_STREQ("EAGAIN", peer_read(server));
}

/* Item 33: a caller without a mapping cannot be answered. */
TEST_F(failure, caller_never_mapped)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open_as(NULL, BINDER_DEV,
					   O_RDWR | O_NONBLOCK, 0);

	EXPECT_STREQ("EAGAIN", try_call(client, MSG(.code = 1)));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	ASSERT_EQ(0, peer_send(server, BC_REPLY, MSG()));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(server));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE DEAD_REPLY", peer_read(client));
}

/* Item 107: the caller hears of a reply that could not be made. */
TEST_F(failure, reply_too_big)
{
	long page = sysconf(_SC_PAGESIZE);
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open_as(NULL, BINDER_DEV,
					   O_RDWR | O_NONBLOCK, page);

	EXPECT_STREQ("EAGAIN", try_call(client, MSG()));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	ASSERT_EQ(0, peer_send(server, BC_REPLY,
			       MSG(.data = arena_alloc(2 * page),
				   .size = page + 8)));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(server));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE FAILED_REPLY",
		     peer_read(client));
	put_msg(server, BC_REPLY, MSG());
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(server));
	EXPECT_STREQ("EAGAIN", peer_read(client));
}

/* Items 107 and 212. */
TEST_F(failure, reply_unreadable)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);

	EXPECT_STREQ("EAGAIN", try_call(client, MSG()));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	ASSERT_EQ(0, peer_send(server, BC_REPLY,
			       MSG(.data = BAD_POINTER, .size = 4,
				   .raw = true)));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(server));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE FAILED_REPLY",
		     peer_read(client));
	EXPECT_STREQ("EAGAIN", try_call(client, MSG(.code = 2)));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(2, server->txn.code);
}

/* Reads into a buffer whose message part cannot be written. */
static int read_with_fault(struct peer *peer)
{
	long page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE))
		die("guarded page: %m");
	peer->bwr = (struct binder_write_read){
		.read_size = 256, .read_buffer = (__u64)(pages + page - 16),
	};
	return peer_submit(peer);
}

/* Item 85. */
TEST_F(failure, reader_faults)
{
	struct peer *server = peer_manager(NULL);
	struct peer *client = peer_open(self->other);

	EXPECT_STREQ("EAGAIN", try_call(client, MSG()));
	EXPECT_EQ(-EFAULT, read_with_fault(server));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE FAILED_REPLY",
		     peer_read(client));
	/* Item 256: which the extended error is not about. */
	EXPECT_STREQ("OK 0", peer_error(client));
	EXPECT_STREQ("EAGAIN", peer_read(server));
	put_msg(server, BC_REPLY, MSG());
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(server));
	/* Both are as before. */
	EXPECT_STREQ("EAGAIN", try_call(client, MSG(.code = 2)));
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(server));
}

/* Items 85 and 405. */
TEST_F(failure, reader_faults_and_the_buffer_is_freed)
{
	struct peer *server = peer_manager(NULL);
	struct peer *client = peer_open(self->other);

	if (!is_binder_safe())
		SKIP(return, "BETTER: the C driver keeps the buffer until the process ends");
	EXPECT_STREQ("EAGAIN", try_call(client, MSG()));
	EXPECT_EQ(-EFAULT, read_with_fault(server));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE FAILED_REPLY",
		     peer_read(client));
	EXPECT_STREQ("EAGAIN", try_call(client,
					MSG(.data = arena_alloc(MAP_SIZE),
					    .size = MAP_SIZE)));
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(server));
}

/* Item 82: a message waits for a read that has room for it. */
TEST_F(failure, small_read_keeps_the_call)
{
	struct peer *server = peer_manager(NULL);
	struct peer *client = peer_open(self->other);

	EXPECT_STREQ("EAGAIN", try_call(client, MSG(.code = 5)));
	server->bwr = (struct binder_write_read){
		.read_size = 79, .read_buffer = (__u64)server->in,
	};
	EXPECT_EQ(0, peer_submit(server));
	EXPECT_EQ(4, server->bwr.read_consumed);
	server->bwr.read_size = 80;
	server->bwr.read_consumed = 0;
	EXPECT_EQ(0, peer_submit(server));
	EXPECT_EQ(72, server->bwr.read_consumed);
}

TEST_HARNESS_MAIN
