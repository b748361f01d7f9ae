// SPDX-License-Identifier: GPL-2.0
/* The mapping: who may make it, what it may become, what it shows. */

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "peer.h"

#define MIB (1024 * 1024UL)

FIXTURE(mmap)
{
	struct task *other;
};

FIXTURE_SETUP(mmap)
{
	binder_setup();
	self->other = task_fork();
}

FIXTURE_TEARDOWN(mmap)
{
	EXPECT_STREQ("", binder_teardown());
}

static struct peer *open_unmapped(struct task *task)
{
	return peer_open_as(task, BINDER_DEV, O_RDWR | O_NONBLOCK, 0);
}

/* Returns 0 or the errno of an mmap(), whose result goes to the peer. */
static int try_mmap(struct peer *peer, size_t size, int prot, int flags)
{
	char *map = mmap(NULL, size, prot, flags, peer->fd, 0);

	if (map == MAP_FAILED)
		return errno;
	peer->map = map;
	peer->map_size = size;
	return 0;
}

static int try_mprotect(struct peer *peer, int prot)
{
	return mprotect(peer->map, peer->map_size, prot) ? errno : 0;
}

/* Item 23. */
TEST_F(mmap, never_writable)
{
	struct peer *peer = open_unmapped(NULL);
	int rw = PROT_READ | PROT_WRITE;

	EXPECT_EQ(EPERM, try_mmap(peer, MAP_SIZE, rw, MAP_PRIVATE));
	EXPECT_EQ(EPERM, try_mmap(peer, MAP_SIZE, rw, MAP_SHARED));
	ASSERT_EQ(0, try_mmap(peer, MAP_SIZE, PROT_READ, MAP_PRIVATE));
	EXPECT_EQ(EACCES, try_mprotect(peer, rw));
	EXPECT_EQ(0, try_mprotect(peer, PROT_NONE));
	EXPECT_EQ(0, try_mprotect(peer, PROT_READ));
}

/* Item 24: binderfs itself allows no execution. */
TEST_F(mmap, never_executable)
{
	struct peer *peer = open_unmapped(NULL);
	int rx = PROT_READ | PROT_EXEC;

	EXPECT_EQ(EPERM, try_mmap(peer, MAP_SIZE, rx, MAP_PRIVATE));
	ASSERT_EQ(0, try_mmap(peer, MAP_SIZE, PROT_READ, MAP_PRIVATE));
	EXPECT_EQ(EACCES, try_mprotect(peer, rx));
}

/* Item 25: one mapping for each open, for ever. */
TEST_F(mmap, only_once)
{
	struct peer *peer = open_unmapped(NULL);

	ASSERT_EQ(0, try_mmap(peer, MAP_SIZE, PROT_READ, MAP_PRIVATE));
	EXPECT_EQ(EBUSY, try_mmap(peer, MAP_SIZE, PROT_READ, MAP_PRIVATE));
	EXPECT_EQ(EBUSY, try_mmap(peer, 4096, PROT_READ, MAP_SHARED));
	peer_unmap(peer);
	EXPECT_EQ(EBUSY, try_mmap(peer, MAP_SIZE, PROT_READ, MAP_PRIVATE));
}

/* Item 25. */
TEST_F(mmap, inaccessible_mapping_counts)
{
	struct peer *peer = open_unmapped(NULL);

	ASSERT_EQ(0, try_mmap(peer, MAP_SIZE, PROT_NONE, MAP_PRIVATE));
	EXPECT_EQ(EBUSY, try_mmap(peer, MAP_SIZE, PROT_READ, MAP_PRIVATE));
}

/* Items 23 and 35: shared or private, odd sizes and offsets. */
TEST_F(mmap, shapes)
{
	struct peer *shared = open_unmapped(NULL);
	struct peer *odd = open_unmapped(NULL);
	struct peer *offset = open_unmapped(NULL);

	EXPECT_EQ(0, try_mmap(shared, MAP_SIZE, PROT_READ, MAP_SHARED));
	EXPECT_EQ(0, try_mmap(odd, 4097, PROT_READ, MAP_PRIVATE));
	offset->map = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, offset->fd,
			   3 * sysconf(_SC_PAGESIZE));
	offset->map_size = 8192;
	EXPECT_NE(MAP_FAILED, offset->map);
}

