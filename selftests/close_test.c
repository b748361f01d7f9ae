// SPDX-License-Identifier: GPL-2.0
/*
 * Closing one of several descriptors of a file, as a child does that was
 * forked by a process with a device open: all threads return from their next
 * read, and the one that closes is not kept by what they do then.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define LIMIT_MS 5000

FIXTURE(close)
{
	struct peer *server;
	struct peer *sleeper;	/* threads of the server */
	struct peer *other;
};

FIXTURE_SETUP(close)
{
	binder_setup();
	self->server = peer_manager(NULL);
	self->sleeper = peer_thread(self->server, task_thread());
	self->other = peer_thread(self->server, task_thread());
	ASSERT_EQ(0, peer_word(self->sleeper, BC_ENTER_LOOPER));
	ASSERT_EQ(0, peer_word(self->other, BC_ENTER_LOOPER));
	peer_set_nonblock(self->server, false);
}

FIXTURE_TEARDOWN(close)
{
	EXPECT_STREQ("", binder_teardown());
}

static long close_copy(long fd, long unused, long unused2)
{
	return close(dup(fd)) ? -errno : 0;
}

static bool exec_child(void)
{
	int status, null;
	pid_t pid = fork();

	if (!pid) {
		null = open("/dev/null", O_RDWR);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execl("/proc/self/exe", "close_test", "-l", NULL);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) != 127;
}

/* Items 7 and 603: who sleeps, and who comes later. */
TEST_F(close, of_a_copy)
{
	for (int i = 0; i < 20; i++) {
		peer_read_start(self->sleeper);
		ASSERT_EQ(0, close_copy(self->server->fd, 0, 0));
		ASSERT_STREQ("NOOP", peer_read_finish(self->sleeper));
		/* This one's read is after the close. */
		ASSERT_STREQ("NOOP", peer_read(self->other));
	}
}

/* Items 8 and 603. */
TEST_F(close, by_a_child_that_execs)
{
	for (int i = 0; i < 5; i++) {
		peer_read_start(self->sleeper);
		ASSERT_TRUE(exec_child());
		ASSERT_STREQ("NOOP", peer_read_finish(self->sleeper));
		ASSERT_STREQ("NOOP", peer_read(self->other));
	}
}

#define WORDS 0x100000
#define ROUNDS 10

/* In the thread: many commands, and then a read without end */
static long write_at_length(long self, long words, long count)
{
	struct peer *peer = (struct peer *)self;

	peer->bwr = (struct binder_write_read){
		.write_size = count * sizeof(__u32),
		.write_buffer = words,
		.read_size = sizeof(peer->in),
		.read_buffer = (__u64)peer->in,
	};
	return ioctl(peer->fd, BINDER_WRITE_READ, &peer->bwr) ? -errno : 0;
}

/* Item 603: a thread that is busy meanwhile does not sleep after it. */
TEST_F(close, while_one_writes)
{
	__u32 *words = arena_alloc(WORDS * sizeof(*words));
	int finished = 0;

	for (int i = 0; i < WORDS; i++)
		words[i] = BC_ENTER_LOOPER;
	for (int i = 0; i < ROUNDS && finished == i; i++) {
		task_start(self->other->task, write_at_length,
			   (long)self->other, (long)words, WORDS);
		usleep(1000);
		ASSERT_EQ(0, close_copy(self->server->fd, 0, 0));
		finished += !strcmp("NOOP", peer_read_finish(self->other));
	}
	EXPECT_EQ(ROUNDS, finished);
	EXPECT_EQ(WORDS * sizeof(*words), self->other->bwr.write_consumed);
}

/* What the threads of the next test share */
struct crowd {
	int fd;
	bool stop;
	unsigned long reads;
};

#define RECORDS 2000
#define READERS 64

/* Leaves a record of its thread, which ends without a word. */
static void *pass_by(void *arg)
{
	struct crowd *crowd = arg;
	struct binder_version version;

	return (void *)(long)ioctl(crowd->fd, BINDER_VERSION, &version);
}

/* Reads again whenever a read is over. */
static void *read_on(void *arg)
{
	struct crowd *crowd = arg;
	__u32 in[64];

	while (!__atomic_load_n(&crowd->stop, __ATOMIC_RELAXED)) {
		struct binder_write_read bwr = {
			.read_size = sizeof(in), .read_buffer = (__u64)in,
		};

		ioctl(crowd->fd, BINDER_WRITE_READ, &bwr);
		__atomic_fetch_add(&crowd->reads, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Item 603: one pass over the threads, whatever they do. */
TEST_F(close, among_many_readers)
{
	struct crowd crowd = { .fd = self->server->fd };
	struct task *closer = task_thread();
	pthread_t threads[READERS], thread;
	long start, ret = 0;
	void *failed;

	for (int i = 0; i < RECORDS; i++) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, pass_by, &crowd));
		ASSERT_EQ(0, pthread_join(thread, &failed));
		ASSERT_EQ(NULL, failed);
	}
	for (int i = 0; i < READERS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, read_on,
					    &crowd));
	usleep(100000);
	start = now_ms();
	for (int i = 0; i < 10 && !ret; i++)
		ret = task_call(closer, close_copy, crowd.fd, 0, 0);
	EXPECT_EQ(0, ret);
	EXPECT_GT(LIMIT_MS, now_ms() - start);
	/* Each close ends each read once. */
	__atomic_store_n(&crowd.stop, true, __ATOMIC_RELAXED);
	if (ret)
		_exit(KSFT_FAIL);
	usleep(100000);
	EXPECT_GE(11 * (READERS + 1), crowd.reads);
	close_copy(crowd.fd, 0, 0);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
}

TEST_HARNESS_MAIN
