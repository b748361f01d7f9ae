// SPDX-License-Identifier: GPL-2.0
/* Opening a device, what an open file is tied to, and how it ends. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define EXEC_FD "BINDER_TEST_FD"

FIXTURE(open)
{
	struct task *other;
};

FIXTURE_SETUP(open)
{
	binder_setup();
	self->other = task_fork();
}

FIXTURE_TEARDOWN(open)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Item 1. */
TEST_F(open, all_modes)
{
	static const int flags[] = {
		O_RDONLY, O_RDWR, O_WRONLY, O_RDONLY | O_NONBLOCK,
		O_RDWR | O_NONBLOCK,
	};
	struct binder_version version;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		fd = binder_open_at(binder_dir, BINDER_DEV, flags[i]);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, ioctl(fd, BINDER_VERSION, &version));
		close(fd);
	}
}

/* Item 2: two opens by one process know nothing of each other. */
TEST_F(open, opens_are_independent)
{
	struct peer *one = peer_open(NULL);
	struct peer *two = peer_open(NULL);

	EXPECT_NE(one->map, two->map);
	ASSERT_EQ(0, peer_send(one, BC_TRANSACTION, MSG()));
	EXPECT_STREQ("EAGAIN", peer_read(two));
	EXPECT_STREQ("NOOP DEAD_REPLY", peer_read(one));
	peer_close(one);
	EXPECT_EQ(0, peer_word(two, BC_ENTER_LOOPER));
}

