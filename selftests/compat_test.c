// SPDX-License-Identifier: GPL-2.0
/* Item 70: the 32-bit entry to the ioctls; all structs are as for 64 bits. */

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define GETPID_32 20
#define IOCTL_32 54
#define LOW_SIZE 4096
#ifndef MAP_32BIT
#define MAP_32BIT 0
#endif

static long ioctl_32(int fd, unsigned int cmd, void *arg)
{
	long ret = IOCTL_32;

#ifdef __x86_64__
	asm volatile("int $0x80"
		     : "+a" (ret)
		     : "b" (fd), "c" (cmd), "d" (arg)
		     : "memory", "r8", "r9", "r10", "r11");
#endif
	return (int)ret;
}

/* Whether the kernel has this entry; getpid() is a safe way to ask. */
static bool has_32_bit_entry(void)
{
	long ret = GETPID_32;

#ifdef __x86_64__
	asm volatile("int $0x80"
		     : "+a" (ret) : : "memory", "r8", "r9", "r10", "r11");
#endif
	return ret == getpid();
}

FIXTURE(compat)
{
	char *low;		/* memory below 4 GiB */
};

FIXTURE_SETUP(compat)
{
	binder_setup();
	if (!has_32_bit_entry())
		SKIP(return, "no 32-bit system calls from 64-bit programs");
	self->low = mmap(NULL, LOW_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(MAP_FAILED, self->low);
}

FIXTURE_TEARDOWN(compat)
{
	EXPECT_STREQ("", binder_teardown());
}

TEST_F(compat, version)
{
	struct binder_version *version = (void *)self->low;
	struct peer *peer = peer_open(NULL);

	ASSERT_EQ(0, ioctl_32(peer->fd, BINDER_VERSION, version));
	EXPECT_EQ(8, version->protocol_version);
	EXPECT_EQ(-EINVAL, ioctl_32(peer->fd, _IO('b', 99), version));
}

TEST_F(compat, write_read)
{
	struct binder_write_read *bwr = (void *)self->low;
	__u32 *cmds = (void *)(self->low + 256);
	__u32 *in = (void *)(self->low + 1024);
	struct peer *peer = peer_open(NULL);

	cmds[0] = BC_ENTER_LOOPER;
	cmds[1] = BC_TRANSACTION;
	memset(cmds + 2, 0, sizeof(struct binder_transaction_data));
	*bwr = (struct binder_write_read){
		.write_size = 8 + sizeof(struct binder_transaction_data),
		.write_buffer = (__u64)cmds,
		.read_size = 256,
		.read_buffer = (__u64)in,
	};
	ASSERT_EQ(0, ioctl_32(peer->fd, BINDER_WRITE_READ, bwr));
	EXPECT_EQ(72, bwr->write_consumed);
	ASSERT_EQ(8, bwr->read_consumed);
	EXPECT_EQ(BR_NOOP, in[0]);
	EXPECT_EQ(BR_DEAD_REPLY, in[1]);
}

/* Commands in low memory, through the 32-bit entry */
static int write_32(struct peer *peer, char *low, size_t size)
{
	struct binder_write_read *bwr = (void *)low;

	*bwr = (struct binder_write_read){
		.write_size = size, .write_buffer = (__u64)(low + 256),
	};
	return ioctl_32(peer->fd, BINDER_WRITE_READ, bwr);
}

/* Item 534: with as many objects as fit into a word that is cut in half */
TEST_F(compat, objects_are_released_once)
{
	struct binder_transaction_data *send = (void *)(self->low + 260);
	struct flat_binder_object *objs = (void *)(self->low + 1024);
	binder_size_t *offsets = (void *)(self->low + 1280);
	__u32 *cmd = (void *)(self->low + 256);
	struct peer *server, *client;
	__u32 handle = registry_pair(registry_open(), &server, &client);

	for (int i = 0; i < 4; i++) {
		objs[i] = remote_object(handle);
		offsets[i] = i * sizeof(*objs);
	}
	for (int i = 0; i < 100; i++) {
		*cmd = BC_TRANSACTION;
		*send = (struct binder_transaction_data){
			.target.handle = handle,
			.flags = TF_ONE_WAY,
			.data_size = 4 * sizeof(*objs),
			.offsets_size = 4 * sizeof(*offsets),
			.data.ptr = { (__u64)objs, (__u64)offsets },
		};
		ASSERT_EQ(0, write_32(client, self->low, 4 + sizeof(*send)));
		must_read(client, "NOOP TRANSACTION_COMPLETE");
		must_read(server, "NOOP TRANSACTION");
		*cmd = BC_FREE_BUFFER;
		memcpy(cmd + 1, &server->txn.data.ptr.buffer, 8);
		ASSERT_EQ(0, write_32(server, self->low, 12));
		EXPECT_STREQ("1 1", node_refs(server, 0x10));
	}
	EXPECT_STREQ("EAGAIN", peer_read(server));
}

/* Item 291: binder-control, too. */
TEST_F(compat, control)
{
	struct binderfs_device *dev = (void *)self->low;
	int fd = binder_open_at(binder_dir, "binder-control", O_RDONLY);

	ASSERT_LE(0, fd);
	snprintf(dev->name, sizeof(dev->name), "compat");
	ASSERT_EQ(0, ioctl_32(fd, BINDER_CTL_ADD, dev));
	close(fd);
	peer_open_as(NULL, "compat", O_RDWR | O_NONBLOCK, MAP_SIZE);
}

TEST_HARNESS_MAIN
