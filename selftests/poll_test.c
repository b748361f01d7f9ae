// SPDX-License-Identifier: GPL-2.0
/* poll and epoll: when a descriptor is readable, and for whom. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

/* The system call behind poll(): newer machines have none of that name */
#ifdef SYS_poll
#define POLL_CALL SYS_poll
#else
#define POLL_CALL SYS_ppoll
#endif

FIXTURE(poll)
{
	struct peer *server;
	struct peer *client;
	int epoll;
};

FIXTURE_SETUP(poll)
{
	binder_setup();
	self->client = peer_open(task_fork());
	self->server = peer_manager(NULL);
	self->epoll = epoll_create1(EPOLL_CLOEXEC);
}

FIXTURE_TEARDOWN(poll)
{
	EXPECT_STREQ("", binder_teardown());
}

static int post(struct peer *client)
{
	return peer_send(client, BC_TRANSACTION, MSG(.flags = TF_ONE_WAY));
}

static void watch(int epoll, struct peer *peer)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, peer->fd, &event))
		die("epoll_ctl: %m");
}

/* Does epoll report the peer within the time? */
static bool reported(int epoll, int timeout_ms)
{
	struct epoll_event event;

	return epoll_wait(epoll, &event, 1, timeout_ms) == 1 &&
	       event.events == EPOLLIN;
}

/* Item 12: a thread's first call may say readable, its second not. */
TEST_F(poll, nothing_to_read)
{
	struct pollfd pfd = { .events = POLLIN };

	pfd.fd = binder_open_at(binder_dir, BINDER_DEV, O_RDWR);
	ASSERT_LE(0, poll(&pfd, 1, 0));
	EXPECT_TRUE(pfd.revents == 0 || pfd.revents == POLLIN);
	close(pfd.fd);
	EXPECT_FALSE(peer_readable(self->server));
}

/* Item 13: readable is all that it can be. */
TEST_F(poll, never_writable)
{
	struct pollfd pfd = {
		.fd = self->server->fd, .events = POLLIN | POLLOUT | POLLPRI,
	};

	EXPECT_EQ(0, poll(&pfd, 1, 0));
	ASSERT_EQ(0, post(self->client));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLIN, pfd.revents);
}

/* Items 14 and 116: a caller is readable when its answer is there. */
TEST_F(poll, caller)
{
	struct peer *server = peer_open(task_fork());
	__u32 handle = registry_add(self->server, server, 0x10, 0, 0);

	ASSERT_EQ(0, peer_word(server, BC_ENTER_LOOPER));
	put_u32(self->server, BC_ACQUIRE, handle);
	ASSERT_EQ(0, peer_write(self->server));
	ASSERT_EQ(0, peer_send(self->server, BC_TRANSACTION,
			       MSG(.handle = handle)));
	EXPECT_FALSE(peer_readable(self->server));
	must_read(server, "NOOP TRANSACTION");
	EXPECT_FALSE(peer_readable(self->server));
	answer(server, MSG());
	EXPECT_TRUE(peer_readable(self->server));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
		     peer_read(self->server));
	EXPECT_FALSE(peer_readable(self->server));
}

/* Item 14: or an error. */
TEST_F(poll, failed_call)
{
	struct peer *client = peer_open(NULL);

	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION, MSG(.handle = 7)));
	EXPECT_TRUE(peer_readable(client));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_read(client));
	EXPECT_FALSE(peer_readable(client));
}

/* Item 15: a oneway's completion is work for who has sent it. */
TEST_F(poll, completion_of_a_oneway)
{
	struct peer *server = peer_open(task_fork());
	__u32 handle = registry_add(self->server, server, 0x10, 0, 0);

	watch(self->epoll, self->server);
	EXPECT_FALSE(reported(self->epoll, 0));
	ASSERT_EQ(0, peer_send(self->server, BC_TRANSACTION,
			       MSG(.handle = handle, .flags = TF_ONE_WAY)));
	EXPECT_TRUE(peer_readable(self->server));
	EXPECT_TRUE(reported(self->epoll, 0));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(self->server));
	EXPECT_FALSE(peer_readable(self->server));
	EXPECT_FALSE(reported(self->epoll, 0));
}

/* Item 16: work from others. */
TEST_F(poll, work_arrives)
{
	watch(self->epoll, self->server);
	for (int i = 0; i < 3; i++) {
		EXPECT_FALSE(reported(self->epoll, 0));
		ASSERT_EQ(0, post(self->client));
		EXPECT_TRUE(reported(self->epoll, 1000));
		EXPECT_STREQ("NOOP TRANSACTION", peer_read(self->server));
		ASSERT_EQ(0, peer_free_last(self->server));
	}
	EXPECT_FALSE(reported(self->epoll, 0));
}

static long wait_for_input(long fd, long timeout_ms, long unused)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, timeout_ms) == 1 ? pfd.revents : -ETIMEDOUT;
}

/* Items 16 and 17: all who sleep in poll are woken, one gets the work. */
TEST_F(poll, several_sleepers)
{
	struct task *tasks[2] = { task_thread(), task_thread() };
	struct peer *peers[2];
	int got = 0;

	for (int i = 0; i < 2; i++) {
		peers[i] = peer_thread(self->server, tasks[i]);
		ASSERT_EQ(0, peer_word(peers[i], BC_ENTER_LOOPER));
		task_start(tasks[i], wait_for_input, self->server->fd, 5000, 0);
		ASSERT_TRUE(task_blocks_in(tasks[i], POLL_CALL));
	}
	ASSERT_EQ(0, post(self->client));
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(POLLIN, task_finish(tasks[i]));
	for (int i = 0; i < 2; i++)
		got += !strcmp(peer_read(peers[i]), "NOOP TRANSACTION");
	EXPECT_EQ(1, got);
}

/* Item 17: within a call, only what is for the thread counts. */
TEST_F(poll, busy_thread)
{
	struct peer *stranger = peer_open(self->client->task);

	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, MSG()));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	ASSERT_EQ(0, post(stranger));
	EXPECT_FALSE(peer_readable(self->server));
	answer(self->server, MSG());
	EXPECT_TRUE(peer_readable(self->server));
}

/* Item 18: a thread that exits while it is watched. */
TEST_F(poll, thread_exit_while_watched)
{
	watch(self->epoll, self->server);
	EXPECT_FALSE(reported(self->epoll, 0));
	ASSERT_EQ(0, peer_ioctl(self->server, BINDER_THREAD_EXIT, NULL));
	/* Whether it is reported now differs; it must not hang or crash. */
	reported(self->epoll, 10);
	reported(self->epoll, 10);
	ASSERT_EQ(0, peer_word(self->server, BC_ENTER_LOOPER));
	ASSERT_EQ(0, post(self->client));
	EXPECT_EQ(POLLIN, wait_for_input(self->server->fd, 1000, 0));
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(self->server));
}

/* Item 18: a watched descriptor is closed; the epoll goes later. */
TEST_F(poll, close_while_watched)
{
	watch(self->epoll, self->server);
	reported(self->epoll, 0);
	peer_close(self->server);
	EXPECT_FALSE(reported(self->epoll, 0));
	close(self->epoll);
}

TEST_HARNESS_MAIN
