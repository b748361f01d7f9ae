// SPDX-License-Identifier: GPL-2.0
/*
 * Sequences that have crashed or corrupted one of the Binder drivers before.
 * What needs a race is in the race tests.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define OK "NOOP TRANSACTION_COMPLETE"
#define FAILED "NOOP FAILED_REPLY"

FIXTURE(regression)
{
	struct peer *manager;
	struct peer *server;
	struct peer *client;
	struct msg to;
};

FIXTURE_SETUP(regression)
{
	binder_setup();
	self->manager = registry_open();
	self->to.handle = registry_pair(self->manager, &self->server,
					&self->client);
	self->to.flags = TF_ONE_WAY;
}

FIXTURE_TEARDOWN(regression)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Is the server still there and in order? */
static const char *ping(struct peer *client, struct peer *server,
			const struct msg *to)
{
	struct msg call = { .handle = to->handle, .code = 0x50494e47 };

	if (peer_send(client, BC_TRANSACTION, &call))
		return "cannot send";
	if (strcmp(peer_read(server), "NOOP TRANSACTION"))
		return "not received";
	answer(server, MSG());
	if (strcmp(peer_read(client), "NOOP TRANSACTION_COMPLETE REPLY"))
		return client->text;
	peer_free_last(client);
	return "alive";
}

/* Item 502: an empty array at the end of its parent. */
TEST_F(regression, empty_fd_array_at_the_end)
{
	__u64 parent[2] = { 1, 2 };
	struct sg *sg = SG;

	sg_fds(sg, 0, sg_ptr(sg, parent, sizeof(parent)), sizeof(parent));
	ASSERT_STREQ(OK, sg_try(self->client, &self->to, sg));
	must_read(self->server, "NOOP TRANSACTION");
	EXPECT_EQ(0, memcmp(parent, (void *)peer_ptr(self->server, 0)->buffer,
			    sizeof(parent)));
	ASSERT_EQ(0, peer_free_last(self->server));
	EXPECT_STREQ("alive", ping(self->client, self->server, &self->to));
}

/* Item 503: a plain thread clears and is done, in this order. */
TEST_F(regression, death_is_done_by_a_plain_thread)
{
	struct peer *plain = peer_thread(self->client, task_thread());
	struct peer *owner = peer_open(task_fork());
	__u32 handle = registry_give(self->manager, owner, self->client, 0x20,
				     0, 0);

	put_handle_cookie(plain, BC_REQUEST_DEATH_NOTIFICATION, handle, 7);
	ASSERT_EQ(0, peer_write(plain));
	task_kill(owner->task);
	ASSERT_EQ(0, peer_word(self->client, BC_ENTER_LOOPER));
	ASSERT_STREQ("NOOP DEAD_BINDER", read_late(self->client));
	put_handle_cookie(plain, BC_CLEAR_DEATH_NOTIFICATION, handle, 7);
	put_u64(plain, BC_DEAD_BINDER_DONE, 7);
	ASSERT_EQ(0, peer_write(plain));
	EXPECT_STREQ("NOOP CLEAR_DEATH_NOTIFICATION_DONE",
		     peer_read(self->client));
}