/* Item 26: another address space than the opener's cannot map it. */
TEST_F(mmap, not_by_a_child)
{
	struct peer *peer = open_unmapped(NULL);
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(try_mmap(peer, MAP_SIZE, PROT_READ, MAP_PRIVATE));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(EINVAL, WEXITSTATUS(status));
	EXPECT_EQ(0, try_mmap(peer, MAP_SIZE, PROT_READ, MAP_PRIVATE));
}

/* Item 27: of a large mapping, 4 MiB can be used. */
TEST_F(mmap, four_mib_at_most)
{
	struct peer *server = peer_open_as(self->other, BINDER_DEV,
					   O_RDWR | O_NONBLOCK, 8 * MIB);
	struct peer *client = peer_open(NULL);
	char *data = arena_alloc(4 * MIB + 8);

	memset(data, 0x5a, 4 * MIB + 8);
	ASSERT_EQ(0, peer_ioctl(server, BINDER_SET_CONTEXT_MGR, NULL));
	ASSERT_EQ(0, peer_word(server, BC_ENTER_LOOPER));
	put_msg(client, BC_TRANSACTION, MSG(.data = data, .size = 4 * MIB + 8));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(client));
	put_msg(client, BC_TRANSACTION, MSG(.data = data, .size = 4 * MIB));
	EXPECT_STREQ("EAGAIN", peer_write_read(client));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(server->map, (char *)server->txn.data.ptr.buffer);
	EXPECT_EQ(4 * MIB, server->txn.data_size);
	EXPECT_EQ(0x5a, *(char *)peer_peek(server, (__u64)server->map +
					   4 * MIB - 1, 1));
}

/* Item 28: what holds no buffer cannot be touched. */
TEST_F(mmap, unused_pages_fault)
{
	struct peer *server = peer_open_as(NULL, BINDER_DEV,
					   O_RDWR | O_NONBLOCK, 8 * MIB);
	struct peer *client = peer_open(self->other);
	long page = sysconf(_SC_PAGESIZE);

	EXPECT_EQ(SIGBUS, peer_touch(server, server->map));
	EXPECT_EQ(SIGBUS, peer_touch(server, server->map + 4 * MIB));
	EXPECT_EQ(SIGBUS, peer_touch(server, server->map + 8 * MIB - 1));
	ASSERT_EQ(0, peer_ioctl(server, BINDER_SET_CONTEXT_MGR, NULL));
	ASSERT_EQ(0, peer_word(server, BC_ENTER_LOOPER));
	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION,
			       MSG(.data = arena_alloc(2 * page),
				   .size = page + 900)));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(0, peer_touch(server, server->map));
	EXPECT_EQ(0, peer_touch(server, server->map + page + 899));
	EXPECT_EQ(SIGBUS, peer_touch(server, server->map + 2 * page));
}

/* Item 29: a child does not inherit the mapping. */
TEST_F(mmap, not_copied_by_fork)
{
	struct peer *peer = peer_open(NULL);
	int status;
	pid_t pid = fork();

	if (!pid) {
		memcpy(peer->copy, peer->map, 1);
		_exit(peer->copy[0]);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGSEGV, WTERMSIG(status));
	EXPECT_EQ(-1, madvise(peer->map, peer->map_size, MADV_DOFORK));
	EXPECT_EQ(EINVAL, errno);
}

/* Item 30: not even by the back door; reading is allowed. */
TEST_F(mmap, no_forced_write)
{
	struct peer *server = peer_manager(NULL);
	struct peer *client = peer_open(self->other);
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char word[5] = "evil";
	struct iovec local = { word, 5 }, remote = { server->map, 5 };

	ASSERT_LE(0, mem);
	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION,
			       MSG(.data = "good", .size = 5)));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(-1, pwrite(mem, word, 5, (off_t)server->map));
	EXPECT_EQ(EIO, errno);
	EXPECT_STREQ("good", peer_string(server));
	EXPECT_EQ(5, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_STREQ("good", word);
	close(mem);
}

/* Item 35: one page is a whole mapping. */
TEST_F(mmap, one_page)
{
	long page = sysconf(_SC_PAGESIZE);
	struct peer *server = peer_open_as(self->other, BINDER_DEV,
					   O_RDWR | O_NONBLOCK, page);
	struct peer *client = peer_open(NULL);
	char *data = arena_alloc(2 * page);

	ASSERT_EQ(0, peer_ioctl(server, BINDER_SET_CONTEXT_MGR, NULL));
	ASSERT_EQ(0, peer_word(server, BC_ENTER_LOOPER));
	put_msg(client, BC_TRANSACTION, MSG(.data = data, .size = page + 1));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(client));
	put_msg(client, BC_TRANSACTION, MSG(.data = data, .size = page));
	EXPECT_STREQ("EAGAIN", peer_write_read(client));
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(server));
}

