// SPDX-License-Identifier: GPL-2.0
/* Messages whose offsets or objects are wrong, and those just right. */

#include <errno.h>
#include <fcntl.h>

#include "kselftest_harness.h"
#include "object.h"

#define NODE_SIZE sizeof(struct flat_binder_object)
#define BAD_POINTER ((void *)8)

FIXTURE(object)
{
	struct peer *manager;
	struct peer *client;
};

FIXTURE_SETUP(object)
{
	binder_setup();
	self->manager = registry_open();
	self->client = peer_open(NULL);
}

FIXTURE_TEARDOWN(object)
{
	EXPECT_STREQ("", binder_teardown());
}

/* One oneway with the given offsets; returns what its sender is told. */
static const char *post(struct peer *client, const void *data, size_t size,
			const binder_size_t *offsets, size_t offsets_size)
{
	put_msg(client, BC_TRANSACTION,
		MSG(.flags = TF_ONE_WAY, .data = data, .size = size,
		    .offsets = offsets, .offsets_size = offsets_size));
	return peer_write_read(client);
}

/* Item 208. */
TEST_F(object, offsets_size_is_a_multiple_of_8)
{
	binder_size_t offsets[2] = { 0, 0 };
	struct flat_binder_object obj = local_object(1, 2, 0);

	for (size_t size = 1; size < 16; size++)
		if (size != 8)
			EXPECT_STREQ("NOOP FAILED_REPLY",
				     post(self->client, &obj, NODE_SIZE,
					  offsets, size));
}

/* Item 208. */
TEST_F(object, buffers_size_is_a_multiple_of_8)
{
	for (size_t extra = 1; extra < 8; extra++) {
		put_msg(self->client, BC_TRANSACTION_SG,
			MSG(.flags = TF_ONE_WAY, .extra = extra));
		EXPECT_STREQ("NOOP FAILED_REPLY",
			     peer_write_read(self->client));
	}
	put_msg(self->client, BC_TRANSACTION_SG,
		MSG(.flags = TF_ONE_WAY, .extra = 64));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE",
		     peer_write_read(self->client));
}

/* Items 209 and 512. */
TEST_F(object, bad_offsets)
{
	static const binder_size_t offsets[] = {
		1, 2, 3, 5, 64, 64 - NODE_SIZE + 4, 60, 68, 1ULL << 32, ~7ULL,
		~0ULL,
	};
	char data[96] = {};
	struct flat_binder_object obj = local_object(1, 2, 0);

	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		for (size_t at = 0; at + NODE_SIZE <= sizeof(data); at++)
			if (at == offsets[i])
				memcpy(data + at, &obj, NODE_SIZE);
		EXPECT_STREQ("NOOP FAILED_REPLY",
			     post(self->client, data, 64, &offsets[i], 8)) {
			TH_LOG("offset %#llx", offsets[i]);
		}
	}
	EXPECT_STREQ("EAGAIN", peer_read(self->manager));
}

/* Item 209. */
TEST_F(object, unknown_types)
{
	static const __u32 types[] = {
		0, 1, ~0U, BINDER_TYPE_BINDER + 1,
		B_PACK_CHARS('s', 'b', '*', 0x84),
	};
	struct flat_binder_object obj = local_object(1, 2, 0);
	binder_size_t offset = 0;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		obj.hdr.type = types[i];
		EXPECT_STREQ("NOOP FAILED_REPLY",
			     post(self->client, &obj, NODE_SIZE, &offset, 8));
	}
}

/* Item 210: descending, the same twice, overlapping. */
TEST_F(object, offsets_in_disorder)
{
	static const binder_size_t pairs[][2] = {
		{ 32, 0 }, { 0, 0 }, { 0, 4 }, { 0, 20 }, { 0, 1000 },
	};
	struct flat_binder_object obj = local_object(1, 2, 0);
	char data[64] = {};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		memcpy(data + 32, &obj, NODE_SIZE);
		memcpy(data, &obj, NODE_SIZE);
		EXPECT_STREQ("NOOP FAILED_REPLY",
			     post(self->client, data, 64, pairs[i], 16)) {
			TH_LOG("offsets %llu, %llu", pairs[i][0], pairs[i][1]);
		}
	}
	EXPECT_STREQ("none", node_refs(self->client, 1));
}

