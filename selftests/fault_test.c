// SPDX-License-Identifier: GPL-2.0
/*
 * Memory runs out: of each operation the first allocation fails, then the
 * second, and so on until one run has no failure. Every run must end in
 * success or in a clean error, and all that it had so far must come back.
 *
 * This needs a kernel that makes allocations fail when asked to.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define DEBUGFS "/sys/kernel/debug/"
#define TURN_OFF(file, value) turn_off(DEBUGFS file, value)
#define PAGES (5 * 4096)
#define NODE 0x20
/* A mount has very many allocations; on a slow machine not all get a turn. */
#define PATIENCE_MS 60000

FIXTURE(fault)
{
	struct peer *registry;
	struct peer *server;	/* both of this task, so one counter is enough */
	struct peer *client;
	__u32 handle;
	int nth;		/* /proc/thread-self/fail-nth */
	int pipe[2];
	char *data;
	long until;
};

static void turn_off(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, value, 1) != 1)
		die("%s: %m", path);
	close(fd);
}

FIXTURE_SETUP(fault)
{
	binder_setup();
	self->nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (self->nth < 0)
		SKIP(return, "this kernel does not let allocations fail");
	/* Allocations that may sleep are not spared, nor single pages. */
	TURN_OFF("failslab/ignore-gfp-wait", "N");
	TURN_OFF("failslab/verbose", "0");
	TURN_OFF("fail_page_alloc/ignore-gfp-wait", "N");
	TURN_OFF("fail_page_alloc/ignore-gfp-highmem", "N");
	TURN_OFF("fail_page_alloc/min-order", "0");
	TURN_OFF("fail_page_alloc/verbose", "0");
	self->registry = registry_open();
	self->handle = registry_pair(self->registry, &self->server,
				     &self->client);
	ASSERT_EQ(0, peer_word(self->client, BC_ENTER_LOOPER));
	ASSERT_EQ(0, pipe2(self->pipe, O_CLOEXEC));
	self->data = arena_alloc(PAGES);
	self->until = now_ms() + PATIENCE_MS;
}

FIXTURE_TEARDOWN(fault)
{
	close(self->nth);
	EXPECT_STREQ("", binder_teardown());
}

static bool goes_on(long until, bool hit)
{
	return hit && now_ms() < until;
}

/* Lets the n-th allocation of this thread from now on fail. */
static void arm(int nth, int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(nth, text, len, 0) != len)
		die("fail-nth: %m");
}

/* Whether an allocation has failed since arm(). */
static bool disarm(int nth)
{
	char text[16] = "";
	ssize_t len = pread(nth, text, sizeof(text) - 1, 0);

	if (len <= 0 || pwrite(nth, "0", 1, 0) != 1)
		die("fail-nth: %m");
	return atoi(text) == 0;
}

/* Opening takes memory, so this also shows that allocations do fail. */
TEST_F(fault, open)
{
	int failures = 0;

	for (int n = 1, hit = 1; goes_on(self->until, hit); n++) {
		int fd;

		arm(self->nth, n);
		fd = binder_open_at(binder_dir, BINDER_DEV, O_RDWR);
		hit = disarm(self->nth);
		failures += fd == -ENOMEM;
		EXPECT_TRUE(fd >= 0 || (hit && fd == -ENOMEM)) {
			TH_LOG("allocation %d: %d", n, fd);
		}
		if (fd >= 0)
			close(fd);
	}
	EXPECT_LT(2, failures);
}