static const char *call(struct peer *client)
{
	put_msg(client, BC_TRANSACTION, MSG());
	return peer_write_read(client);
}

/* Item 32: a hole in the mapping is the end of it. */
TEST_F(mmap, partly_unmapped)
{
	struct peer *server = peer_manager(NULL);
	struct peer *client = peer_open(self->other);
	long page = sysconf(_SC_PAGESIZE);
	int ret = munmap(server->map + page, page);

	/* A driver may refuse to have its mapping split. */
	if (ret) {
		EXPECT_EQ(EINVAL, errno);
		EXPECT_STREQ("EAGAIN", call(client));
		return;
	}
	EXPECT_STREQ("NOOP DEAD_REPLY", call(client));
}

/* Items 32 and 509: a moved mapping likewise. */
TEST_F(mmap, moved)
{
	struct peer *server = peer_manager(NULL);
	struct peer *client = peer_open(self->other);
	char *to = mmap(NULL, MAP_SIZE, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *map = mremap(server->map, MAP_SIZE, MAP_SIZE,
			   MREMAP_MAYMOVE | MREMAP_FIXED, to);

	if (map == MAP_FAILED) {
		EXPECT_STREQ("EAGAIN", call(client));
		return;
	}
	server->map = map;
	EXPECT_STREQ("NOOP DEAD_REPLY", call(client));
}

/* Item 32: if it can grow at all, what is new holds nothing. */
TEST_F(mmap, grown)
{
	struct peer *server = peer_manager(NULL);
	struct peer *client = peer_open(self->other);
	char *map = mremap(server->map, MAP_SIZE, 2 * MAP_SIZE, MREMAP_MAYMOVE);
	char *data = arena_alloc(2 * MAP_SIZE);

	if (map != MAP_FAILED) {
		server->map = map;
		server->map_size = 2 * MAP_SIZE;
		EXPECT_EQ(SIGBUS, peer_touch(server, map + MAP_SIZE));
	}
	put_msg(client, BC_TRANSACTION, MSG(.data = data,
					    .size = 2 * MAP_SIZE));
	EXPECT_STRNE("EAGAIN", peer_write_read(client));
}

/* Item 35: half of the page is for oneways, and calls may have the rest. */
TEST_F(mmap, half_a_page_of_oneways)
{
	long page = sysconf(_SC_PAGESIZE);
	struct peer *server = peer_open_as(self->other, BINDER_DEV,
					   O_RDWR | O_NONBLOCK, page);
	struct peer *client = peer_open(NULL);
	char *data = arena_alloc(page);
	struct msg half = { .data = data, .size = page / 2,
			    .flags = TF_ONE_WAY };

	ASSERT_EQ(0, peer_ioctl(server, BINDER_SET_CONTEXT_MGR, NULL));
	put_msg(client, BC_TRANSACTION, &half);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_write_read(client));
	half.size = 0;
	put_msg(client, BC_TRANSACTION, &half);
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(client));
	EXPECT_STREQ("FAILED_REPLY ENOSPC", peer_error(client));
	put_msg(client, BC_TRANSACTION, MSG(.data = data, .size = page / 2));
	EXPECT_STREQ("EAGAIN", peer_write_read(client));
}

/* Item 35: a length is rounded up to pages, an offset is not looked at. */
TEST_F(mmap, odd_length_at_an_offset)
{
	struct peer *server = open_unmapped(NULL);
	struct peer *client = peer_open(self->other);
	long page = sysconf(_SC_PAGESIZE);
	char *data = arena_alloc(2 * page);

	server->map = mmap(NULL, page + 1, PROT_READ, MAP_PRIVATE, server->fd,
			   5 * page);
	ASSERT_NE(MAP_FAILED, server->map);
	server->map_size = 2 * page;
	data[2 * page - 1] = 'x';
	ASSERT_EQ(0, peer_ioctl(server, BINDER_SET_CONTEXT_MGR, NULL));
	ASSERT_EQ(0, peer_word(server, BC_ENTER_LOOPER));
	put_msg(client, BC_TRANSACTION, MSG(.data = data, .size = 2 * page));
	EXPECT_STREQ("EAGAIN", peer_write_read(client));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(server));
	EXPECT_EQ(server->map, (char *)server->txn.data.ptr.buffer);
	EXPECT_EQ('x', server->map[2 * page - 1]);
}

TEST_HARNESS_MAIN
