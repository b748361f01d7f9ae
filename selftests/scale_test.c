// SPDX-License-Identifier: GPL-2.0
/*
 * Hundreds of thousands of nodes, requests and descriptors, and thousands in
 * one message: all of it works, and the kernel does not complain.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "logs.h"
#include "object.h"

/* Beyond what 4 MiB hold as a table of 16 bytes each, the most of a kmalloc */
#define NODES 300000
#define FILES 300000
#define FEWER_FILES 30000
#define A_MESSAGE 1000
#define A_LARGE_MESSAGE 6000
#define A_SMALLER_MESSAGE 1500
#define PATIENCE_MS 10000
#define AREA 0x400000
#define ROOM 0x100000

FIXTURE(scale)
{
	struct peer *manager;
	struct peer *owner;
	char *commands;		/* of the manager */
	size_t len;
	int kmsg;
};

FIXTURE_SETUP(scale)
{
	struct flat_binder_object obj = {
		.flags = FLAT_BINDER_FLAG_ACCEPTS_FDS,
	};

	binder_setup();
	self->kmsg = kmsg_open();
	self->manager = peer_open_as(NULL, BINDER_DEV, O_RDWR | O_NONBLOCK,
				     AREA);
	ASSERT_EQ(0, peer_ioctl(self->manager, BINDER_SET_CONTEXT_MGR_EXT,
				&obj));
	ASSERT_EQ(0, peer_word(self->manager, BC_ENTER_LOOPER));
	self->owner = peer_open_as(task_fork(), BINDER_DEV,
				   O_RDWR | O_NONBLOCK, AREA);
	self->commands = arena_alloc(ROOM);
}

/* Whether the kernel has warned of something */
static bool complains(int kmsg)
{
	char line[2048];
	ssize_t len;

	while ((len = read(kmsg, line, sizeof(line) - 1)) > 0 ||
	       (len < 0 && errno == EPIPE)) {
		line[len < 0 ? 0 : len] = 0;
		if (strstr(line, "WARNING:") || strstr(line, "allocation fail"))
			return true;
	}
	return false;
}

FIXTURE_TEARDOWN(scale)
{
	EXPECT_FALSE(complains(self->kmsg));
	close(self->kmsg);
	EXPECT_STREQ("", binder_teardown());
}

/* Sends new objects, from the first-th on, and reads all that this brings. */
static int send_new(struct peer *owner, __u64 first, size_t count)
{
	static struct flat_binder_object *objects;
	static binder_size_t *offsets;
	static char *in;
	int ret;

	if (!objects) {
		objects = arena_alloc(A_LARGE_MESSAGE * sizeof(*objects));
		offsets = arena_alloc(A_LARGE_MESSAGE * sizeof(*offsets));
		in = arena_alloc(ROOM);
	}
	for (size_t i = 0; i < count; i++) {
		objects[i] = local_object(first + i, 0, 0);
		offsets[i] = i * sizeof(*objects);
	}
	ret = peer_send(owner, BC_TRANSACTION,
			MSG(.flags = TF_ONE_WAY, .data = objects,
			    .size = count * sizeof(*objects),
			    .offsets = offsets,
			    .offsets_size = count * sizeof(*offsets)));
	while (!ret) {
		owner->bwr = (struct binder_write_read){
			.read_size = ROOM, .read_buffer = (__u64)in,
		};
		ret = peer_submit(owner);
	}
	return ret == -EAGAIN ? 0 : ret;
}

/* The index-th handle of the manager's last message */
static __u32 handle_in(struct peer *manager, size_t index)
{
	const struct flat_binder_object *objects =
		(void *)manager->txn.data.ptr.buffer;

	return objects[index].handle;
}

static void put(char *commands, size_t *len, const void *data, size_t size)
{
	if (*len + size > ROOM)
		die("too many commands");
	memcpy(commands + *len, data, size);
	*len += size;
}

/* A command about a handle, with the handle for a cookie if it has one */
static void put_for(char *commands, size_t *len, __u32 cmd, __u32 handle)
{
	__u64 cookie = handle;

	put(commands, len, &cmd, sizeof(cmd));
	put(commands, len, &handle, sizeof(handle));
	if (_IOC_SIZE(cmd) > sizeof(handle))
		put(commands, len, &cookie, sizeof(cookie));
}

static int submit(struct peer *peer, char *commands, size_t *len)
{
	peer->bwr = (struct binder_write_read){
		.write_size = *len, .write_buffer = (__u64)commands,
	};
	*len = 0;
	return peer_submit(peer);
}

/* Has the manager hold many objects; returns how many, for lack of time. */
static __u32 hold_many(struct peer *manager, struct peer *owner,
		       char *commands, size_t *len)
{
	long end = now_ms() + PATIENCE_MS;
	__u32 count = 0;

	while (count < NODES && now_ms() < end) {
		if (send_new(owner, 1 + count, A_MESSAGE))
			die("no more than %u nodes", count);
		must_read(manager, "NOOP TRANSACTION");
		for (int i = 0; i < A_MESSAGE; i++)
			put_for(commands, len, BC_ACQUIRE,
				handle_in(manager, i));
		if (submit(manager, commands, len) || peer_free_last(manager))
			die("acquiring handles failed");
		count += A_MESSAGE;
	}
	return count;
}