TEST_F(fault, mmap)
{
	for (int n = 1, hit = 1; goes_on(self->until, hit); n++) {
		int fd = binder_open_at(binder_dir, BINDER_DEV, O_RDWR);
		char *map;

		ASSERT_LE(0, fd);
		arm(self->nth, n);
		map = mmap(NULL, MAP_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
		hit = disarm(self->nth);
		EXPECT_TRUE(map != MAP_FAILED || (hit && errno == ENOMEM)) {
			TH_LOG("allocation %d: %m", n);
		}
		if (map != MAP_FAILED)
			munmap(map, MAP_SIZE);
		close(fd);
	}
}

/* A thread's state is made in its first call. */
TEST_F(fault, first_call)
{
	for (int n = 1, hit = 1; goes_on(self->until, hit); n++) {
		struct peer peer = { .nr_rets = 0 };
		int ret;

		peer.fd = binder_open_at(binder_dir, BINDER_DEV, O_RDWR);
		ASSERT_LE(0, peer.fd);
		arm(self->nth, n);
		ret = peer_word(&peer, BC_ENTER_LOOPER);
		hit = disarm(self->nth);
		EXPECT_TRUE(!ret || (hit && ret == -ENOMEM)) {
			TH_LOG("allocation %d: %d", n, ret);
		}
		EXPECT_EQ(0, peer_word(&peer, BC_ENTER_LOOPER));
		close(peer.fd);
	}
}

TEST_F(fault, manager)
{
	for (int n = 1, hit = 1; goes_on(self->until, hit); n++) {
		int fd, ret;

		ASSERT_EQ(0, binder_add(binder_dir, "managed", NULL));
		fd = binder_open_at(binder_dir, "managed", O_RDWR);
		ASSERT_LE(0, fd);
		arm(self->nth, n);
		ret = ioctl(fd, BINDER_SET_CONTEXT_MGR, 0) ? -errno : 0;
		hit = disarm(self->nth);
		EXPECT_TRUE(!ret || (hit && ret == -ENOMEM)) {
			TH_LOG("allocation %d: %d", n, ret);
		}
		if (ret)
			EXPECT_EQ(0, ioctl(fd, BINDER_SET_CONTEXT_MGR, 0));
		close(fd);
		ASSERT_EQ(0, unlinkat(binder_dir, "managed", 0));
	}
}

TEST_F(fault, add)
{
	struct binderfs_device dev = { .name = "added" };
	int fd = binder_open_at(binder_dir, "binder-control", O_RDONLY);
	struct stat st;

	for (int n = 1, hit = 1; goes_on(self->until, hit); n++) {
		int ret;

		arm(self->nth, n);
		ret = ioctl(fd, BINDER_CTL_ADD, &dev) ? -errno : 0;
		hit = disarm(self->nth);
		EXPECT_TRUE(!ret || (hit && ret == -ENOMEM)) {
			TH_LOG("allocation %d: %d", n, ret);
		}
		EXPECT_EQ(ret ? -1 : 0, fstatat(binder_dir, "added", &st, 0));
		unlinkat(binder_dir, "added", 0);
	}
	close(fd);
}

TEST_F(fault, mount)
{
	for (int n = 1, hit = 1; goes_on(self->until, hit); n++) {
		int dir;

		arm(self->nth, n);
		dir = binder_mount("max", "100");
		hit = disarm(self->nth);
		EXPECT_TRUE(dir >= 0 || (hit && dir == -ENOMEM)) {
			TH_LOG("allocation %d: %d", n, dir);
		}
		if (dir >= 0)
			close(dir);
	}
}

TEST_F(fault, poll)
{
	struct epoll_event event = { .events = EPOLLIN };

	for (int n = 1, hit = 1; goes_on(self->until, hit); n++) {
		int fd = binder_open_at(binder_dir, BINDER_DEV, O_RDWR);
		int epoll = epoll_create1(EPOLL_CLOEXEC), ret;

		arm(self->nth, n);
		ret = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
		hit = disarm(self->nth);
		/* poll() itself has no errno to give: it says POLLERR. */
		EXPECT_TRUE(!ret || (hit && ret == -ENOMEM)) {
			TH_LOG("allocation %d: %d", n, ret);
		}
		close(epoll);
		close(fd);
	}
}

/* What came of one message, once both sides have read all there is */
struct ending {
	int delivered;
	int completed;
	int replied;
	int failed;	/* BR_FAILED_REPLY, BR_DEAD_REPLY */
};

static void close_files(struct peer *peer)
{
	const struct flat_binder_object *obj;

	for (size_t i = 0; i < peer->txn.offsets_size / 8; i++) {
		obj = peer_object(peer, i);
		if (obj->hdr.type == BINDER_TYPE_FD)
			close(obj->handle);
	}
}

static void take(struct peer *peer, struct ending *ending)
{
	ack_refs(peer);
	for (int i = 0; i < peer->nr_rets; i++)
		switch (peer->rets[i].cmd) {
		case BR_TRANSACTION:
			ending->delivered++;
			close_files(peer);
			put_u64(peer, BC_FREE_BUFFER,
				peer->txn.data.ptr.buffer);
			if (!(peer->txn.flags & TF_ONE_WAY))
				put_msg(peer, BC_REPLY, MSG());
			if (peer_write(peer))
				die("the server cannot go on");
			break;
		case BR_REPLY:
			ending->replied++;
			close_files(peer);
			peer_free_last(peer);
			break;
		case BR_FAILED_REPLY:
		case BR_DEAD_REPLY:
			ending->failed++;
			break;
		case BR_TRANSACTION_COMPLETE:
			ending->completed++;
			break;
		}
}

static void settle(struct peer *server, struct peer *client,
		   struct ending *server_saw, struct ending *client_saw)
{
	for (bool busy = true; busy;) {
		busy = strcmp(peer_read(server), "EAGAIN");
		if (busy)
			take(server, server_saw);
		while (strcmp(peer_read(client), "EAGAIN")) {
			take(client, client_saw);
			busy = true;
		}
	}
}

static void put_plain(struct sg *sg, int pipe, const char *data)
{
}

static void put_pages(struct sg *sg, int pipe, const char *data)
{
	sg_ptr(sg, data, PAGES);
}

static void put_nodes(struct sg *sg, int pipe, const char *data)
{
	struct flat_binder_object obj = local_object(NODE, 0, 0);

	sg_add(sg, &obj, sizeof(obj));
	obj.hdr.type = BINDER_TYPE_WEAK_BINDER;
	sg_add(sg, &obj, sizeof(obj));
	obj.binder = 0x30;
	sg_add(sg, &obj, sizeof(obj));
}

static void put_files(struct sg *sg, int pipe, const char *data)
{
	struct binder_fd_object obj = {
		.hdr.type = BINDER_TYPE_FD, .fd = pipe,
	};
	__u32 fds[2] = { pipe, pipe };
	char *array = arena_alloc(sizeof(fds));
	size_t parent;

	memcpy(array, fds, sizeof(fds));
	sg_add(sg, &obj, sizeof(obj));
	parent = sg_ptr(sg, array, sizeof(fds));
	sg_fds(sg, 2, parent, 0);
	sg_add(sg, &obj, sizeof(obj));
}

static void put_tree(struct sg *sg, int pipe, const char *data)
{
	put_nodes(sg, pipe, data);
	put_files(sg, pipe, data);
	sg_child(sg, data, 100, sg_ptr(sg, data, 64), 8);
}

/* What messages are tried with */
static const struct kind {
	const char *name;
	void (*put)(struct sg *sg, int pipe, const char *data);
} kinds[] = {
	{ "plain", put_plain },
	{ "pages", put_pages },
	{ "nodes", put_nodes },
	{ "files", put_files },
	{ "tree", put_tree },
};

/*
 * Who is told of success has succeeded, and nobody else has. What is over
 * leaves no node.
 */
TEST_F(fault, oneway)
{
	struct msg msg = { .handle = self->handle, .flags = TF_ONE_WAY };

	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++)
		for (int n = 1, hit = 1; goes_on(self->until, hit); n++) {
			struct ending client = {}, server = {};
			struct sg *sg = SG;
			int ret;

			kinds[kind].put(sg, self->pipe[1], self->data);
			arm(self->nth, n);
			ret = sg_send(self->client, BC_TRANSACTION_SG, &msg, sg);
			hit = disarm(self->nth);
			settle(self->server, self->client, &server, &client);
			EXPECT_STREQ("none", node_refs(self->client, NODE));
			EXPECT_TRUE(!ret || (hit && ret == -ENOMEM));
			EXPECT_EQ(!ret, client.completed + client.failed);
			EXPECT_EQ(client.completed, server.delivered) {
				TH_LOG("%s, allocation %d: %d", kinds[kind].name, n, ret);
			}
		}
}