/* Item 505: other memory where the mapping was. */
TEST_F(regression, other_memory_at_the_old_address)
{
	char *map = self->server->map;
	char *other;

	peer_unmap(self->server);
	other = mmap(map, MAP_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT_EQ(map, other);
	memset(other, 0x5a, MAP_SIZE);
	for (int i = 0; i < 3; i++) {
		put_msg(self->client, BC_TRANSACTION,
			MSG(.handle = self->to.handle, .flags = TF_ONE_WAY,
			    .data = "evil", .size = 5));
		peer_write_read(self->client);
	}
	for (size_t i = 0; i < MAP_SIZE; i++)
		ASSERT_EQ(0x5a, other[i]);
	munmap(other, MAP_SIZE);
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		die("epoll_ctl: %m");
	epoll_wait(epoll, &event, 1, 0);
}

/* Item 515: the thread goes, the epoll that watched it goes later. */
TEST_F(regression, epoll_outlives_the_thread)
{
	for (int i = 0; i < 20; i++) {
		int epoll = epoll_create1(EPOLL_CLOEXEC);

		watch(epoll, self->server->fd);
		ASSERT_EQ(0, peer_ioctl(self->server, BINDER_THREAD_EXIT,
					NULL));
		if (i % 2)
			epoll_ctl(epoll, EPOLL_CTL_DEL, self->server->fd, NULL);
		close(epoll);
		ASSERT_EQ(0, peer_word(self->server, BC_ENTER_LOOPER));
	}
	EXPECT_STREQ("alive", ping(self->client, self->server, &self->to));
}

/* Item 519: empty oneways cost and give back what they cost. */
TEST_F(regression, many_empty_oneways)
{
	char *data = arena_alloc(MAP_SIZE);

	for (int i = 0; i < 5000; i++) {
		ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
				       &self->to));
		must_read(self->client, OK);
		must_read(self->server, "NOOP TRANSACTION");
		ASSERT_EQ(0, peer_free_last(self->server));
	}
	put_msg(self->client, BC_TRANSACTION,
		MSG(.handle = self->to.handle, .flags = TF_ONE_WAY,
		    .data = data, .size = MAP_SIZE / 2));
	EXPECT_STREQ(OK, peer_write_read(self->client));
}

/*
 * Item 522: a message that fails before its first
 * object must not release what the last user of its space had.
 */
TEST_F(regression, stale_objects_in_a_failed_message)
{
	struct flat_binder_object obj = remote_object(self->to.handle);
	static const binder_size_t offsets[2];
	struct peer *third = peer_open(NULL);
	__u32 back;

	ASSERT_EQ(0, peer_word(third, BC_ENTER_LOOPER));
	back = registry_give(self->manager, third, self->client, 0x30, 0, 0);
	for (int i = 0; i < 200; i++) {
		struct msg msg = { .handle = back, .flags = TF_ONE_WAY };

		ASSERT_EQ(0, send_object(self->client, BC_TRANSACTION, &msg,
					 &obj));
		must_read(self->client, OK);
		must_read(third, "NOOP TRANSACTION");
		ASSERT_EQ(0, peer_free_last(third));
		put_msg(self->client, BC_TRANSACTION,
			MSG(.handle = back, .flags = TF_ONE_WAY, .data = &obj,
			    .size = sizeof(obj), .offsets = offsets,
			    .offsets_size = 12));
		ASSERT_STREQ(FAILED, peer_write_read(self->client));
	}
	EXPECT_STREQ("1 1", node_refs(self->server, 0x10));
	EXPECT_STREQ("alive", ping(self->client, self->server, &self->to));
}

/* Item 523: buffers of all sizes beside the offsets, then a failure. */
TEST_F(regression, gathered_data_beside_the_offsets)
{
	struct flat_binder_object good = local_object(0x40, 0, 0);
	struct flat_binder_object bad = remote_object(77);
	char buf[64];

	memset(buf, 0xff, sizeof(buf));
	for (size_t len = 0; len <= sizeof(buf); len++) {
		struct sg *sg = SG;

		sg_add(sg, &good, sizeof(good));
		sg_ptr(sg, buf, len);
		sg_add(sg, &bad, sizeof(bad));
		ASSERT_STREQ(FAILED, sg_try(self->client, &self->to, sg));
		ASSERT_STREQ("none", node_refs(self->client, 0x40));
	}
	EXPECT_STREQ("alive", ping(self->client, self->server, &self->to));
}

/* Items 508 and 525: a freeze listener that just goes away. */
TEST_F(regression, freeze_listener_closes)
{
	for (int i = 0; i < 3; i++) {
		struct peer *listener = peer_open(NULL);
		__u32 handle = registry_give(self->manager, self->server,
					     listener, 0x10, 0,
					     FLAT_BINDER_FLAG_ACCEPTS_FDS);

		put_handle_cookie(listener, BC_REQUEST_FREEZE_NOTIFICATION,
				  handle, 1);
		ASSERT_EQ(0, peer_write(listener));
		/* Queued unread, read but not done, or the reference first */
		if (i == 1)
			must_read(listener, "NOOP FROZEN_BINDER");
		if (i == 2)
			registry_drop(listener, handle);
		peer_close(listener);
	}
	EXPECT_STREQ("alive", ping(self->client, self->server, &self->to));
}

