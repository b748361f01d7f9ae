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
#include "netlink.h"
#include "race.h"

#define PAYLOAD 20000

FIXTURE(race)
{
};

FIXTURE_SETUP(race)
{
	binder_setup();
}

FIXTURE_TEARDOWN(race)
{
	EXPECT_STREQ("", binder_teardown());
}

static bool is_pattern(const char *data, size_t size, __u32 code)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] != (char)code)
			return false;
	return true;
}

/* Each racer is a process, so it has a payload of its own. */
static char payload[PAYLOAD];

/* The next message of a racer, whose payload repeats its code */
static void next_message(struct msg *msg)
{
	msg->code++;
	memset(payload, msg->code, msg->size);
}

/*
 * Calls handle 0; any end is right but none at all, and a failure for another
 * reason than that others have filled the server's area.
 */
static long caller(long self, long size, long unused)
{
	struct peer *racer = (struct peer *)self;
	struct msg msg = { .data = payload, .size = size, .raw = true };
	enum call_end end;

	if (racer_open(racer))
		return RACE_LOST;
	while (race_goes_on(racer)) {
		next_message(&msg);
		end = racer_call(racer, &msg);
		if (end == CALL_LOST)
			return race_lost(racer, "a call did not end");
		if (end == CALL_FAILED &&
		    strcmp(peer_error(racer), "FAILED_REPLY ENOSPC"))
			return race_lost(racer, "a call failed");
	}
	racer_close(racer);
	return 0;
}

/* Items 178 and 259: the target is released with calls on their way to it. */
TEST_F(race, calls_and_release)
{
	struct race races[] = {
		{ race_mayfly, 5 }, { race_mayfly, 50 }, { caller, 16 },
		{ caller, 16 }, { caller, PAYLOAD },
	};

	EXPECT_EQ(0, race_run(races, ARRAY_SIZE(races)));
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
	racer_serve_out(racer);
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
			steady, exits, task_thread(), racer_share(server),
		};
	for (int i = threads; i < threads + callers; i++)
		races[i] = (struct race){ caller, 100 * i };
}

/* One more thread of the server, with another loop */
static struct race beside(struct race *races, task_fn loop)
{
	return (struct race){
		loop, 0, task_thread(), racer_share(races[0].racer),
	};
}

/* Threads of the server exit with calls unanswered. */
TEST_F(race, calls_and_thread_exit)
{
	struct race races[5];

	serve_locally(races, 2, 3, 7);
	EXPECT_EQ(0, race_run(races, ARRAY_SIZE(races)));
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
	struct race races[3];

	serve_locally(races, 1, 1, 0);
	races[2] = beside(races, guesser);
	EXPECT_EQ(0, race_run(races, ARRAY_SIZE(races)));
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
	struct race races[5];

	serve_locally(races, 2, 2, 0);
	races[4] = beside(races, flusher);
	EXPECT_EQ(0, race_run(races, ARRAY_SIZE(races)));
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
	struct race races[5];

	serve_locally(races, 2, 1, 5);
	for (int i = 3; i < 5; i++)
		races[i] = beside(races, watcher);
	EXPECT_EQ(0, race_run(races, ARRAY_SIZE(races)));
	EXPECT_TRUE(race_survived());
}

/* A caller whose thread exits while its call is served. */
static long quitter(long self, long size, long unused)
{
	struct peer *racer = (struct peer *)self;
	struct msg msg = { .data = payload, .size = size, .raw = true };

	if (racer_open(racer))
		return RACE_LOST;
	while (race_goes_on(racer)) {
		next_message(&msg);
		if (peer_send(racer, BC_TRANSACTION, &msg))
			return race_lost(racer, "cannot send");
		for (__u32 i = 0; i < msg.code % 4; i++)
			sched_yield();
		ioctl(racer->fd, BINDER_THREAD_EXIT, 0);
	}
	racer_close(racer);
	return 0;
}

/* Item 533: buffers are freed while the threads exit that sent them. */
TEST_F(race, frees_and_thread_exit)
{
	struct race races[5];

	serve_locally(races, 2, 1, 0);
	races[3] = (struct race){ quitter, 16 };
	races[4] = (struct race){ quitter, 5000 };
	EXPECT_EQ(0, race_run(races, ARRAY_SIZE(races)));
	EXPECT_TRUE(race_survived());
}

/* Sends oneways and reads what becomes of them. */
static long poster(long self, long flags, long unused)
{
	struct peer *racer = (struct peer *)self;
	struct msg msg = { .flags = flags };

	if (racer_open(racer))
		return RACE_LOST;
	while (race_goes_on(racer)) {
		if (peer_send(racer, BC_TRANSACTION, &msg))
			return race_lost(racer, "cannot send");
		peer_read(racer);
	}
	racer_close(racer);
	return 0;
}

/* Item 535: reports about oneways that the frozen read meanwhile. */
TEST_F(race, reports_of_the_frozen)
{
	struct family family;
	struct race races[5];
	int reports;

	if (family_get(&family))
		SKIP(return, "no netlink family " BINDER_FAMILY_NAME);
	reports = reports_open(&family);
	ASSERT_LE(0, reports);
	serve_locally(races, 2, 0, 0);
	races[2] = (struct race){ poster, TF_ONE_WAY };
	races[3] = (struct race){ poster, TF_ONE_WAY | TF_UPDATE_TXN };
	races[4] = (struct race){ race_freezer, getpid() };
	EXPECT_EQ(0, race_run(races, ARRAY_SIZE(races)));
	EXPECT_TRUE(race_survived());
	close(reports);
}

/* All idle pages are taken away while messages arrive. */
TEST_F(race, reclaim)
{
	struct race races[5];

	serve_locally(races, 2, 2, 0);
	races[4] = (struct race){ race_reclaimer };
	EXPECT_EQ(0, race_run(races, ARRAY_SIZE(races)));
	EXPECT_TRUE(race_survived());
}

/* Freezing and thawing while calls come in: each ends, frozen or answered. */
TEST_F(race, freeze)
{
	struct race races[6];

	serve_locally(races, 2, 2, 0);
	for (int i = 4; i < 6; i++)
		races[i] = (struct race){ race_freezer, getpid() };
	EXPECT_EQ(0, race_run(races, ARRAY_SIZE(races)));
	EXPECT_TRUE(race_survived());
}

TEST_HARNESS_MAIN