TEST_F(fault, call)
{
	struct msg msg = { .handle = self->handle, .flags = TF_ACCEPT_FDS };

	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++)
		for (int n = 1, hit = 1; goes_on(self->until, hit); n++) {
			struct ending client = {}, server = {};
			struct sg *sg = SG;
			int ret;

			kinds[kind].put(sg, self->pipe[1], self->data);
			arm(self->nth, n);
			ret = sg_send(self->client, BC_TRANSACTION_SG, &msg, sg);
			hit = disarm(self->nth);
			settle(self->server, self->client, &server, &client);
			EXPECT_STREQ("none", node_refs(self->client, NODE));
			EXPECT_TRUE(!ret || (hit && ret == -ENOMEM));
			EXPECT_EQ(!ret, client.replied + client.failed);
			EXPECT_EQ(client.replied, server.delivered) {
				TH_LOG("%s, allocation %d: %d", kinds[kind].name, n, ret);
			}
		}
}

/* A reply that cannot be made is told to the caller, or can be tried again. */
TEST_F(fault, reply)
{
	struct msg msg = { .handle = self->handle, .flags = TF_ACCEPT_FDS };

	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++)
		for (int n = 1, hit = 1; goes_on(self->until, hit); n++) {
			struct ending client = {}, server = {};
			struct sg *sg = SG;
			int ret;

			ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION, &msg));
			must_read(self->server, "NOOP TRANSACTION");
			ASSERT_EQ(0, peer_free_last(self->server));
			kinds[kind].put(sg, self->pipe[1], self->data);
			arm(self->nth, n);
			ret = sg_send(self->server, BC_REPLY_SG, MSG(), sg);
			hit = disarm(self->nth);
			EXPECT_TRUE(!ret || (hit && ret == -ENOMEM));
			if (ret) {
				EXPECT_EQ(0, self->server->bwr.write_consumed);
				ASSERT_EQ(0, peer_send(self->server, BC_REPLY, MSG()));
			}
			settle(self->server, self->client, &server, &client);
			EXPECT_EQ(1, client.replied + client.failed) {
				TH_LOG("%s, allocation %d: %d", kinds[kind].name, n, ret);
			}
			EXPECT_EQ(1, server.completed);
		}
}

