// SPDX-License-Identifier: GPL-2.0
/* BINDER_GET_EXTENDED_ERROR: what it tells of each kind of failure. */

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define BAD_POINTER ((void *)8)
#define CLEAN "OK 0"

FIXTURE(ext_error)
{
	struct task *task;
	struct peer *manager;
	struct peer *client;
};

FIXTURE_SETUP(ext_error)
{
	binder_setup();
	self->task = task_fork();
	self->manager = peer_manager(self->task);
	self->client = peer_open(NULL);
}

FIXTURE_TEARDOWN(ext_error)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Sends a message that fails, and returns its extended error. */
static const char *error_of(struct peer *client, const struct msg *msg)
{
	put_msg(client, BC_TRANSACTION_SG, msg);
	peer_write_read(client);
	return peer_error(client);
}

static struct binder_extended_error raw_error(struct peer *peer)
{
	struct binder_extended_error ee = {};

	if (peer_ioctl(peer, BINDER_GET_EXTENDED_ERROR, &ee))
		die("BINDER_GET_EXTENDED_ERROR failed");
	return ee;
}

/* Items 69 and 39. */
TEST_F(ext_error, fresh_thread)
{
	EXPECT_STREQ(CLEAN, peer_error(self->client));
	EXPECT_STREQ(CLEAN, peer_error(self->client));
	EXPECT_EQ(-1, ioctl(self->client->fd, BINDER_GET_EXTENDED_ERROR, 8));
	EXPECT_EQ(EFAULT, errno);
}

/* Item 68: it is reset by looking at it. */
TEST_F(ext_error, read_once)
{
	struct binder_extended_error ee;

	put_msg(self->client, BC_TRANSACTION, MSG(.handle = 77));
	peer_write_read(self->client);
	ee = raw_error(self->client);
	EXPECT_NE(0, ee.id);
	EXPECT_EQ(BR_FAILED_REPLY, ee.command);
	EXPECT_GT(0, ee.param);
	ee = raw_error(self->client);
	EXPECT_EQ(0, ee.id);
	EXPECT_EQ(BR_OK, ee.command);
	EXPECT_EQ(0, ee.param);
}

/* Item 254: a success leaves its number, and each has another. */
TEST_F(ext_error, success)
{
	struct binder_extended_error ee[2];

	for (int i = 0; i < 2; i++) {
		put_msg(self->client, BC_TRANSACTION, MSG(.flags = TF_ONE_WAY));
		peer_write_read(self->client);
		ee[i] = raw_error(self->client);
		EXPECT_NE(0, ee[i].id);
		EXPECT_EQ(BR_OK, ee[i].command);
		EXPECT_EQ(0, ee[i].param);
	}
	EXPECT_NE(ee[0].id, ee[1].id);
}

/* Item 254: a success wipes out the failure before it. */
TEST_F(ext_error, success_after_a_failure)
{
	put_msg(self->client, BC_TRANSACTION, MSG(.handle = 77));
	peer_write_read(self->client);
	EXPECT_STREQ(CLEAN, error_of(self->client, MSG(.flags = TF_ONE_WAY)));
}

/* Item 69: each thread has its own. */
TEST_F(ext_error, per_thread)
{
	struct peer *thread = peer_thread(self->client, task_thread());

	put_msg(self->client, BC_TRANSACTION, MSG(.handle = 77));
	peer_write_read(self->client);
	EXPECT_STREQ(CLEAN, peer_error(thread));
	EXPECT_STRNE(CLEAN, peer_error(self->client));
}

/* Items 174, 212 and 213. */
TEST_F(ext_error, of_the_message)
{
	const char *text = error_of(self->client, MSG(.handle = 77));
	char *data = arena_alloc(2 * MAP_SIZE);

	EXPECT_TRUE(!strcmp(text, "FAILED_REPLY EINVAL") ||
		    !strcmp(text, "FAILED_REPLY ENOENT"));
	EXPECT_STREQ("FAILED_REPLY EFAULT",
		     error_of(self->client, MSG(.data = BAD_POINTER, .size = 8,
						.raw = true)));
	EXPECT_STREQ("FAILED_REPLY EFAULT",
		     error_of(self->client, MSG(.offsets = BAD_POINTER,
						.offsets_size = 8,
						.raw = true)));
	EXPECT_STREQ("FAILED_REPLY EINVAL",
		     error_of(self->client, MSG(.data = data, .size = ~0UL,
						.raw = true)));
	EXPECT_STREQ("FAILED_REPLY ENOSPC",
		     error_of(self->client, MSG(.data = data,
						.size = MAP_SIZE + 8)));
	EXPECT_STREQ("FAILED_REPLY ENOSPC",
		     error_of(self->client, MSG(.data = data, .size =
						MAP_SIZE / 2 + 8,
						.flags = TF_ONE_WAY)));
}

