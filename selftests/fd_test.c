// SPDX-License-Identifier: GPL-2.0
/* File descriptors in messages, one object each. */

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define OK "NOOP TRANSACTION_COMPLETE"
#define FAILED "NOOP FAILED_REPLY"

FIXTURE(fd)
{
	struct peer *manager;
	struct peer *server;	/* in this process, accepts descriptors */
	struct peer *client;
	struct msg to;
	int pipe[2];
};

FIXTURE_SETUP(fd)
{
	binder_setup();
	self->manager = registry_open();
	self->to.handle = registry_pair(self->manager, &self->server,
					&self->client);
	self->to.flags = TF_ONE_WAY;
	ASSERT_EQ(0, pipe2(self->pipe, O_CLOEXEC | O_NONBLOCK));
}

FIXTURE_TEARDOWN(fd)
{
	EXPECT_STREQ("", binder_teardown());
}

static struct binder_fd_object fd_object(int fd)
{
	return (struct binder_fd_object){
		.hdr.type = BINDER_TYPE_FD, .fd = fd, .cookie = 0xc00c1e,
	};
}

/* Sends descriptors and returns what the sender is told. */
static const char *send_fds(struct peer *client, __u32 cmd,
			    const struct msg *to, const int *fds, size_t count)
{
	struct sg *sg = SG;

	for (size_t i = 0; i < count; i++) {
		struct binder_fd_object obj = fd_object(fds[i]);

		sg_add(sg, &obj, sizeof(obj));
	}
	if (sg_send(client, cmd, to, sg))
		die("sending descriptors failed");
	return peer_read(client);
}

static int received_fd(struct peer *peer, size_t index)
{
	return peer_object(peer, index)->handle;
}

static int lowest_free_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

/* Item 219: nobody may rely on what padding brings. */
TEST_F(fd, padding)
{
	struct binder_fd_object obj = fd_object(self->pipe[1]);
	const struct binder_fd_object *seen;
	struct sg *sg = SG;

	obj.pad_flags = 0xabc;
	sg_add(sg, &obj, sizeof(obj));
	ASSERT_STREQ(OK, sg_try(self->client, &self->to, sg));
	must_read(self->server, "NOOP TRANSACTION");
	seen = (const void *)peer_object(self->server, 0);
	EXPECT_TRUE(seen->pad_flags == 0xabc || seen->pad_flags == 0);
	close(seen->fd);
}

/* Item 218. */
TEST_F(fd, passed)
{
	const struct binder_fd_object *seen;
	int lowest = lowest_free_fd();
	char byte = 0;

	ASSERT_STREQ(OK, send_fds(self->client, BC_TRANSACTION, &self->to,
				  &self->pipe[1], 1));
	must_read(self->server, "NOOP TRANSACTION");
	seen = (const void *)peer_object(self->server, 0);
	EXPECT_EQ(BINDER_TYPE_FD, seen->hdr.type);
	EXPECT_EQ(lowest, seen->fd);
	EXPECT_EQ(0, seen->pad_binder >> 32);
	EXPECT_EQ(0xc00c1e, seen->cookie);
	EXPECT_EQ(FD_CLOEXEC, fcntl(lowest, F_GETFD));
	ASSERT_EQ(1, write(lowest, "x", 1));
	EXPECT_EQ(1, read(self->pipe[0], &byte, 1));
	EXPECT_EQ('x', byte);
	/* Item 223: it stays when the buffer goes. */
	ASSERT_EQ(0, peer_free_last(self->server));
	EXPECT_EQ(FD_CLOEXEC, fcntl(lowest, F_GETFD));
	close(lowest);
}

/* Item 218: several in one message. */
TEST_F(fd, several)
{
	int fds[10];

	for (int i = 0; i < 10; i++)
		fds[i] = self->pipe[i % 2];
	ASSERT_STREQ(OK, send_fds(self->client, BC_TRANSACTION, &self->to, fds,
				  10));
	must_read(self->server, "NOOP TRANSACTION");
	for (int i = 0; i < 10; i++)
		EXPECT_EQ(i % 2 ? 1 : -1,
			  write(received_fd(self->server, i), "x", 1));
}

/* Item 220: also if the descriptor is no good. */
TEST_F(fd, not_accepted)
{
	static const int bad = 999;
	struct msg to = { .flags = TF_ONE_WAY };

	/* Item 42: the plain manager accepts none. */
	EXPECT_STREQ(FAILED, send_fds(self->client, BC_TRANSACTION, &to,
				      &self->pipe[0], 1));
	EXPECT_STREQ(FAILED, send_fds(self->client, BC_TRANSACTION, &to,
				      &bad, 1));
	to.handle = registry_give(self->manager, self->server, self->client,
				  0x20, 0, 0xff);
	EXPECT_STREQ(FAILED, send_fds(self->client, BC_TRANSACTION, &to,
				      &self->pipe[0], 1));
}

/* Item 221. */
TEST_F(fd, invalid)
{
	int fds[] = { -1, 999, open("/", O_PATH | O_CLOEXEC) };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		EXPECT_STREQ(FAILED, send_fds(self->client, BC_TRANSACTION,
					      &self->to, &fds[i], 1));
	close(fds[2]);
}