/* A message that cannot be unpacked ends its call, or is read again. */
TEST_F(fault, read)
{
	struct msg msg = { .handle = self->handle, .flags = TF_ACCEPT_FDS };

	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++)
		for (int n = 1, hit = 1; goes_on(self->until, hit); n++) {
			struct ending client = {}, server = {};
			struct sg *sg = SG;

			kinds[kind].put(sg, self->pipe[1], self->data);
			ASSERT_EQ(0, sg_send(self->client, BC_TRANSACTION_SG, &msg,
					     sg));
			arm(self->nth, n);
			peer_read(self->server);
			hit = disarm(self->nth);
			if (strncmp(self->server->text, "E", 1))
				take(self->server, &server);
			else
				EXPECT_TRUE(hit);
			settle(self->server, self->client, &server, &client);
			EXPECT_EQ(1, client.replied + client.failed) {
				TH_LOG("%s, allocation %d: %s", kinds[kind].name, n,
				       self->server->text);
			}
			EXPECT_EQ(client.replied, server.delivered);
		}
}

/* Commands that need memory for what they ask for */
TEST_F(fault, notifications)
{
	static const __u32 cmds[][2] = {
		{ BC_REQUEST_DEATH_NOTIFICATION, BC_CLEAR_DEATH_NOTIFICATION },
		{ BC_REQUEST_FREEZE_NOTIFICATION,
		  BC_CLEAR_FREEZE_NOTIFICATION },
	};
	struct peer *client = self->client;
	struct ending ignored;

	for (int i = 0; i < 2; i++) {
		for (int n = 1, hit = 1; goes_on(self->until, hit); n++) {
			int ret;

			put_handle_cookie(client, cmds[i][0], self->handle, n);
			arm(self->nth, n);
			ret = peer_write(client);
			hit = disarm(self->nth);
			EXPECT_TRUE(!ret || (hit && ret == -ENOMEM)) {
				TH_LOG("allocation %d: %d", n, ret);
			}
			/* A failure that was told has to be read. */
			settle(self->server, client, &ignored, &ignored);
			put_handle_cookie(client, cmds[i][1], self->handle, n);
			peer_write(client);
			settle(self->server, client, &ignored, &ignored);
			if (i) {
				put_u64(client, BC_FREEZE_NOTIFICATION_DONE, n);
				peer_write(client);
				settle(self->server, client, &ignored,
				       &ignored);
			}
		}
	}
}

