// SPDX-License-Identifier: GPL-2.0
/* Buffers given by pointer, and pointers between them. */

#include <errno.h>
#include <fcntl.h>

#include "kselftest_harness.h"
#include "object.h"

#define BAD_POINTER ((void *)8)
#define OK "NOOP TRANSACTION_COMPLETE"
#define FAILED "NOOP FAILED_REPLY"

/* The server is in this process, so its mapping can be read directly. */
FIXTURE(gather)
{
	struct peer *server;
	struct peer *client;
	struct msg to;
};

FIXTURE_SETUP(gather)
{
	binder_setup();
	self->to.handle = registry_pair(registry_open(), &self->server,
					&self->client);
	self->to.flags = TF_ONE_WAY;
}

FIXTURE_TEARDOWN(gather)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Where the index-th buffer of the server's last message is */
static char *buffer_of(struct peer *server, size_t index)
{
	return (char *)peer_ptr(server, index)->buffer;
}

/* Item 232: one after the other behind the offsets, rounded up to 8. */
TEST_F(gather, copied_in_order)
{
	struct sg *sg = SG;
	char *end;

	sg_ptr(sg, "one", 4);
	sg_ptr(sg, "number two", 11);
	sg_ptr(sg, "", 0);
	sg_ptr(sg, "3", 2);
	memcpy(sg->data, "headline", 8);
	ASSERT_STREQ(OK, sg_try(self->client, &self->to, sg));
	must_read(self->server, "NOOP TRANSACTION");
	end = (char *)self->server->txn.data.ptr.offsets +
	      self->server->txn.offsets_size;
	EXPECT_EQ(0, memcmp("headline", peer_data(self->server), 8));
	EXPECT_EQ(end, buffer_of(self->server, 0));
	EXPECT_STREQ("one", end);
	EXPECT_EQ(4, peer_ptr(self->server, 0)->length);
	EXPECT_EQ(end + 8, buffer_of(self->server, 1));
	EXPECT_STREQ("number two", end + 8);
	EXPECT_EQ(11, peer_ptr(self->server, 1)->length);
	EXPECT_EQ(end + 24, buffer_of(self->server, 3));
	EXPECT_STREQ("3", end + 24);
}

/* Item 109: BC_REPLY_SG does the same for replies. */
TEST_F(gather, reply)
{
	struct msg call = { .handle = self->to.handle };
	struct sg *sg = SG;

	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION_SG, &call));
	must_read(self->server, "NOOP TRANSACTION");
	sg_ptr(sg, "answer", 7);
	ASSERT_EQ(0, sg_send(self->server, BC_REPLY_SG, MSG(), sg));
	EXPECT_STREQ(OK, peer_read(self->server));
	must_read(self->client, "NOOP TRANSACTION_COMPLETE REPLY");
	EXPECT_STREQ("answer", buffer_of(self->client, 0));
}

/* Item 233. */
TEST_F(gather, more_than_was_asked_for)
{
	struct sg *sg = SG;

	sg_ptr(sg, "12345678", 9);
	sg->extra = 8;
	EXPECT_STREQ(FAILED, sg_try(self->client, &self->to, sg));
	sg->extra = 0;
	EXPECT_STREQ(FAILED, sg_try(self->client, &self->to, sg));
	sg_send(self->client, BC_TRANSACTION, &self->to, sg);
	EXPECT_STREQ(FAILED, peer_read(self->client));
	sg->extra = 24;
	EXPECT_STREQ(OK, sg_try(self->client, &self->to, sg));
}

/* Item 233: nothing needs no space. */
TEST_F(gather, empty_buffer_in_a_plain_command)
{
	struct sg *sg = SG;

	sg_ptr(sg, NULL, 0);
	sg_send(self->client, BC_TRANSACTION, &self->to, sg);
	EXPECT_STREQ(OK, peer_read(self->client));
}

