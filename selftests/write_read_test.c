// SPDX-License-Identifier: GPL-2.0
/* BINDER_WRITE_READ: what is consumed, and what stops it. */

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "peer.h"

#define UNKNOWN_COMMAND _IO('c', 99)
/* No manager is there, so this fails at once. */
#define NOBODY MSG(.handle = 0)
#define NOBODY_SIZE (4 + sizeof(struct binder_transaction_data))

FIXTURE(write_read)
{
	struct task *other;
};

FIXTURE_SETUP(write_read)
{
	binder_setup();
	self->other = task_fork();
}

FIXTURE_TEARDOWN(write_read)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Queues one return of four bytes, BR_DEAD_REPLY. */
static void queue_error(struct peer *peer)
{
	if (peer_send(peer, BC_TRANSACTION, NOBODY))
		die("a transaction to nobody failed as an ioctl");
}

/* Item 73. */
TEST_F(write_read, nothing_to_do)
{
	struct peer *peer = peer_open(NULL);

	peer->bwr = (struct binder_write_read){
		.write_buffer = 8, .read_buffer = 8,
	};
	EXPECT_EQ(0, peer_submit(peer));
	EXPECT_EQ(0, peer->bwr.write_consumed);
	EXPECT_EQ(0, peer->bwr.read_consumed);
}

/* Items 74 and 110: the looper commands are taken in any order. */
TEST_F(write_read, looper_commands_are_consumed)
{
	struct peer *peer = peer_open(NULL);

	put_word(peer, BC_ENTER_LOOPER);
	put_word(peer, BC_REGISTER_LOOPER);
	put_word(peer, BC_EXIT_LOOPER);
	put_word(peer, BC_REGISTER_LOOPER);
	put_word(peer, BC_EXIT_LOOPER);
	put_word(peer, BC_ENTER_LOOPER);
	EXPECT_EQ(0, peer_write(peer));
	EXPECT_EQ(24, peer->bwr.write_consumed);
	EXPECT_STREQ("EAGAIN", peer_read(peer));
}

/* Item 74: the writes are done before the read. */
TEST_F(write_read, write_comes_before_read)
{
	struct peer *peer = peer_open(NULL);

	put_msg(peer, BC_TRANSACTION, NOBODY);
	EXPECT_STREQ("NOOP DEAD_REPLY", peer_write_read(peer));
	EXPECT_EQ(NOBODY_SIZE, peer->bwr.write_consumed);
	EXPECT_EQ(8, peer->bwr.read_consumed);
}

/* Items 75 and 87. */
TEST_F(write_read, unknown_command_stops_the_write)
{
	static const __u32 cmds[] = {
		UNKNOWN_COMMAND, BC_ATTEMPT_ACQUIRE, BC_ACQUIRE_RESULT, 0,
		BR_NOOP, _IO('c', 0),
	};
	struct peer *peer = peer_open(NULL);

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		put_word(peer, BC_ENTER_LOOPER);
		put_u64(peer, cmds[i], 0);
		put_word(peer, BC_ENTER_LOOPER);
		EXPECT_EQ(-EINVAL, peer_write(peer));
		EXPECT_EQ(4, peer->bwr.write_consumed) {
			TH_LOG("command %#x", cmds[i]);
		}
	}
}

/* Item 75: a failed write leaves no read, and read_consumed is set to 0. */
TEST_F(write_read, failed_write_does_not_read)
{
	struct peer *peer = peer_open(NULL);

	put_msg(peer, BC_TRANSACTION, NOBODY);
	ASSERT_EQ(0, peer_write(peer));
	put_word(peer, UNKNOWN_COMMAND);
	peer->bwr = (struct binder_write_read){
		.write_size = 4,
		.write_buffer = (__u64)peer->out,
		.read_size = sizeof(peer->in),
		.read_consumed = 5,
		.read_buffer = (__u64)peer->in,
	};
	memset(peer->in, 0x5a, sizeof(peer->in));
	/* The unread error comes first: only a read lets writes go on. */
	EXPECT_EQ(0, peer_submit(peer));
	EXPECT_EQ(0, peer->bwr.write_consumed);
	peer->bwr.write_consumed = 0;
	peer->bwr.read_consumed = 5;
	EXPECT_EQ(-EINVAL, peer_submit(peer));
	EXPECT_EQ(0, peer->bwr.write_consumed);
	EXPECT_EQ(0, peer->bwr.read_consumed);
	peer->out_len = 0;
}

/* Item 76. */
TEST_F(write_read, failed_read_reports_the_write)
{
	struct peer *peer = peer_open(NULL);

	put_word(peer, BC_ENTER_LOOPER);
	EXPECT_STREQ("EAGAIN", peer_write_read(peer));
	EXPECT_EQ(4, peer->bwr.write_consumed);
	EXPECT_EQ(0, peer->bwr.read_consumed);
}