/* Item 3. */
TEST_F(open, no_read_write_or_seek)
{
	struct peer *peer = peer_open(NULL);
	char byte = 0;

	EXPECT_EQ(-1, read(peer->fd, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(peer->fd, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, lseek(peer->fd, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
}

/* Runs in the program that the next test executes. */
__attribute__((constructor)) static void after_exec(void)
{
	const char *text = getenv(EXEC_FD);
	struct binder_version version = {};
	int fd, result = 0;

	if (!text)
		return;
	fd = atoi(text);
	if (ioctl(fd, BINDER_VERSION, &version) ||
	    version.protocol_version != 8)
		result |= 1;
	if (mmap(NULL, MAP_SIZE, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED)
		result |= 2;
	else if (errno != EINVAL)
		result |= 4;
	_exit(result);
}

/* Item 5: the file survives exec, but maps only where it was opened. */
TEST_F(open, exec)
{
	int status, fd = openat(binder_dir, BINDER_DEV, O_RDWR);
	char text[16];
	pid_t pid;

	ASSERT_LE(0, fd);
	snprintf(text, sizeof(text), "%d", fd);
	pid = fork();
	if (!pid) {
		close(fd);
		if (openat(binder_dir, BINDER_DEV, O_RDWR) != fd)
			_exit(99);
		setenv(EXEC_FD, text, 1);
		execl("/proc/self/exe", "open_test", NULL);
		_exit(98);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
	close(fd);
}

/* Items 6 and 26: a child may or may not use it, but not map it. */
TEST_F(open, inherited_by_a_child)
{
	struct peer *peer = peer_open_as(NULL, BINDER_DEV, O_RDWR, 0);
	struct binder_version version = {};
	int status, fd = peer->fd;
	__u32 max = 1;
	pid_t pid;

	pid = fork();
	if (!pid) {
		if (ioctl(fd, BINDER_VERSION, &version))
			_exit(1);
		if (ioctl(fd, BINDER_SET_MAX_THREADS, &max) && errno != EINVAL)
			_exit(2);
		if (mmap(NULL, MAP_SIZE, PROT_READ, MAP_PRIVATE, fd, 0) !=
		    MAP_FAILED || errno != EINVAL)
			_exit(3);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	/* The opener can map it still. */
	peer->map = mmap(NULL, MAP_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	peer->map_size = MAP_SIZE;
	EXPECT_NE(MAP_FAILED, peer->map);
}

/* Item 7: a close of any descriptor of the file wakes its readers. */
TEST_F(open, flush_wakes_readers)
{
	struct peer *peer = peer_open_as(NULL, BINDER_DEV, O_RDWR, MAP_SIZE);
	struct peer *reader = peer_thread(peer, task_thread());

	put_word(reader, BC_ENTER_LOOPER);
	peer_read_start(reader);
	close(dup(peer->fd));
	EXPECT_STREQ("NOOP", peer_read_finish(reader));
	EXPECT_EQ(4, reader->bwr.read_consumed);
}

/* Item 8: so does the exit of a child that has inherited it. */
TEST_F(open, exit_of_a_child_wakes_readers)
{
	struct peer *peer = peer_open_as(NULL, BINDER_DEV, O_RDWR, MAP_SIZE);
	struct peer *reader = peer_thread(peer, task_thread());
	int go[2], status;
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe2(go, O_CLOEXEC));
	pid = fork();
	if (!pid) {
		close(go[1]);
		_exit(read(go[0], &byte, 1));
	}
	put_word(reader, BC_ENTER_LOOPER);
	peer_read_start(reader);
	close(go[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_STREQ("NOOP", peer_read_finish(reader));
}

static void do_nothing(int sig)
{
}

/* Item 20. */
TEST_F(open, signal_ends_a_read)
{
	struct sigaction act = {
		.sa_handler = do_nothing, .sa_flags = SA_RESTART,
	};
	struct peer *peer = peer_open_as(NULL, BINDER_DEV, O_RDWR, MAP_SIZE);
	struct peer *reader = peer_thread(peer, task_thread());

	ASSERT_EQ(0, sigaction(SIGUSR1, &act, NULL));
	put_word(reader, BC_ENTER_LOOPER);
	peer_read_start(reader);
	task_signal(reader->task, SIGUSR1);
	EXPECT_STREQ("EINTR", peer_read_finish(reader));
	EXPECT_EQ(4, reader->bwr.write_consumed);
	EXPECT_EQ(0, reader->bwr.read_consumed);
}

/* Tries until the release, which is asynchronous, has happened. */
static const char *call_until_dead(struct peer *client)
{
	long deadline = now_ms() + 5000;
	const char *text;

	do {
		put_msg(client, BC_TRANSACTION, MSG(.code = 1));
		text = peer_write_read(client);
		if (!strcmp(text, "NOOP DEAD_REPLY"))
			return "dead";
		if (!strcmp(text, "EAGAIN"))
			text = peer_read(client);
		nap();
	} while (now_ms() < deadline);
	return text;
}

/* Item 9: a mapping keeps the file and so the manager. */
TEST_F(open, mapping_keeps_it_alive)
{
	struct peer *server = peer_open(self->other);
	struct peer *next = peer_open(NULL);

	ASSERT_EQ(0, peer_ioctl(server, BINDER_SET_CONTEXT_MGR, NULL));
	peer_close_fd(server);
	/* Would be free if the file had been released. */
	usleep(20000);
	EXPECT_EQ(-EBUSY, peer_ioctl(next, BINDER_SET_CONTEXT_MGR, NULL));
	peer_unmap(server);
	EXPECT_STREQ("dead", call_until_dead(next));
	EXPECT_EQ(0, peer_become_manager(next));
}

/* Item 9: so does a thread inside an ioctl. */
TEST_F(open, reader_keeps_it_alive)
{
	struct peer *server = peer_open_as(NULL, BINDER_DEV, O_RDWR, 0);
	struct peer *reader = peer_thread(server, task_thread());
	struct peer *next = peer_open(self->other);
	int spare = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ASSERT_EQ(0, peer_ioctl(server, BINDER_SET_CONTEXT_MGR, NULL));
	put_word(reader, BC_ENTER_LOOPER);
	peer_read_start(reader);
	close(spare);
	peer_close_fd(server);
	/* The close flushes; the woken reader is the last to hold the file. */
	EXPECT_STREQ("NOOP", peer_read_finish(reader));
	EXPECT_STREQ("dead", call_until_dead(next));
}

/* Item 10: release comes some time after the last close. */
TEST_F(open, release_after_close)
{
	struct peer *server = peer_manager(self->other);
	struct peer *client = peer_open(NULL);

	peer_close(server);
	EXPECT_STREQ("dead", call_until_dead(client));
}

/* Item 2: what is one node for the one is another for the other. */
TEST_F(open, opens_have_nodes_of_their_own)
{
	struct peer *registry = registry_open();
	struct peer *one = peer_open(NULL);
	struct peer *two = peer_open(NULL);
	__u32 handle;

	ASSERT_EQ(0, peer_word(one, BC_ENTER_LOOPER));
	ASSERT_EQ(0, peer_word(two, BC_ENTER_LOOPER));
	handle = registry_give(registry, one, two, 0x10, 1, 0);
	EXPECT_EQ(1, handle);
	EXPECT_EQ(1, registry_give(registry, two, one, 0x10, 2, 0));
	ASSERT_EQ(0, peer_send(two, BC_TRANSACTION, MSG(.handle = handle)));
	must_read(one, "NOOP TRANSACTION");
	EXPECT_EQ(1, one->txn.cookie);
	EXPECT_STREQ("EAGAIN", peer_read(two));
}

TEST_HARNESS_MAIN
