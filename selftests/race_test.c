// SPDX-License-Identifier: GPL-2.0
/* Calls against everything that can end them, at the same time. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "race.h"

#define PAYLOAD 20000

FIXTURE(race)
{
	struct race races[6];
};

FIXTURE_SETUP(race)
{
	binder_setup();
	for (int i = 0; i < 6; i++)
		self->races[i].racer = racer_new();
}

FIXTURE_TEARDOWN(race)
{
	EXPECT_STREQ("", binder_teardown());
}

/* A server that comes and goes: arg is how many reads it stays for. */
static long mayfly(long self, long reads, long unused)
{
	struct peer *racer = (struct peer *)self;

	while (race_goes_on(racer)) {
		if (racer_open(racer))
			return RACE_LOST;
		/* The last one may not be released yet. */
		while (ioctl(racer->fd, BINDER_SET_CONTEXT_MGR, 0) &&
		       race_goes_on(racer))
			sched_yield();
		peer_word(racer, BC_ENTER_LOOPER);
		for (int i = 0; i < reads; i++)
			racer_serve(racer);
		racer_close(racer);
	}
	return 0;
}

static bool is_pattern(const char *data, size_t size, __u32 code)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] != (char)code)
			return false;
	return true;
}

/* Calls handle 0; any end is right but a failure and none at all. */
static long caller(long self, long size, long unused)
{
	struct peer *racer = (struct peer *)self;
	struct msg msg = { .size = size, .raw = true };
	static char payload[PAYLOAD];
	enum call_end end;

	msg.data = payload;
	if (racer_open(racer))
		return RACE_LOST;
	while (race_goes_on(racer)) {
		msg.code++;
		memset(payload, msg.code, size);
		end = racer_call(racer, &msg);
		if (end == CALL_LOST || end == CALL_FAILED)
			return race_lost(racer, "a call did not end well");
	}
	racer_close(racer);
	return 0;
}

/* The target is released with calls on their way to it. */
TEST_F(race, calls_and_release)
{
	static const int reads[] = { 5, 50 };

	for (int i = 0; i < 2; i++)
		self->races[i] = (struct race){
			task_fork(), mayfly, self->races[i].racer, reads[i],
		};
	for (int i = 2; i < 5; i++)
		self->races[i] = (struct race){
			task_fork(), caller, self->races[i].racer,
			i == 4 ? PAYLOAD : 16,
		};
	EXPECT_EQ(0, race_run(self->races, 5));
	EXPECT_TRUE(race_survived());
}

/* A thread of a server that stays, checking what it gets */
static long steady(long self, long exits, long unused)
{
	struct peer *racer = (struct peer *)self;
	const char *data;

	peer_word(racer, BC_ENTER_LOOPER);
	for (int i = 1; race_goes_on(racer); i++) {
		memset(&racer->txn, 0, sizeof(racer->txn));
		if (!strcmp(peer_read(racer), "EAGAIN")) {
			sched_yield();
			continue;
		}
		data = (const char *)racer->txn.data.ptr.buffer;
		if (!data)
			continue;
		if (!is_pattern(data, racer->txn.data_size, racer->txn.code))
			return race_lost(racer, "the payload is damaged");
		if (exits && i % exits == 0) {
			ioctl(racer->fd, BINDER_THREAD_EXIT, 0);
			peer_word(racer, BC_ENTER_LOOPER);
		} else {
			put_msg(racer, BC_REPLY, MSG());
		}
		peer_free(racer, racer->txn.data.ptr.buffer);
	}
	/* Who still waits is let go. */
	for (int i = 0; i < 200; i++)
		racer_serve(racer);
	ioctl(racer->fd, BINDER_THREAD_EXIT, 0);
	return 0;
}

/* Sets up threads of one local server and callers in other processes. */
static void serve_locally(struct race *races, int threads, int callers,
			  long exits)
{
	struct peer *server = peer_manager(NULL);

	/* The main thread does not take part. */
	if (peer_ioctl(server, BINDER_THREAD_EXIT, NULL))
		die("BINDER_THREAD_EXIT failed");
	for (int i = 0; i < threads; i++)
		races[i] = (struct race){
			task_thread(), steady, racer_share(server), exits,
		};
	for (int i = threads; i < threads + callers; i++)
		races[i] = (struct race){
			task_fork(), caller, races[i].racer, 100 * i,
		};
}

/* Threads of the server exit with calls unanswered. */
TEST_F(race, calls_and_thread_exit)
{
	serve_locally(self->races, 2, 3, 7);
	/* Callers stop first, so that nobody waits for the servers. */
	EXPECT_EQ(0, race_run(self->races, 5));
	EXPECT_TRUE(race_survived());
}