/* Item 527: handles that are acquired, and the table of them that grows */
TEST_F(fault, handles)
{
	struct flat_binder_object obj = local_object(0, 0, 0);
	__u32 handles[20] = {};

	for (int i = 0; i < 20; i++) {
		for (int n = 1, hit = 1; goes_on(self->until, hit); n++) {
			struct ending client = {}, server = {};

			obj.binder = 0x1000 + 8 * i;
			arm(self->nth, n);
			send_object(self->server, BC_TRANSACTION,
				    MSG(.flags = TF_ONE_WAY), &obj);
			hit = disarm(self->nth);
			settle(self->client, self->server, &client, &server);
			if (!server.completed) {
				EXPECT_TRUE(hit);
				continue;
			}
			must_read(self->registry, "NOOP TRANSACTION");
			handles[i] = peer_object(self->registry, 0)->handle;
			put_u32(self->registry, BC_ACQUIRE, handles[i]);
			ASSERT_EQ(0, peer_write(self->registry));
			ASSERT_EQ(0, peer_free_last(self->registry));
			if (hit) {
				registry_drop(self->registry, handles[i]);
				handles[i] = 0;
			}
			settle(self->client, self->server, &client, &server);
		}
	}
	for (int i = 0; i < 20; i++)
		if (handles[i])
			registry_drop(self->registry, handles[i]);
}

/* A freeze that fails for want of memory has frozen nothing. */
TEST_F(fault, freeze)
{
	struct peer *owner = peer_open(task_fork());
	__u32 handle = registry_give(self->registry, owner, self->client, 0x40,
				     0, 0);
	struct binder_freeze_info info = { .pid = task_pid(owner->task) };

	put_handle_cookie(self->client, BC_REQUEST_FREEZE_NOTIFICATION, handle,
			  1);
	ASSERT_EQ(0, peer_write(self->client));
	for (int n = 1, hit = 1; goes_on(self->until, hit); n++) {
		int ret;

		info.enable = 1;
		arm(self->nth, n);
		ret = ioctl(self->client->fd, BINDER_FREEZE, &info) ? -errno : 0;
		hit = disarm(self->nth);
		EXPECT_TRUE(!ret || (hit && ret == -ENOMEM));
		put_msg(self->client, BC_TRANSACTION,
			MSG(.handle = handle, .flags = TF_ONE_WAY));
		ASSERT_EQ(0, peer_write(self->client));
		while (strcmp(peer_read(self->client), "EAGAIN"))
			if (self->client->rets[1].cmd != BR_FROZEN_BINDER)
				EXPECT_EQ(ret ? BR_TRANSACTION_COMPLETE :
					  BR_TRANSACTION_PENDING_FROZEN,
					  self->client->rets[1].cmd) {
					TH_LOG("allocation %d: %d", n, ret);
				}
		info.enable = 0;
		ASSERT_EQ(0, ioctl(self->client->fd, BINDER_FREEZE, &info));
		ASSERT_EQ(0, peer_word(owner, BC_ENTER_LOOPER));
		must_read(owner, "NOOP TRANSACTION");
		ASSERT_EQ(0, peer_free_last(owner));
		/* An unread state may be acknowledged or not. */
		put_u64(self->client, BC_FREEZE_NOTIFICATION_DONE, 1);
		peer_write(self->client);
		self->client->out_len = 0;
	}
}

TEST_HARNESS_MAIN