/* Items 77 and 78. */
TEST_F(write_read, failed_transaction_holds_up_the_rest)
{
	struct peer *peer = peer_open(NULL);

	put_msg(peer, BC_TRANSACTION, NOBODY);
	put_word(peer, BC_ENTER_LOOPER);
	EXPECT_EQ(0, peer_write(peer));
	EXPECT_EQ(NOBODY_SIZE, peer->bwr.write_consumed);
	EXPECT_EQ(0, peer_word(peer, BC_ENTER_LOOPER));
	EXPECT_EQ(0, peer->bwr.write_consumed);
	EXPECT_STREQ("NOOP DEAD_REPLY", peer_read(peer));
	EXPECT_EQ(0, peer_word(peer, BC_ENTER_LOOPER));
	EXPECT_EQ(4, peer->bwr.write_consumed);
}

/* Item 78: one write and read delivers the error but takes no command. */
TEST_F(write_read, error_is_read_before_the_next_write)
{
	struct peer *peer = peer_open(NULL);

	queue_error(peer);
	put_word(peer, BC_ENTER_LOOPER);
	EXPECT_STREQ("NOOP DEAD_REPLY", peer_write_read(peer));
	EXPECT_EQ(0, peer->bwr.write_consumed);
	EXPECT_STREQ("EAGAIN", peer_read(peer));
}

/* Item 80. */
TEST_F(write_read, write_consumed_on_entry)
{
	struct peer *peer = peer_open(NULL);
	__u32 cmds[] = { UNKNOWN_COMMAND, BC_ENTER_LOOPER, BC_EXIT_LOOPER };

	peer->bwr = (struct binder_write_read){
		.write_size = sizeof(cmds),
		.write_consumed = sizeof(cmds) + 4,
		.write_buffer = (__u64)cmds,
	};
	EXPECT_EQ(0, peer_submit(peer));
	peer->bwr.write_consumed = sizeof(cmds);
	EXPECT_EQ(0, peer_submit(peer));
	peer->bwr.write_consumed = 4;
	EXPECT_EQ(0, peer_submit(peer));
	EXPECT_EQ(sizeof(cmds), peer->bwr.write_consumed);
	peer->bwr.write_consumed = 0;
	EXPECT_EQ(-EINVAL, peer_submit(peer));
	EXPECT_EQ(0, peer->bwr.write_consumed);
}

/* Item 81. */
TEST_F(write_read, read_consumed_on_entry)
{
	struct peer *peer = peer_open(NULL);
	__u32 *words = (__u32 *)peer->in;

	queue_error(peer);
	memset(peer->in, 0x5a, sizeof(peer->in));
	peer->bwr = (struct binder_write_read){
		.read_size = 256,
		.read_consumed = 8,
		.read_buffer = (__u64)peer->in,
	};
	EXPECT_EQ(0, peer_submit(peer));
	EXPECT_EQ(12, peer->bwr.read_consumed);
	EXPECT_EQ(0x5a5a5a5a, words[0]);
	EXPECT_EQ(0x5a5a5a5a, words[1]);
	EXPECT_EQ(BR_DEAD_REPLY, words[2]);
	EXPECT_EQ(0x5a5a5a5a, words[3]);
}

/* Item 82: no return is written into less than the room for the largest. */
TEST_F(write_read, small_read_leaves_the_work)
{
	static const size_t sizes[] = { 4, 5, 8, 12, 44, 76, 79 };
	struct peer *peer = peer_open(NULL);

	queue_error(peer);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		peer->bwr = (struct binder_write_read){
			.read_size = sizes[i],
			.read_buffer = (__u64)peer->in,
		};
		EXPECT_EQ(0, peer_submit(peer));
		EXPECT_EQ(4, peer->bwr.read_consumed) {
			TH_LOG("read_size %zu", sizes[i]);
		}
	}
	peer->bwr = (struct binder_write_read){
		.read_size = 80, .read_buffer = (__u64)peer->in,
	};
	EXPECT_EQ(0, peer_submit(peer));
	EXPECT_EQ(8, peer->bwr.read_consumed);
}

/* Items 83 and 412: whatever happens, nothing is written past the given size. */
TEST_F(write_read, tiny_read_stays_in_its_buffer)
{
	struct peer *peer = peer_open(NULL);
	int ret;

	if (!is_binder_safe())
		SKIP(return, "BETTER: the C driver writes past a buffer of 1 to 3 bytes");
	for (size_t size = 1; size < 4; size++) {
		memset(peer->in, 0x5a, 16);
		queue_error(peer);
		peer->bwr = (struct binder_write_read){
			.read_size = size, .read_buffer = (__u64)peer->in,
		};
		ret = peer_submit(peer);
		EXPECT_TRUE(ret || peer->bwr.read_consumed <= size);
		for (size_t i = size; i < 16; i++)
			EXPECT_EQ(0x5a, peer->in[i]);
		EXPECT_STREQ("NOOP DEAD_REPLY", peer_read(peer));
	}
}