/* Item 507: a replaced message starts no other. */
TEST_F(regression, replaced_message_keeps_the_order)
{
	struct peer *target = peer_open(task_fork());
	__u32 handle = registry_give(self->manager, target, self->client, 0x50,
				     0, 0);
	struct msg update = {
		.handle = handle, .flags = TF_ONE_WAY | TF_UPDATE_TXN,
	};
	struct msg plain = { .handle = handle, .flags = TF_ONE_WAY };
	struct binder_freeze_info info = { task_pid(target->task), 1, 0 };

	ASSERT_EQ(0, peer_word(target, BC_ENTER_LOOPER));
	ASSERT_EQ(0, peer_ioctl(self->client, BINDER_FREEZE, &info));
	for (int i = 1; i <= 4; i++) {
		plain.code = i;
		ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, &plain));
		peer_read(self->client);
		ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, &update));
		peer_read(self->client);
	}
	info.enable = 0;
	ASSERT_EQ(0, peer_ioctl(self->client, BINDER_FREEZE, &info));
	for (int i = 1; i <= 4; i++) {
		must_read(target, "NOOP TRANSACTION");
		EXPECT_EQ(i, target->txn.code);
		EXPECT_STREQ("EAGAIN", peer_read(target));
		ASSERT_EQ(0, peer_free_last(target));
	}
	must_read(target, "NOOP TRANSACTION");
	EXPECT_EQ(0, target->txn.code);
	ASSERT_EQ(0, peer_free_last(target));
	EXPECT_STREQ("EAGAIN", peer_read(target));
}

/* Item 530: files of a replaced message are let go. */
TEST_F(regression, replaced_message_closes_its_files)
{
	struct binder_fd_object obj = { .hdr.type = BINDER_TYPE_FD };
	struct peer *target = peer_open(task_fork());
	struct binder_freeze_info info = { task_pid(target->task), 1, 0 };
	struct msg msg = { .flags = TF_ONE_WAY | TF_UPDATE_TXN };
	struct sg *sg = SG;
	int pipes[2];
	char byte;

	msg.handle = registry_give(self->manager, target, self->client, 0x50, 0,
				   FLAT_BINDER_FLAG_ACCEPTS_FDS);
	ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC | O_NONBLOCK));
	obj.fd = pipes[1];
	ASSERT_EQ(0, peer_ioctl(self->client, BINDER_FREEZE, &info));
	/* The first is on its way, the second is what is replaced. */
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, &msg));
	peer_read(self->client);
	sg_add(sg, &obj, sizeof(obj));
	EXPECT_STREQ("NOOP TRANSACTION_PENDING_FROZEN",
		     sg_try(self->client, &msg, sg));
	close(pipes[1]);
	EXPECT_EQ(-1, read(pipes[0], &byte, 1));
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, &msg));
	peer_read(self->client);
	for (long end = now_ms() + 5000; now_ms() < end; nap())
		if (!read(pipes[0], &byte, 1))
			break;
	EXPECT_EQ(0, read(pipes[0], &byte, 1));
}

/* Item 526: unlink, unmount, close in all orders. */
TEST_F(regression, devices_end_in_any_order)
{
	static const char * const orders[] = {
		"ucm", "umc", "cum", "cmu", "mcu", "muc",
	};

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		int dir = binder_mount(NULL, NULL), fd;

		ASSERT_LE(0, dir);
		ASSERT_EQ(0, binder_add(dir, "short-lived", NULL));
		fd = binder_open_at(dir, "short-lived", O_RDWR);
		ASSERT_LE(0, fd);
		for (const char *step = orders[i]; *step; step++) {
			if (*step == 'c')
				close(fd);
			else if (*step == 'm')
				close(dir);
			else
				unlinkat(dir, "short-lived", 0);
		}
	}
	EXPECT_STREQ("alive", ping(self->client, self->server, &self->to));
}

TEST_HARNESS_MAIN