/* Items 126, 131 and 609. */
TEST_F(scale, nodes)
{
	__u32 count = hold_many(self->manager, self->owner, self->commands,
				&self->len);

	put_u32(self->manager, BC_RELEASE, count / 2);
	ASSERT_EQ(0, peer_write(self->manager));
	/* The lowest that is free comes next, and then one behind all. */
	for (__u32 i = 0; i < 2; i++) {
		ASSERT_EQ(0, send_new(self->owner, 1ULL << 40 | i, 1));
		must_read(self->manager, "NOOP TRANSACTION");
		EXPECT_EQ(i ? count + 1 : count / 2,
			  handle_in(self->manager, 0));
		put_u32(self->manager, BC_ACQUIRE, handle_in(self->manager, 0));
		ASSERT_EQ(0, peer_free_last(self->manager));
	}
	if (count < NODES)
		SKIP(return, "this machine is too slow for more than %u",
		     count);
}

/* Items 146, 155 and 609: each request is answered, once. */
TEST_F(scale, deaths)
{
	struct peer *manager = self->manager;
	__u32 count = hold_many(manager, self->owner, self->commands,
				&self->len);
	__u8 *told = arena_alloc(count + 1);
	__u32 deaths = 0, wrong = 0;

	for (__u32 handle = 1; handle <= count; handle++) {
		put_for(self->commands, &self->len,
			BC_REQUEST_DEATH_NOTIFICATION, handle);
		if (handle % A_MESSAGE == 0)
			ASSERT_EQ(0, submit(manager, self->commands,
					    &self->len));
	}
	task_kill(self->owner->task);
	while (deaths < count &&
	       !strcmp(read_late(manager), "NOOP DEAD_BINDER")) {
		__u64 cookie = manager->rets[1].cookie;

		wrong += cookie > count || told[cookie]++;
		deaths++;
		put_u64(manager, BC_DEAD_BINDER_DONE, cookie);
		ASSERT_EQ(0, peer_write(manager));
	}
	EXPECT_EQ(count, deaths);
	EXPECT_EQ(0, wrong);
	EXPECT_STREQ("EAGAIN", peer_read(manager));
	if (count < NODES)
		SKIP(return, "this machine is too slow for more than %u",
		     count);
}

/* Each allocation is a long affair in a kernel that looks for leaks. */
static __u32 less_if_slow(__u32 usual, __u32 less)
{
	return access("/sys/kernel/debug/kmemleak", F_OK) ? usual : less;
}

/* Items 119, 126 and 609. */
TEST_F(scale, large_message)
{
	__u32 count = less_if_slow(A_LARGE_MESSAGE, A_SMALLER_MESSAGE);

	for (__u32 round = 0; round < 3; round++) {
		ASSERT_EQ(0, send_new(self->owner, 1 + round * count, count));
		ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->manager));
		for (__u32 i = 0; i < count; i++)
			put_for(self->commands, &self->len, BC_ACQUIRE,
				handle_in(self->manager, i));
		ASSERT_EQ(0, submit(self->manager, self->commands,
				    &self->len));
		EXPECT_EQ((round + 1) * count,
			  handle_in(self->manager, count - 1));
		ASSERT_EQ(0, peer_free_last(self->manager));
	}
}

static long make_file(long unused, long unused2, long unused3)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Items 224, 231 and 609. */
TEST_F(scale, descriptors)
{
	__u32 count = less_if_slow(FILES, FEWER_FILES);
	struct rlimit limit = { count + 1000, count + 1000 };
	__u32 *fds = arena_alloc(count * sizeof(*fds));
	int fd = task_call(self->owner->task, make_file, 0, 0, 0);
	struct peer *manager = self->manager;
	struct sg *sg = SG;
	const __u32 *seen;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		SKIP(return, "so many files cannot be open here");
	for (__u32 i = 0; i < count; i++)
		fds[i] = fd;
	sg_fds(sg, count, sg_ptr(sg, fds, count * sizeof(*fds)), 0);
	ASSERT_EQ(0, sg_send(self->owner, BC_TRANSACTION_SG, MSG(), sg));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(manager));
	seen = (__u32 *)peer_ptr(manager, 0)->buffer;
	EXPECT_NE(-1, fcntl(seen[0], F_GETFD));
	EXPECT_LT(count, seen[count - 1]);
	EXPECT_NE(-1, fcntl(seen[count - 1], F_GETFD));
	fd = seen[count - 1];
	answer(manager, MSG());
	EXPECT_EQ(-1, fcntl(fd, F_GETFD));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
		     peer_read(self->owner));
}

TEST_HARNESS_MAIN