/* Item 211: an object may end where the data ends, at any offset of 4. */
TEST_F(object, object_at_the_end)
{
	struct flat_binder_object obj = local_object(1, 2, 0);
	char data[64];

	for (binder_size_t at = 0; at < 40; at += 4) {
		memset(data, 0x5a, sizeof(data));
		memcpy(data + at, &obj, NODE_SIZE);
		EXPECT_STREQ("NOOP INCREFS ACQUIRE TRANSACTION_COMPLETE",
			     post(self->client, data, at + NODE_SIZE, &at, 8));
		ack_refs(self->client);
		must_read(self->manager, "NOOP TRANSACTION");
		EXPECT_EQ(BINDER_TYPE_HANDLE,
			  peer_object(self->manager, 0)->hdr.type);
		/* Item 215: the rest arrives as it was. */
		peer_data(self->manager);
		EXPECT_EQ(0, memcmp(data, self->manager->copy, at));
		ASSERT_EQ(0, peer_free_last(self->manager));
		EXPECT_STREQ("NOOP RELEASE DECREFS", peer_read(self->client));
	}
}

/* Item 212: the offsets themselves are unreadable. */
TEST_F(object, unreadable_offsets)
{
	put_msg(self->client, BC_TRANSACTION,
		MSG(.data = self->client->map, .offsets = BAD_POINTER,
		    .offsets_size = 8, .raw = true));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(self->client));
}

/* Items 124 and 271: the offsets follow the data, rounded up to 8. */
TEST_F(object, place_of_the_offsets)
{
	struct flat_binder_object obj = local_object(1, 2, 0);
	binder_size_t offset = 0;
	char data[40] = {};

	memcpy(data, &obj, NODE_SIZE);
	for (size_t size = NODE_SIZE; size <= sizeof(data); size++) {
		post(self->client, data, size, &offset, 8);
		ack_refs(self->client);
		must_read(self->manager, "NOOP TRANSACTION");
		EXPECT_EQ(size, self->manager->txn.data_size);
		EXPECT_EQ(8, self->manager->txn.offsets_size);
		EXPECT_EQ(self->manager->txn.data.ptr.buffer +
			  ((size + 7) & ~7UL),
			  self->manager->txn.data.ptr.offsets);
		ASSERT_EQ(0, peer_free_last(self->manager));
		peer_read(self->client);
	}
}

/* Item 217: a hundred failures at the last object leave nothing. */
TEST_F(object, failures_leave_nothing)
{
	struct flat_binder_object obj[3] = {
		local_object(1, 2, 0), local_object(3, 4, 0), {},
	};
	static const binder_size_t offsets[] = { 0, 24, 48 };
	char *data = arena_alloc(MAP_SIZE);

	for (int i = 0; i < 100; i++)
		ASSERT_STREQ("NOOP FAILED_REPLY",
			     post(self->client, obj, sizeof(obj), offsets,
				  sizeof(offsets)));
	EXPECT_STREQ("none", node_refs(self->client, 1));
	EXPECT_STREQ("none", node_refs(self->client, 3));
	put_msg(self->client, BC_TRANSACTION, MSG(.data = data,
						  .size = MAP_SIZE));
	EXPECT_STREQ("EAGAIN", peer_write_read(self->client));
	must_read(self->manager, "NOOP TRANSACTION");
}

/* Items 107 and 209: a reply with a bad object. */
TEST_F(object, bad_object_in_a_reply)
{
	struct flat_binder_object obj = remote_object(77);

	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
	must_read(self->manager, "NOOP TRANSACTION");
	ASSERT_EQ(0, send_object(self->manager, BC_REPLY, MSG(), &obj));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(self->manager));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE FAILED_REPLY",
		     peer_read(self->client));
}

TEST_HARNESS_MAIN
