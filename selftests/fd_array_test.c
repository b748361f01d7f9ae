// SPDX-License-Identifier: GPL-2.0
/* Arrays of file descriptors inside a buffer. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define OK "NOOP TRANSACTION_COMPLETE"
#define FAILED "NOOP FAILED_REPLY"

FIXTURE(fd_array)
{
	struct peer *manager;
	struct peer *server;
	struct peer *client;
	struct msg to;
	int pipe[2];
	__u32 parent[8];
};

FIXTURE_SETUP(fd_array)
{
	binder_setup();
	self->manager = registry_open();
	self->to.handle = registry_pair(self->manager, &self->server,
					&self->client);
	self->to.flags = TF_ONE_WAY;
	ASSERT_EQ(0, pipe2(self->pipe, O_CLOEXEC | O_NONBLOCK));
	for (int i = 0; i < 8; i++)
		self->parent[i] = self->pipe[i % 2];
}

FIXTURE_TEARDOWN(fd_array)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Sends num_fds of the parent from offset on. */
static const char *send_array(struct peer *client, const struct msg *to,
			      const __u32 *parent, size_t num_fds,
			      size_t offset)
{
	struct sg *sg = SG;

	sg_fds(sg, num_fds, sg_ptr(sg, parent, 32), offset);
	return sg_try(client, to, sg);
}

static const __u32 *received(struct peer *server)
{
	return (const __u32 *)peer_ptr(server, 0)->buffer;
}

/* Items 224 and 231: the array holds the new numbers, all else is as sent. */
TEST_F(fd_array, passed_and_closed)
{
	const __u32 *seen;

	ASSERT_STREQ(OK, send_array(self->client, &self->to, self->parent, 3,
				    8));
	must_read(self->server, "NOOP TRANSACTION");
	seen = received(self->server);
	for (int i = 0; i < 8; i++) {
		if (i >= 2 && i < 5) {
			EXPECT_NE(self->parent[i], seen[i]);
			EXPECT_EQ(FD_CLOEXEC, fcntl(seen[i], F_GETFD));
		} else {
			EXPECT_EQ(self->parent[i], seen[i]);
		}
	}
	ASSERT_EQ(0, peer_free_last(self->server));
	for (int i = 2; i < 5; i++)
		EXPECT_EQ(-1, fcntl(seen[i], F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->pipe[0], F_GETFD));
}

/* Item 224: a read in the ioctl that frees them returns at once. */
TEST_F(fd_array, freed_by_a_read)
{
	struct peer *server = self->server;

	ASSERT_STREQ(OK, send_array(self->client, &self->to, self->parent, 1,
				    0));
	must_read(server, "NOOP TRANSACTION");
	peer_set_nonblock(server, false);
	put_u64(server, BC_FREE_BUFFER, server->txn.data.ptr.buffer);
	EXPECT_STREQ("NOOP", peer_write_read(server));
}

/* Item 224: the receiver's own device may be in it. */
TEST_F(fd_array, with_the_device_itself)
{
	__u32 fd = dup(self->server->fd);

	self->parent[0] = fd;
	ASSERT_STREQ(OK, send_array(self->client, &self->to, self->parent, 1,
				    0));
	must_read(self->server, "NOOP TRANSACTION");
	close(fd);
	ASSERT_EQ(0, peer_free_last(self->server));
	EXPECT_EQ(0, peer_word(self->server, BC_ENTER_LOOPER));
}

/* Item 229: an empty array is normal. */
TEST_F(fd_array, empty)
{
	ASSERT_STREQ(OK, send_array(self->client, &self->to, self->parent, 0,
				    0));
	must_read(self->server, "NOOP TRANSACTION");
	EXPECT_EQ(0, memcmp(self->parent, received(self->server), 32));
	EXPECT_EQ(0, peer_free_last(self->server));
}