/* Item 84. */
TEST_F(write_read, bad_read_buffer_keeps_the_work)
{
	struct peer *peer = peer_open(NULL);

	queue_error(peer);
	peer->bwr = (struct binder_write_read){
		.read_size = 256, .read_buffer = 8,
	};
	EXPECT_EQ(-EFAULT, peer_submit(peer));
	EXPECT_EQ(0, peer->bwr.read_consumed);
	EXPECT_STREQ("NOOP DEAD_REPLY", peer_read(peer));
}

/* Two pages, the second without access; returns the end of the first. */
static char *page_end(void)
{
	long size = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED || mprotect(pages + size, size, PROT_NONE))
		die("guarded page: %m");
	return pages + size;
}

/* Item 88: a command that reaches into unmapped memory. */
TEST_F(write_read, command_cut_by_a_page)
{
	static const __u32 cmds[] = {
		BC_TRANSACTION, BC_REPLY, BC_TRANSACTION_SG, BC_REPLY_SG,
		BC_FREE_BUFFER, BC_ACQUIRE, BC_INCREFS_DONE,
		BC_REQUEST_DEATH_NOTIFICATION, BC_DEAD_BINDER_DONE,
		BC_CLEAR_FREEZE_NOTIFICATION,
	};
	struct peer *peer = peer_open(NULL);
	char *end = page_end();
	__u32 words[2] = { BC_ENTER_LOOPER };

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		words[1] = cmds[i];
		for (size_t have = 0; have < _IOC_SIZE(cmds[i]); have += 4) {
			memset(end - have, 0, have);
			memcpy(end - have - 8, words, 8);
			peer->bwr = (struct binder_write_read){
				.write_size = 8 + _IOC_SIZE(cmds[i]),
				.write_buffer = (__u64)(end - have - 8),
			};
			EXPECT_EQ(-EFAULT, peer_submit(peer));
			EXPECT_EQ(4, peer->bwr.write_consumed) {
				TH_LOG("command %#x with %zu bytes", cmds[i],
				       have);
			}
		}
	}
	EXPECT_STREQ("EAGAIN", peer_read(peer));
}

/* Item 88: the buffer itself is nowhere. */
TEST_F(write_read, bad_write_buffer)
{
	struct peer *peer = peer_open(NULL);

	peer->bwr = (struct binder_write_read){
		.write_size = 4, .write_buffer = 8,
	};
	EXPECT_EQ(-EFAULT, peer_submit(peer));
	EXPECT_EQ(0, peer->bwr.write_consumed);
}

/* Item 89: stray bytes are ignored or refused, and what precedes is done. */
TEST_F(write_read, stray_bytes_after_the_last_command)
{
	struct peer *peer = peer_open(NULL);
	char *end = page_end();
	__u32 enter = BC_ENTER_LOOPER;
	int ret;

	for (size_t stray = 1; stray < 4; stray++) {
		memset(end - stray, 0, stray);
		memcpy(end - stray - 4, &enter, 4);
		peer->bwr = (struct binder_write_read){
			.write_size = 4 + stray,
			.write_buffer = (__u64)(end - stray - 4),
		};
		ret = peer_submit(peer);
		EXPECT_TRUE(ret == 0 || ret == -EFAULT) {
			TH_LOG("%zu stray bytes gave %d", stray, ret);
		}
		EXPECT_EQ(4, peer->bwr.write_consumed);
	}
}

/* Item 89: write_size ends inside a command whose rest can be read. */
TEST_F(write_read, command_cut_by_write_size)
{
	struct peer *peer = peer_open(NULL);
	int ret;

	put_word(peer, BC_ENTER_LOOPER);
	put_u64(peer, BC_FREE_BUFFER, 0);
	peer->bwr = (struct binder_write_read){
		.write_size = 8, .write_buffer = (__u64)peer->out,
	};
	ret = peer_submit(peer);
	EXPECT_EQ(ret ? 4 : 16, peer->bwr.write_consumed);
	EXPECT_TRUE(ret == 0 || ret == -EFAULT);
	peer->out_len = 0;
}

/* Item 19: O_NONBLOCK is looked at in each call. */
TEST_F(write_read, nonblock_is_read_per_call)
{
	struct task *thread = task_thread();
	struct peer *peer = peer_open(NULL);
	struct peer *reader = peer_thread(peer, thread);
	int dup_fd;

	ASSERT_EQ(0, peer_word(reader, BC_ENTER_LOOPER));
	EXPECT_STREQ("EAGAIN", peer_read(reader));
	peer_set_nonblock(peer, false);
	peer_read_start(reader);
	/* A flush of the file ends the wait. */
	dup_fd = dup(peer->fd);
	close(dup_fd);
	EXPECT_STREQ("NOOP", peer_read_finish(reader));
	peer_set_nonblock(peer, true);
	EXPECT_STREQ("EAGAIN", peer_read(reader));
}

TEST_HARNESS_MAIN
