// SPDX-License-Identifier: GPL-2.0
/* Buffers in the receiver's mapping: where they lie and who may free them. */

#include <errno.h>
#include <fcntl.h>

#include "kselftest_harness.h"
#include "object.h"

#define AREA (64 * 1024)
#define MAX_BUFFERS 64

FIXTURE(buffer)
{
	struct peer *server;
	struct peer *client;
	char *data;
};

FIXTURE_SETUP(buffer)
{
	binder_setup();
	self->server = peer_open_as(task_fork(), BINDER_DEV,
				    O_RDWR | O_NONBLOCK, AREA);
	ASSERT_EQ(0, peer_ioctl(self->server, BINDER_SET_CONTEXT_MGR, NULL));
	ASSERT_EQ(0, peer_word(self->server, BC_ENTER_LOOPER));
	self->client = peer_open(NULL);
	self->data = arena_alloc(AREA);
}

FIXTURE_TEARDOWN(buffer)
{
	EXPECT_STREQ("", binder_teardown());
}

/*
 * Sends a call of size bytes and has it answered. Returns the offset of its
 * buffer, which stays, or -1 if the call failed.
 */
static long fill(struct peer *client, struct peer *server, char *data,
		 size_t size)
{
	const char *text;

	put_msg(client, BC_TRANSACTION, MSG(.data = data, .size = size));
	text = peer_write_read(client);
	if (!strcmp(text, "NOOP FAILED_REPLY"))
		return -1;
	if (strcmp(text, "EAGAIN"))
		die("call of %zu bytes: %s", size, text);
	text = peer_read(server);
	if (strcmp(text, "NOOP TRANSACTION"))
		die("call of %zu bytes at the server: %s", size, text);
	peer_send(server, BC_REPLY, MSG());
	peer_read(server);
	text = peer_read(client);
	if (strcmp(text, "NOOP TRANSACTION_COMPLETE REPLY"))
		die("call of %zu bytes: %s", size, text);
	peer_free_last(client);
	return server->txn.data.ptr.buffer - (__u64)server->map;
}

#define FILL(size) fill(self->client, self->server, self->data, size)
#define FREE(offset) \
	peer_free(self->server, (__u64)self->server->map + (offset))

/* Item 271. */
TEST_F(buffer, packed_from_the_start)
{
	EXPECT_EQ(0, FILL(16));
	EXPECT_EQ(16, FILL(1));
	EXPECT_EQ(24, FILL(0));
	EXPECT_EQ(32, FILL(9));
	EXPECT_EQ(48, FILL(8));
	EXPECT_EQ(56, FILL(5000));
	EXPECT_EQ(5056, FILL(4));
}

/* Item 102: before the reply and after it. */
TEST_F(buffer, freed_before_or_after_the_reply)
{
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, FILL(AREA));
		EXPECT_EQ(0, FREE(0));
	}
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.data = self->data, .size = AREA)));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	EXPECT_EQ(0, peer_free_last(self->server));
	ASSERT_EQ(0, peer_send(self->server, BC_REPLY, MSG()));
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(self->server));
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
		     peer_read(self->client));
	EXPECT_EQ(0, FILL(AREA));
}

/* Item 273. */
TEST_F(buffer, all_or_nothing)
{
	ASSERT_EQ(0, FILL(AREA));
	EXPECT_EQ(-1, FILL(0));
	EXPECT_EQ(-1, FILL(8));
	EXPECT_EQ(0, FREE(0));
	EXPECT_EQ(0, FILL(0));
	EXPECT_EQ(-1, FILL(AREA));
	EXPECT_EQ(-1, FILL(AREA - 7));
	EXPECT_EQ(8, FILL(AREA - 8));
	EXPECT_EQ(-1, FILL(1));
}

/* Item 103: what is not a delivered buffer is not freed, and no error. */
TEST_F(buffer, wrong_addresses_are_ignored)
{
	__u64 map = (__u64)self->server->map;
	const __u64 wrong[] = {
		0, 1, ~0ULL, map - 8, map + 8, map + 1, map + 4096,
		map + AREA, (__u64)self->client->map, 1ULL << 63,
	};

	ASSERT_EQ(0, FILL(AREA));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_EQ(0, peer_free(self->server, wrong[i]));
		EXPECT_EQ(12, self->server->bwr.write_consumed);
		EXPECT_EQ(-1, FILL(1)) {
			TH_LOG("freed by address %#llx", wrong[i]);
		}
	}
	EXPECT_EQ(0, FREE(0));
	EXPECT_EQ(0, FILL(AREA));
}

/* Item 103. */
TEST_F(buffer, double_free_is_ignored)
{
	ASSERT_EQ(0, FILL(100));
	ASSERT_EQ(104, FILL(100));
	EXPECT_EQ(0, FREE(0));
	EXPECT_EQ(0, FREE(0));
	ASSERT_EQ(0, FILL(104));
	EXPECT_EQ(-1, FILL(AREA - 200));
	EXPECT_EQ(0, FREE(104));
	EXPECT_EQ(0, FREE(104));
	EXPECT_EQ(104, FILL(AREA - 104));
}