/* Item 208. */
TEST_F(ext_error, of_the_sizes)
{
	EXPECT_STREQ("FAILED_REPLY EINVAL",
		     error_of(self->client, MSG(.offsets = "1234",
						.offsets_size = 4)));
	EXPECT_STREQ("FAILED_REPLY EINVAL",
		     error_of(self->client, MSG(.extra = 4)));
}

/* The extended error of a message with one object */
static const char *object_error(struct peer *client, const void *obj,
				size_t size, binder_size_t offset)
{
	return error_of(client, MSG(.data = obj, .size = size,
				    .offsets = &offset, .offsets_size = 8));
}

/* Items 128, 141 and 209. */
TEST_F(ext_error, of_nodes)
{
	struct flat_binder_object obj = local_object(0x10, 1, 0);
	const char *text;

	EXPECT_STREQ("FAILED_REPLY EINVAL",
		     object_error(self->client, &obj, sizeof(obj), 2));
	EXPECT_STREQ("FAILED_REPLY EINVAL",
		     object_error(self->client, &obj, sizeof(obj), 4));
	ASSERT_EQ(0, peer_word(self->client, BC_ENTER_LOOPER));
	registry_add(self->manager, self->client, 0x10, 0, 0);
	EXPECT_STREQ("FAILED_REPLY EINVAL",
		     object_error(self->client, &obj, sizeof(obj), 0));
	obj.hdr.type++;
	EXPECT_STREQ("FAILED_REPLY EINVAL",
		     object_error(self->client, &obj, sizeof(obj), 0));
	obj = remote_object(77);
	text = object_error(self->client, &obj, sizeof(obj), 0);
	EXPECT_TRUE(!strcmp(text, "FAILED_REPLY EINVAL") ||
		    !strcmp(text, "FAILED_REPLY ENOENT"));
}

/* Item 210. */
TEST_F(ext_error, of_disorder)
{
	struct flat_binder_object obj = local_object(0x10, 1, 0);
	static const binder_size_t offsets[2];
	const char *text;

	text = error_of(self->client, MSG(.data = &obj, .size = sizeof(obj),
					  .offsets = offsets,
					  .offsets_size = 16));
	EXPECT_TRUE(!strcmp(text, "FAILED_REPLY EINVAL") ||
		    !strcmp(text, "FAILED_REPLY EFAULT"));
}

/* Items 220, 221 and 222. */
TEST_F(ext_error, of_descriptors)
{
	struct binder_fd_object obj = { .hdr.type = BINDER_TYPE_FD, .fd = 999 };
	struct peer *server = peer_open(NULL);
	binder_size_t offset = 0;
	struct msg msg = { .data = &obj, .size = sizeof(obj),
			   .offsets = &offset, .offsets_size = 8 };

	EXPECT_STREQ("FAILED_REPLY EPERM", error_of(self->client, &msg));
	ASSERT_EQ(0, peer_word(server, BC_ENTER_LOOPER));
	msg.handle = registry_give(self->manager, server, self->client, 0x10, 0,
				   FLAT_BINDER_FLAG_ACCEPTS_FDS);
	EXPECT_STREQ("FAILED_REPLY EBADF", error_of(self->client, &msg));
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.handle = msg.handle)));
	must_read(server, "NOOP TRANSACTION");
	obj.fd = 0;
	ASSERT_EQ(0, peer_send(server, BC_REPLY, &msg));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(server));
	must_read(self->client, "NOOP TRANSACTION_COMPLETE FAILED_REPLY");
	/* Item 107: it is the caller who hears of it. */
	EXPECT_STREQ(CLEAN, peer_error(server));
	EXPECT_STREQ("FAILED_REPLY EPERM", peer_error(self->client));
}

/* Items 233, 234 and 236. */
TEST_F(ext_error, of_gathering)
{
	struct sg *sg = SG;
	__u64 parent[4] = {};
	const char *text;

	sg_ptr(sg, "123456789", 10);
	sg->extra = 8;
	sg_try(self->client, MSG(), sg);
	EXPECT_STREQ("FAILED_REPLY EINVAL", peer_error(self->client));
	sg = SG;
	sg_child(sg, "x", 2, sg_ptr(sg, parent, sizeof(parent)), 28);
	sg_try(self->client, MSG(), sg);
	EXPECT_STREQ("FAILED_REPLY EINVAL", peer_error(self->client));
	sg = SG;
	sg_ptr(sg, BAD_POINTER, 8);
	sg_try(self->client, MSG(), sg);
	text = peer_error(self->client);
	EXPECT_TRUE(!strcmp(text, "FAILED_REPLY EINVAL") ||
		    !strcmp(text, "FAILED_REPLY EFAULT"));
}