/* Item 213, for the third of the sizes. */
TEST_F(gather, absurd_lengths)
{
	static const size_t lengths[] = {
		~0UL, ~7UL, 1UL << 63, 1UL << 32, MAP_SIZE,
	};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct sg *sg = SG;

		sg_ptr(sg, "x", lengths[i]);
		EXPECT_STREQ(FAILED, sg_try(self->client, &self->to, sg));
		sg->extra = 64;
		EXPECT_STREQ(FAILED, sg_try(self->client, &self->to, sg));
		sg->extra = ~7UL;
		EXPECT_STREQ(FAILED, sg_try(self->client, &self->to, sg));
	}
}

/* Item 234. */
TEST_F(gather, unreadable_buffer)
{
	struct sg *sg = SG;

	sg_ptr(sg, "fine", 5);
	sg_ptr(sg, BAD_POINTER, 16);
	EXPECT_STREQ(FAILED, sg_try(self->client, &self->to, sg));
}

/* Item 235: the parent gets the child's address, and nothing else changes. */
TEST_F(gather, child)
{
	__u64 parent[4] = { 1, 2, 3, 4 };
	struct sg *sg = SG;
	__u64 *seen;

	sg_child(sg, "child", 6, sg_ptr(sg, parent, sizeof(parent)), 16);
	ASSERT_STREQ(OK, sg_try(self->client, &self->to, sg));
	must_read(self->server, "NOOP TRANSACTION");
	seen = (__u64 *)buffer_of(self->server, 0);
	EXPECT_EQ(1, seen[0]);
	EXPECT_EQ(2, seen[1]);
	EXPECT_EQ((__u64)buffer_of(self->server, 1), seen[2]);
	EXPECT_EQ(4, seen[3]);
	EXPECT_STREQ("child", (char *)seen[2]);
}

/* Item 236. */
TEST_F(gather, child_outside_its_parent)
{
	static const size_t offsets[] = { 25, 32, 1UL << 32, ~0UL, ~7UL };
	__u64 parent[4] = {};

	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		struct sg *sg = SG;

		sg_child(sg, "child", 6, sg_ptr(sg, parent, sizeof(parent)),
			 offsets[i]);
		EXPECT_STREQ(FAILED, sg_try(self->client, &self->to, sg));
	}
}

/* Items 237 and 516: no such parent, itself, a later one, one of another type. */
TEST_F(gather, bad_parents)
{
	static const size_t parents[] = { 3, 4, 100, 1UL << 61, ~0UL, 0 };
	struct flat_binder_object obj = remote_object(0);
	__u64 parent[4] = {};

	put_u32(self->client, BC_ACQUIRE, 0);
	ASSERT_EQ(0, peer_write(self->client));
	for (size_t i = 0; i < ARRAY_SIZE(parents); i++) {
		struct sg *sg = SG;

		sg_add(sg, &obj, sizeof(obj));
		sg_ptr(sg, parent, sizeof(parent));
		sg_ptr(sg, parent, sizeof(parent));
		sg_child(sg, "child", 6, parents[i], 0);
		sg_ptr(sg, parent, sizeof(parent));
		EXPECT_STREQ(FAILED, sg_try(self->client, &self->to, sg)) {
			TH_LOG("parent %zu", parents[i]);
		}
	}
}

/* Item 242: it would be written across two words. */
TEST_F(gather, child_at_an_odd_place)
{
	__u64 parent[4] = {};

	for (size_t i = 0; i <= 16; i++) {
		struct sg *sg = SG;

		sg_child(sg, "child", 6, sg_ptr(sg, parent, sizeof(parent)), i);
		EXPECT_STREQ(i % 4 ? FAILED : OK,
			     sg_try(self->client, &self->to, sg)) {
			TH_LOG("at %zu", i);
		}
		if (i % 4)
			EXPECT_STREQ("FAILED_REPLY EINVAL",
				     peer_error(self->client));
	}
}

