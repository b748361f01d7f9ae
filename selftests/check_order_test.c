// SPDX-License-Identifier: GPL-2.0
/*
 * Item 214: of several faults in one message, which is the one that is told.
 * Each test has two: the first in the order of checks must win.
 */

#include <errno.h>
#include <fcntl.h>

#include "kselftest_harness.h"
#include "object.h"

#define BAD_POINTER ((void *)8)

FIXTURE(check_order)
{
	struct task *task;
	struct peer *manager;
	struct peer *client;
};

FIXTURE_SETUP(check_order)
{
	binder_setup();
	self->task = task_fork();
	self->manager = peer_manager(self->task);
	self->client = peer_open(NULL);
}

FIXTURE_TEARDOWN(check_order)
{
	EXPECT_STREQ("", binder_teardown());
}

static const char *error_of(struct peer *client, const struct msg *msg)
{
	put_msg(client, BC_TRANSACTION_SG, msg);
	peer_write_read(client);
	return peer_error(client);
}

/* The target, then everything else */
TEST_F(check_order, target_before_sizes)
{
	peer_unmap(self->manager);
	EXPECT_STREQ("FAILED_REPLY EINVAL",
		     error_of(self->client, MSG(.handle = 77, .size = 1UL << 40,
						.data = BAD_POINTER,
						.raw = true)));
	EXPECT_STREQ("DEAD_REPLY ESRCH",
		     error_of(self->client, MSG(.data = BAD_POINTER, .size = 8,
						.offsets_size = 3,
						.raw = true)));
}

/* The thread's own state, then space */
TEST_F(check_order, stack_before_space)
{
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
	EXPECT_STREQ("FAILED_REPLY EPROTO",
		     error_of(self->client, MSG(.data = BAD_POINTER,
						.size = 1UL << 40,
						.raw = true)));
}

/* Space, then the pointers */
TEST_F(check_order, space_before_pointers)
{
	EXPECT_STREQ("FAILED_REPLY ENOSPC",
		     error_of(self->client, MSG(.data = BAD_POINTER,
						.size = MAP_SIZE + 8,
						.raw = true)));
}

/* The offsets are fetched before their size is found odd. */
TEST_F(check_order, offsets_before_alignment)
{
	EXPECT_STREQ("FAILED_REPLY EFAULT",
		     error_of(self->client, MSG(.offsets = BAD_POINTER,
						.offsets_size = 4,
						.raw = true)));
}

/* Alignment, then the data behind */
TEST_F(check_order, alignment_before_data)
{
	EXPECT_STREQ("FAILED_REPLY EINVAL",
		     error_of(self->client, MSG(.data = BAD_POINTER, .size = 8,
						.offsets = self->client->out,
						.offsets_size = 4,
						.raw = true)));
}

/* Objects in their order, then the data behind them */
TEST_F(check_order, objects_in_order)
{
	struct binder_fd_object fd = { .hdr.type = BINDER_TYPE_FD, .fd = 999 };
	struct flat_binder_object obj = remote_object(77);
	struct sg *sg = SG;

	sg_add(sg, &fd, sizeof(fd));
	sg_add(sg, &obj, sizeof(obj));
	sg_try(self->client, MSG(), sg);
	EXPECT_STREQ("FAILED_REPLY EPERM", peer_error(self->client));
	sg = SG;
	sg_add(sg, &obj, sizeof(obj));
	sg_add(sg, &fd, sizeof(fd));
	sg_try(self->client, MSG(), sg);
	EXPECT_STREQ("FAILED_REPLY EINVAL", peer_error(self->client));
}

/* Item 258: no other error than these is ever told. */
TEST_F(check_order, known_errors_only)
{
	static const char * const known[] = {
		"EINVAL", "EPERM", "EBADF", "EFAULT", "ENOSPC", "ENOMEM",
		"ESRCH", "EPROTO", "EOPNOTSUPP", "0",
	};
	unsigned int state = 1;
	char data[256];

	for (int i = 0; i < 2000; i++) {
		binder_size_t offsets[2];
		const char *param;
		bool found = false;

		for (size_t j = 0; j < sizeof(data); j++)
			data[j] = (state = state * 1103515245 + 12345) >> 16;
		offsets[0] = data[0] & 0x3c;
		offsets[1] = data[1] & 0x7c;
		((__u32 *)(data + offsets[0]))[0] =
			B_PACK_CHARS("swfp"[data[2] & 3], "bhdt"[data[3] & 3],
				     "*a"[data[4] & 1], B_TYPE_LARGE);
		error_of(self->client,
			 MSG(.flags = TF_ONE_WAY, .data = data,
			     .size = sizeof(data), .offsets = offsets,
			     .offsets_size = 8 << (data[5] & 1),
			     .extra = data[6] & 0x78));
		param = strchr(self->client->text, ' ') + 1;
		for (size_t j = 0; j < ARRAY_SIZE(known); j++)
			found |= !strcmp(param, known[j]);
		ASSERT_TRUE(found) {
			TH_LOG("round %d: %s", i, self->client->text);
		}
		while (strcmp(peer_read(self->manager), "EAGAIN"))
			peer_free_last(self->manager);
		while (strcmp(peer_read(self->client), "EAGAIN"))
			ack_refs(self->client);
	}
}

TEST_HARNESS_MAIN