/* Item 104, 105 and 179. */
TEST_F(ext_error, of_the_protocol)
{
	const char *text;

	put_msg(self->client, BC_REPLY, MSG());
	peer_write_read(self->client);
	text = peer_error(self->client);
	EXPECT_TRUE(!strcmp(text, "FAILED_REPLY EPROTO") ||
		    !strcmp(text, "FAILED_REPLY EINVAL"));
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
	text = error_of(self->client, MSG());
	EXPECT_TRUE(!strcmp(text, "FAILED_REPLY EPROTO") ||
		    !strcmp(text, "FAILED_REPLY EINVAL"));
}

/* Items 104, 105, 179: the errno that the C driver has chosen. */
TEST_F(ext_error, of_the_protocol_exactly)
{
	put_msg(self->client, BC_REPLY, MSG());
	peer_write_read(self->client);
	EXPECT_STREQ("FAILED_REPLY EPROTO", peer_error(self->client));
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
	EXPECT_STREQ("FAILED_REPLY EPROTO", error_of(self->client, MSG()));
	put_msg(self->client, BC_REPLY, MSG());
	peer_write_read(self->client);
	EXPECT_STREQ("FAILED_REPLY EPROTO", peer_error(self->client));
}

/* Items 31, 175, 178. */
TEST_F(ext_error, of_the_dead)
{
	peer_unmap(self->manager);
	EXPECT_STREQ("DEAD_REPLY ESRCH", error_of(self->client, MSG()));
	EXPECT_STREQ("DEAD_REPLY ESRCH",
		     error_of(self->client, MSG(.flags = TF_ONE_WAY)));
	task_kill(self->task);
	for (long end = now_ms() + 5000; now_ms() < end; nap())
		if (strcmp(error_of(self->client, MSG()), "DEAD_REPLY ESRCH"))
			break;
	EXPECT_STREQ("DEAD_REPLY EINVAL", error_of(self->client, MSG()));
}

/* Item 168. */
TEST_F(ext_error, of_the_frozen)
{
	struct binder_freeze_info info = { task_pid(self->task), 1, 0 };

	ASSERT_EQ(0, peer_ioctl(self->client, BINDER_FREEZE, &info));
	EXPECT_STREQ("FROZEN_REPLY 0", error_of(self->client, MSG()));
}

/* Items 33, 107 and 257: a reply's failure is the caller's. */
TEST_F(ext_error, of_a_reply)
{
	struct peer *unmapped = peer_open_as(NULL, BINDER_DEV,
					     O_RDWR | O_NONBLOCK, 0);

	ASSERT_EQ(0, peer_send(unmapped, BC_TRANSACTION, MSG()));
	must_read(self->manager, "NOOP TRANSACTION");
	answer(self->manager, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE DEAD_REPLY",
		     peer_read(unmapped));
	EXPECT_STREQ("DEAD_REPLY ESRCH", peer_error(unmapped));
	EXPECT_STREQ(CLEAN, peer_error(self->manager));
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
	must_read(self->manager, "NOOP TRANSACTION");
	answer(self->manager, MSG(.data = BAD_POINTER, .size = 8, .raw = true));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE FAILED_REPLY",
		     peer_read(self->client));
	EXPECT_STREQ("FAILED_REPLY EFAULT", peer_error(self->client));
	EXPECT_STREQ(CLEAN, peer_error(self->manager));
}

/* Item 256: what befalls a call later is not told this way. */
TEST_F(ext_error, late_failures_are_silent)
{
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
	task_kill(self->task);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE DEAD_REPLY",
		     read_late(self->client));
	EXPECT_STREQ(CLEAN, peer_error(self->client));
}

/* Item 27, 35: the sizes are those of the usable part. */
TEST_F(ext_error, of_a_clamped_mapping)
{
	struct peer *server = peer_open_as(NULL, BINDER_DEV,
					   O_RDWR | O_NONBLOCK, 8 << 20);
	char *data = arena_alloc((4 << 20) + 8);
	__u32 handle = registry_give(self->manager, server, self->client, 0x10,
				     0, 0);

	EXPECT_STREQ("FAILED_REPLY ENOSPC",
		     error_of(self->client, MSG(.handle = handle, .data = data,
						.size = (4 << 20) + 8)));
}

/* Item 257: a failure that has not been looked at is kept. */
TEST_F(ext_error, unread_one_stays)
{
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE FAILED_REPLY",
		     peer_read(self->client));
	must_read(self->manager, "NOOP TRANSACTION");
	answer(self->manager, MSG(.data = BAD_POINTER, .size = 8, .raw = true));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_read(self->client));
	EXPECT_STREQ("FAILED_REPLY EPROTO", peer_error(self->client));
}

TEST_HARNESS_MAIN