/* Item 239: several in one parent, in ascending order only. */
TEST_F(gather, siblings)
{
	static const struct {
		size_t first, second;
		const char *result;
	} cases[] = {
		{ 8, 16, OK }, { 0, 8, OK }, { 0, 24, OK }, { 4, 12, OK },
		{ 8, 0, FAILED }, { 8, 8, FAILED }, { 8, 12, FAILED },
	};
	__u64 parent[4] = {};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sg *sg = SG;
		size_t top = sg_ptr(sg, parent, sizeof(parent));

		sg_child(sg, "a", 2, top, cases[i].first);
		sg_child(sg, "b", 2, top, cases[i].second);
		EXPECT_STREQ(cases[i].result,
			     sg_try(self->client, &self->to, sg)) {
			TH_LOG("at %zu, then %zu", cases[i].first,
			       cases[i].second);
		}
	}
}

/* A, B in A at 0, C in A at 16, D in the given one at at[0], E at at[1] */
static const char *tree(struct peer *client, const struct msg *to,
			size_t d_parent, const size_t *e_at)
{
	static const __u64 a[8], b[8], c[8];
	struct sg *sg = SG;

	sg_ptr(sg, a, sizeof(a));
	sg_child(sg, b, sizeof(b), 0, 0);
	sg_child(sg, c, sizeof(c), 0, 16);
	sg_child(sg, "d", 2, d_parent, 0);
	if (e_at)
		sg_child(sg, "e", 2, 0, *e_at);
	return sg_try(client, to, sg);
}

/* Item 240: a parent is the last buffer, or one that it lies in. */
TEST_F(gather, parents_are_ancestors)
{
	static const size_t at[] = { 16, 24, 32 };

	EXPECT_STREQ(FAILED, tree(self->client, &self->to, 1, NULL));
	EXPECT_STREQ(OK, tree(self->client, &self->to, 2, NULL));
	EXPECT_STREQ(FAILED, tree(self->client, &self->to, 2, &at[0]));
	EXPECT_STREQ(OK, tree(self->client, &self->to, 2, &at[1]));
	EXPECT_STREQ(OK, tree(self->client, &self->to, 2, &at[2]));
}

/* Item 238: a parent at the very start of the data is an accident of C. */
TEST_F(gather, parent_at_offset_0)
{
	struct sg *sg = &(struct sg){};
	__u64 parent[4] = {};
	const char *text;

	sg_child(sg, "child", 6, sg_ptr(sg, parent, sizeof(parent)), 8);
	text = sg_try(self->client, &self->to, sg);
	EXPECT_TRUE(!strcmp(text, FAILED) || !strcmp(text, OK)) {
		TH_LOG("gave %s", text);
	}
}

/* Items 123 and 271: buffers take space, and give it back. */
TEST_F(gather, space)
{
	struct msg call = { .handle = self->to.handle };
	char *data = arena_alloc(MAP_SIZE);

	for (int i = 0; i < 5; i++) {
		struct sg *sg = SG;

		sg_ptr(sg, data, MAP_SIZE - 48 - 8);
		ASSERT_EQ(0, sg_send(self->client, BC_TRANSACTION_SG, &call,
				     sg));
		must_read(self->server, "NOOP TRANSACTION");
		answer(self->server, MSG());
		must_read(self->client, "NOOP TRANSACTION_COMPLETE REPLY");
		ASSERT_EQ(0, peer_free_last(self->client));
	}
}

/* Item 232: flags that mean nothing. */
TEST_F(gather, unknown_flags)
{
	struct binder_buffer_object obj = {
		.hdr.type = BINDER_TYPE_PTR, .flags = ~1U, .parent = 7,
		.buffer = (__u64)"flags", .length = 6,
	};
	struct sg *sg = SG;

	sg_add(sg, &obj, sizeof(obj));
	sg->extra = 8;
	ASSERT_STREQ(OK, sg_try(self->client, &self->to, sg));
	must_read(self->server, "NOOP TRANSACTION");
	EXPECT_STREQ("flags", buffer_of(self->server, 0));
}

TEST_HARNESS_MAIN