/* Item 230. */
TEST_F(fd_array, bad_shapes)
{
	static const struct {
		size_t num_fds, offset;
	} shapes[] = {
		{ 9, 0 }, { 1, 32 }, { 2, 28 }, { 8, 4 }, { 1, 36 },
		{ 1UL << 62, 0 }, { ~0UL, 0 }, { 1, ~3UL },
		{ 1, 2 }, { 1, 1 }, { 1UL << 30, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		EXPECT_STREQ(FAILED, send_array(self->client, &self->to,
						self->parent, shapes[i].num_fds,
						shapes[i].offset)) {
			TH_LOG("%zu descriptors at %zu", shapes[i].num_fds,
			       shapes[i].offset);
		}
	}
}

/* Item 230: the sender's array is not at a multiple of 4. */
TEST_F(fd_array, unaligned_parent)
{
	char buf[64];

	memcpy(buf + 2, self->parent, 32);
	EXPECT_STREQ(FAILED, send_array(self->client, &self->to,
					(__u32 *)(buf + 2), 1, 0));
}

/* Items 220 and 221, for arrays. */
TEST_F(fd_array, refused)
{
	struct msg to = { .flags = TF_ONE_WAY };

	EXPECT_STREQ(FAILED, send_array(self->client, &to, self->parent, 1, 0));
	self->parent[3] = 999;
	EXPECT_STREQ(FAILED, send_array(self->client, &self->to, self->parent,
					4, 0));
	EXPECT_STREQ(OK, send_array(self->client, &self->to, self->parent, 3,
				    0));
}

/* Item 241: an array takes its place among the children of its parent. */
TEST_F(fd_array, among_siblings)
{
	static const struct {
		size_t fds_at, child_at;
		const char *result;
	} cases[] = {
		{ 8, 16, OK }, { 0, 24, OK }, { 8, 12, FAILED },
		{ 8, 8, FAILED }, { 16, 0, FAILED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sg *sg = SG;
		size_t top = sg_ptr(sg, self->parent, 32);

		sg_fds(sg, 2, top, cases[i].fds_at);
		sg_child(sg, "child", 6, top, cases[i].child_at);
		EXPECT_STREQ(cases[i].result,
			     sg_try(self->client, &self->to, sg)) {
			TH_LOG("array at %zu, child at %zu", cases[i].fds_at,
			       cases[i].child_at);
		}
	}
}

/* Item 237, for arrays: the parent must be a buffer that precedes. */
TEST_F(fd_array, bad_parent)
{
	struct sg *sg = SG;

	sg_fds(sg, 1, 1, 0);
	sg_ptr(sg, self->parent, 32);
	EXPECT_STREQ(FAILED, sg_try(self->client, &self->to, sg));
	sg = SG;
	sg_fds(sg, 1, 0, 0);
	EXPECT_STREQ(FAILED, sg_try(self->client, &self->to, sg));
	sg = SG;
	sg_ptr(sg, self->parent, 32);
	sg_fds(sg, 1, 5, 0);
	EXPECT_STREQ(FAILED, sg_try(self->client, &self->to, sg));
}

/* Item 211: objects of each size may end where the data ends, not before. */
TEST_F(fd_array, objects_at_the_end)
{
	struct binder_fd_object fd = {
		.hdr.type = BINDER_TYPE_FD, .fd = self->pipe[0],
	};

	for (int kind = 0; kind < 3; kind++) {
		struct sg *sg = SG;

		if (kind == 0)
			sg_add(sg, &fd, sizeof(fd));
		if (kind >= 1)
			sg_ptr(sg, self->parent, 32);
		if (kind == 2)
			sg_fds(sg, 1, 0, 0);
		sg->size -= 4;
		EXPECT_STREQ(FAILED, sg_try(self->client, &self->to, sg));
		sg->size += 4;
		EXPECT_STREQ(OK, sg_try(self->client, &self->to, sg));
	}
}

TEST_HARNESS_MAIN