/* Item 103: a buffer can be guessed, not freed, before it is delivered. */
TEST_F(buffer, undelivered_buffer_cannot_be_freed)
{
	memcpy(self->data, "still here", 11);
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.data = self->data, .size = 11)));
	EXPECT_EQ(0, FREE(0));
	EXPECT_EQ(12, self->server->bwr.write_consumed);
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	EXPECT_EQ(self->server->map, (char *)self->server->txn.data.ptr.buffer);
	EXPECT_STREQ("still here", peer_string(self->server));
}

/* Item 103: an address is one's own mapping's only. */
TEST_F(buffer, other_process_cannot_free)
{
	ASSERT_EQ(0, FILL(AREA));
	EXPECT_EQ(0, peer_free(self->client, (__u64)self->server->map));
	EXPECT_EQ(-1, FILL(1));
}

/* Item 102: all buffers of replies come from the caller's own mapping. */
TEST_F(buffer, reply_buffers_are_the_callers)
{
	char *data = arena_alloc(MAP_SIZE);

	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
		ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
		ASSERT_EQ(0, peer_send(self->server, BC_REPLY,
				       MSG(.data = data, .size = MAP_SIZE)));
		ASSERT_STREQ("NOOP TRANSACTION_COMPLETE",
			     peer_read(self->server));
		ASSERT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
			     peer_read(self->client));
		EXPECT_EQ(self->client->map,
			  (char *)self->client->txn.data.ptr.buffer);
		ASSERT_EQ(0, peer_free_last(self->client));
		ASSERT_EQ(0, peer_free_last(self->server));
	}
}

/* Deterministic, so that a failure can be repeated */
static unsigned int next_random(unsigned int *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 16;
}

static void shuffle(long *list, int len, unsigned int *state)
{
	for (int i = len - 1; i > 0; i--) {
		int j = next_random(state) % (i + 1);
		long tmp = list[i];

		list[i] = list[j];
		list[j] = tmp;
	}
}

/* Items 272 and 274: no overlap, and all space comes back in any order. */
TEST_F(buffer, random_order_of_frees)
{
	unsigned int state = 1;
	long at[MAX_BUFFERS];
	char *used = arena_alloc(AREA);

	for (int round = 0; round < 6; round++) {
		int count = 0;

		memset(used, 0, AREA);
		while (count < MAX_BUFFERS) {
			size_t size = next_random(&state) % 3000;
			long offset = FILL(size);

			if (offset < 0)
				break;
			ASSERT_EQ(0, offset % 8);
			ASSERT_LE(offset + size, AREA);
			for (size_t i = 0; i < size; i++)
				ASSERT_EQ(0, used[offset + i]++);
			at[count++] = offset;
		}
		ASSERT_LT(10, count);
		shuffle(at, count, &state);
		for (int i = 0; i < count; i++)
			ASSERT_EQ(0, FREE(at[i]));
		ASSERT_EQ(0, FILL(AREA));
		ASSERT_EQ(0, FREE(0));
	}
}

/* Item 272: what is freed between live buffers is used again. */
TEST_F(buffer, holes_are_used)
{
	long at[8];

	for (int i = 0; i < 8; i++)
		at[i] = FILL(AREA / 8);
	for (int i = 0; i < 8; i += 2)
		EXPECT_EQ(0, FREE(at[i]));
	EXPECT_EQ(-1, FILL(AREA / 8 + 1));
	for (int i = 0; i < 4; i++)
		EXPECT_LE(0, FILL(AREA / 8));
	EXPECT_EQ(-1, FILL(1));
}

/* Item 102: any thread of the process may free it. */
TEST_F(buffer, freed_by_another_thread)
{
	struct peer *owner = peer_open(NULL);
	struct peer *thread = peer_thread(owner, task_thread());
	struct msg msg = {
		.flags = TF_ONE_WAY, .data = arena_alloc(MAP_SIZE),
		.size = MAP_SIZE / 2,
	};

	ASSERT_EQ(0, peer_word(owner, BC_ENTER_LOOPER));
	msg.handle = registry_give(self->server, owner, self->client, 0x10, 0,
				   0);
	for (int i = 0; i < 3; i++) {
		put_msg(self->client, BC_TRANSACTION, &msg);
		ASSERT_STREQ("NOOP TRANSACTION_COMPLETE",
			     peer_write_read(self->client));
		ASSERT_STREQ("NOOP TRANSACTION", peer_read(owner));
		ASSERT_EQ(0, peer_free(thread, owner->txn.data.ptr.buffer));
	}
}

TEST_HARNESS_MAIN
