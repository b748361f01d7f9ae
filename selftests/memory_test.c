// SPDX-License-Identifier: GPL-2.0
/* Pages of the mapping: cleared on request, reclaimed when idle. */

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define SIZE 20000

FIXTURE(memory)
{
	struct peer *server;
	struct peer *client;
	char *data;
};

FIXTURE_SETUP(memory)
{
	binder_setup();
	self->server = peer_manager(NULL);
	self->client = peer_open(task_fork());
	self->data = arena_alloc(MAP_SIZE);
	memset(self->data, 0x5a, MAP_SIZE);
}

FIXTURE_TEARDOWN(memory)
{
	EXPECT_STREQ("", binder_teardown());
}

static char *receive(struct peer *client, struct peer *server,
		     const struct msg *msg)
{
	if (peer_send(client, BC_TRANSACTION, msg))
		die("BC_TRANSACTION failed");
	must_read(server, "NOOP TRANSACTION");
	return (char *)server->txn.data.ptr.buffer;
}

static bool all_are(const char *buf, char byte, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (buf[i] != byte)
			return false;
	return true;
}

/* Item 275: TF_CLEAR_BUF of a call clears its buffer when that is freed. */
TEST_F(memory, cleared_call)
{
	char *buf = receive(self->client, self->server,
			    MSG(.flags = TF_CLEAR_BUF, .data = self->data,
				.size = SIZE));

	EXPECT_TRUE(all_are(buf, 0x5a, SIZE));
	ASSERT_EQ(0, peer_free_last(self->server));
	EXPECT_TRUE(all_are(buf, 0, SIZE));
}

/* Item 275: that of a reply, the reply's. */
TEST_F(memory, cleared_reply)
{
	struct peer *server = peer_open(task_fork());
	__u32 handle;
	char *buf;

	ASSERT_EQ(0, peer_word(server, BC_ENTER_LOOPER));
	handle = registry_add(self->server, server, 0x10, 0, 0);
	put_msg(self->server, BC_TRANSACTION, MSG(.handle = handle));
	ASSERT_EQ(0, peer_write(self->server));
	must_read(server, "NOOP TRANSACTION");
	answer(server, MSG(.flags = TF_CLEAR_BUF, .data = self->data,
			   .size = SIZE));
	must_read(self->server, "NOOP TRANSACTION_COMPLETE REPLY");
	buf = (char *)self->server->txn.data.ptr.buffer;
	EXPECT_TRUE(all_are(buf, 0x5a, SIZE));
	ASSERT_EQ(0, peer_free_last(self->server));
	EXPECT_TRUE(all_are(buf, 0, SIZE));
}

/* Items 275 and 277: offsets and gathered buffers are cleared, too. */
TEST_F(memory, cleared_altogether)
{
	struct sg *sg = SG;
	char *buf;

	memset(sg->data, 0x5a, 8);
	sg_ptr(sg, self->data, SIZE);
	ASSERT_EQ(0, sg_send(self->client, BC_TRANSACTION_SG,
			     MSG(.flags = TF_CLEAR_BUF), sg));
	must_read(self->server, "NOOP TRANSACTION");
	buf = (char *)self->server->txn.data.ptr.buffer;
	EXPECT_TRUE(all_are(buf + 56, 0x5a, SIZE));
	ASSERT_EQ(0, peer_free_last(self->server));
	EXPECT_TRUE(all_are(buf, 0, 56 + SIZE));
}

/* Writes to drop_caches run all shrinkers. */
static void reclaim(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "2", 1) != 1)
		die("drop_caches: %m");
	close(fd);
}

/* Reclaims until the page at addr is gone; false if it stays. */
static bool reclaimed(struct peer *peer, const char *addr)
{
	for (int i = 0; i < 20; i++) {
		reclaim();
		if (peer_touch(peer, addr) == SIGBUS)
			return true;
	}
	return false;
}

/* Item 276: pages without a buffer go; the next message brings new ones. */
TEST_F(memory, idle_pages_are_reclaimed)
{
	char *buf = receive(self->client, self->server,
			    MSG(.data = self->data, .size = SIZE));

	ASSERT_EQ(0, peer_free_last(self->server));
	EXPECT_TRUE(reclaimed(self->server, buf));
	EXPECT_TRUE(reclaimed(self->server, buf + SIZE));
	answer(self->server, MSG());
	must_read(self->client, "NOOP TRANSACTION_COMPLETE REPLY");
	buf = receive(self->client, self->server,
		      MSG(.data = self->data, .size = SIZE));
	EXPECT_TRUE(all_are(buf, 0x5a, SIZE));
}

/* Item 277: a page of which one byte is in use stays. */
TEST_F(memory, pages_in_use_are_kept)
{
	char *buf = receive(self->client, self->server,
			    MSG(.data = self->data, .size = 1));

	for (int i = 0; i < 5; i++)
		reclaim();
	EXPECT_EQ(0, peer_touch(self->server, buf));
	EXPECT_EQ(0x5a, *buf);
}

/* Item 277: new pages show nothing of what they held before. */
TEST_F(memory, new_pages_are_zero)
{
	char *buf = receive(self->client, self->server,
			    MSG(.data = self->data, .size = SIZE));

	ASSERT_EQ(0, peer_free_last(self->server));
	answer(self->server, MSG());
	must_read(self->client, "NOOP TRANSACTION_COMPLETE REPLY");
	ASSERT_TRUE(reclaimed(self->server, buf));
	ASSERT_TRUE(reclaimed(self->server, buf + 4096));
	EXPECT_EQ(buf, receive(self->client, self->server,
			       MSG(.data = self->data, .size = 8)));
	EXPECT_TRUE(all_are(buf, 0x5a, 8));
	EXPECT_TRUE(all_are(buf + 8, 0, 4096 - 8));
}

/* Item 277: payloads stay intact while all that is idle is reclaimed. */
TEST_F(memory, traffic_under_reclaim)
{
	const void *seen;
	char *buf;

	for (int i = 0; i < 50; i++) {
		size_t size = 1 + i * 200;

		memset(self->data, i + 1, size);
		buf = receive(self->client, self->server,
			      MSG(.data = self->data, .size = size));
		reclaim();
		ASSERT_TRUE(all_are(buf, i + 1, size));
		answer(self->server, MSG(.data = self->data, .size = size));
		must_read(self->client, "NOOP TRANSACTION_COMPLETE REPLY");
		reclaim();
		seen = peer_data(self->client);
		ASSERT_EQ(0, memcmp(self->data, seen, size));
		peer_free_last(self->client);
	}
}

/* Item 34: an owner that throws its pages away harms only itself. */
TEST_F(memory, dontneed)
{
	char *buf = receive(self->client, self->server,
			    MSG(.data = self->data, .size = SIZE));

	ASSERT_EQ(0, madvise(self->server->map, MAP_SIZE, MADV_DONTNEED));
	peer_touch(self->server, buf);
	answer(self->server, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
		     peer_read(self->client));
	receive(self->client, self->server,
		MSG(.data = self->data, .size = SIZE));
}

TEST_HARNESS_MAIN