/* Frees addresses where undelivered messages are likely to be. */
static long guesser(long self, long unused, long unused2)
{
	struct peer *racer = (struct peer *)self;

	while (race_goes_on(racer)) {
		for (int i = 0; i < 8; i++)
			put_u64(racer, BC_FREE_BUFFER,
				(__u64)racer->map + i * 104);
		peer_write(racer);
	}
	return 0;
}

/* Item 513: a buffer is freed by a guess while it is being filled. */
TEST_F(race, guessed_frees)
{
	serve_locally(self->races, 1, 1, 0);
	self->races[2].task = task_thread();
	self->races[2].loop = guesser;
	self->races[2].racer = racer_share(self->races[0].racer);
	EXPECT_EQ(0, race_run(self->races, 3));
	EXPECT_TRUE(race_survived());
}

static long flusher(long self, long unused, long unused2)
{
	struct peer *racer = (struct peer *)self;

	while (race_goes_on(racer)) {
		close(dup(racer->fd));
		sched_yield();
	}
	return 0;
}

/* Descriptors of the server are closed all the time: spurious wake-ups only. */
TEST_F(race, flushes)
{
	serve_locally(self->races, 2, 2, 0);
	self->races[4].task = task_thread();
	self->races[4].loop = flusher;
	self->races[4].racer = racer_share(self->races[0].racer);
	EXPECT_EQ(0, race_run(self->races, 5));
	EXPECT_TRUE(race_survived());
}

/* Watches the device, exits as a binder thread, closes the epoll. */
static long watcher(long self, long unused, long unused2)
{
	struct peer *racer = (struct peer *)self;
	struct epoll_event event = { .events = EPOLLIN };
	int epoll;

	for (int i = 0; race_goes_on(racer); i++) {
		epoll = epoll_create1(EPOLL_CLOEXEC);
		epoll_ctl(epoll, EPOLL_CTL_ADD, racer->fd, &event);
		epoll_wait(epoll, &event, 1, 0);
		if (i % 2)
			epoll_ctl(epoll, EPOLL_CTL_DEL, racer->fd, NULL);
		ioctl(racer->fd, BINDER_THREAD_EXIT, 0);
		close(epoll);
	}
	return 0;
}

/* Item 515: poll against the end of threads. */
TEST_F(race, epoll_and_thread_exit)
{
	serve_locally(self->races, 2, 1, 5);
	for (int i = 3; i < 5; i++) {
		self->races[i].task = task_thread();
		self->races[i].loop = watcher;
		self->races[i].racer = racer_share(self->races[0].racer);
	}
	EXPECT_EQ(0, race_run(self->races, 5));
	EXPECT_TRUE(race_survived());
}

static long reclaimer(long self, long unused, long unused2)
{
	struct peer *racer = (struct peer *)self;
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	while (race_goes_on(racer))
		if (write(fd, "2", 1) != 1)
			return race_lost(racer, "drop_caches failed");
	close(fd);
	return 0;
}

/* All idle pages are taken away while messages arrive. */
TEST_F(race, reclaim)
{
	serve_locally(self->races, 2, 2, 0);
	self->races[4].task = task_fork();
	self->races[4].loop = reclaimer;
	EXPECT_EQ(0, race_run(self->races, 5));
	EXPECT_TRUE(race_survived());
}

static long freezer(long self, long pid, long unused)
{
	struct peer *racer = (struct peer *)self;
	struct binder_freeze_info info = { .pid = pid };

	if (racer_open(racer))
		return RACE_LOST;
	for (int i = 0; race_goes_on(racer); i++) {
		info.enable = i % 2;
		info.timeout_ms = i % 3;
		ioctl(racer->fd, BINDER_FREEZE, &info);
	}
	info.enable = 0;
	if (ioctl(racer->fd, BINDER_FREEZE, &info))
		return race_lost(racer, "cannot thaw");
	racer_close(racer);
	return 0;
}

/* Freezing and thawing while calls come in: each ends, frozen or answered. */
TEST_F(race, freeze)
{
	serve_locally(self->races, 2, 2, 0);
	for (int i = 4; i < 6; i++)
		self->races[i] = (struct race){
			task_fork(), freezer, self->races[i].racer, getpid(),
		};
	EXPECT_EQ(0, race_run(self->races, 6));
	EXPECT_TRUE(race_survived());
}

TEST_HARNESS_MAIN