/* Item 222: the caller says whether it takes descriptors. */
TEST_F(fd, reply)
{
	struct msg call = { .handle = self->to.handle };

	for (int accept = 0; accept < 2; accept++) {
		call.flags = accept ? TF_ACCEPT_FDS : 0;
		ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, &call));
		must_read(self->server, "NOOP TRANSACTION");
		EXPECT_STREQ(OK, send_fds(self->server, BC_REPLY, MSG(),
					  self->pipe, 1));
		EXPECT_STREQ(accept ? "NOOP TRANSACTION_COMPLETE REPLY" :
			     "NOOP TRANSACTION_COMPLETE FAILED_REPLY",
			     peer_read(self->client));
	}
	EXPECT_EQ(FD_CLOEXEC, fcntl(received_fd(self->client, 0), F_GETFD));
}

/* Is the pipe's write end gone everywhere? Release may take a moment. */
static bool at_eof(int fd, bool wait)
{
	long deadline = now_ms() + (wait ? 5000 : 0);
	char byte;
	int ret;

	do {
		ret = read(fd, &byte, 1);
		if (!ret)
			return true;
		nap();
	} while (now_ms() < deadline);
	return false;
}

/* Item 228: the file is held from the sending on. */
TEST_F(fd, held_in_flight)
{
	ASSERT_STREQ(OK, send_fds(self->client, BC_TRANSACTION, &self->to,
				  &self->pipe[1], 1));
	close(self->pipe[1]);
	EXPECT_FALSE(at_eof(self->pipe[0], false));
	must_read(self->server, "NOOP TRANSACTION");
	close(received_fd(self->server, 0));
	EXPECT_TRUE(at_eof(self->pipe[0], true));
}

/* Item 228: until the receiver dies with the message unread. */
TEST_F(fd, released_with_the_receiver)
{
	struct peer *server = peer_open(task_fork());
	struct msg to = { .flags = TF_ONE_WAY };

	to.handle = registry_give(self->manager, server, self->client, 0x20, 0,
				  FLAT_BINDER_FLAG_ACCEPTS_FDS);
	/* The second waits behind the first. */
	for (int i = 0; i < 2; i++)
		ASSERT_STREQ(OK, send_fds(self->client, BC_TRANSACTION, &to,
					  &self->pipe[1], 1));
	close(self->pipe[1]);
	EXPECT_FALSE(at_eof(self->pipe[0], false));
	task_kill(server->task);
	EXPECT_TRUE(at_eof(self->pipe[0], true));
}

/* Item 228: and a message that fails holds none. */
TEST_F(fd, released_by_a_failure)
{
	int fds[2] = { self->pipe[1], 999 };

	EXPECT_STREQ(FAILED, send_fds(self->client, BC_TRANSACTION, &self->to,
				      fds, 2));
	close(self->pipe[1]);
	EXPECT_TRUE(at_eof(self->pipe[0], true));
}

static void limit_fds(int spare)
{
	struct rlimit limit = { lowest_free_fd() + spare, 1024 };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("setrlimit: %m");
}

/* Items 93 and 225: the receiver has no number left; it does not notice. */
TEST_F(fd, receiver_at_its_limit)
{
	struct msg call = { .handle = self->to.handle };
	int lowest = lowest_free_fd();

	EXPECT_STREQ("EAGAIN", send_fds(self->client, BC_TRANSACTION, &call,
					self->pipe, 2));
	/* Item 227: there is room for one of two, and none is used. */
	limit_fds(1);
	EXPECT_STREQ("EAGAIN", peer_read(self->server));
	EXPECT_EQ(-1, fcntl(lowest, F_GETFD));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE FAILED_REPLY",
		     peer_read(self->client));
	/* Item 256: the message itself was fine. */
	EXPECT_STREQ("OK 0", peer_error(self->client));
	EXPECT_STREQ("EAGAIN", send_fds(self->client, BC_TRANSACTION, &call,
					self->pipe, 1));
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(self->server));
}

/* Item 225: a oneway is dropped, and its buffer and turn with it. */
TEST_F(fd, oneway_to_a_receiver_at_its_limit)
{
	struct msg next = self->to;

	ASSERT_STREQ(OK, send_fds(self->client, BC_TRANSACTION, &self->to,
				  self->pipe, 1));
	next.code = 7;
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, &next));
	EXPECT_STREQ(OK, peer_read(self->client));
	limit_fds(0);
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	EXPECT_EQ(7, self->server->txn.code);
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Item 226: a reply that cannot be unpacked fails the call. */
TEST_F(fd, caller_at_its_limit)
{
	struct msg call = { .handle = self->to.handle, .flags = TF_ACCEPT_FDS };

	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, &call));
	must_read(self->server, "NOOP TRANSACTION");
	EXPECT_STREQ(OK, send_fds(self->server, BC_REPLY, MSG(), self->pipe,
				  1));
	limit_fds(0);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE FAILED_REPLY",
		     peer_read(self->client));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

TEST_HARNESS_MAIN
