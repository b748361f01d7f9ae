// SPDX-License-Identifier: GPL-2.0
/*
 * A thread is woken for some work, and its read fails, or has no room, or the
 * thread leaves. Then another thread that sleeps gets the work, or its own next
 * read does; none is forgotten while somebody sleeps.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define OBJECT 0x30
#define COOKIE 0x77
#define BAD_POINTER 8

struct actors {
	struct peer *manager;
	struct peer *owner;	/* of what the server is told of */
	struct peer *server;
	struct peer *first;	/* threads of the server */
	struct peer *second;
	struct peer *client;
	__u32 handle;		/* the client's, of the server */
	__u32 other;		/* the client's, of another object there */
	__u32 owned;		/* the server's, of the owner */
	__u64 buffer;		/* which the next oneway waits for */
};

FIXTURE(wake)
{
	struct actors all;
};

/* The work: what is done before anybody sleeps, and what makes it come */
FIXTURE_VARIANT(wake)
{
	void (*prepare)(struct actors *all);
	void (*send)(struct actors *all);
	const char *text;
	/* A thread that is chosen for it may keep it for its next read. */
	bool is_kept;
};

static void send_call(struct actors *all)
{
	put_msg(all->client, BC_TRANSACTION, MSG(.handle = all->handle));
	if (peer_write(all->client))
		die("BC_TRANSACTION failed");
}

FIXTURE_VARIANT_ADD(wake, call)
{
	.send = send_call,
	.text = "NOOP TRANSACTION",
	.is_kept = true,
};

static void send_oneway(struct actors *all)
{
	put_msg(all->client, BC_TRANSACTION,
		MSG(.handle = all->handle, .flags = TF_ONE_WAY));
	if (peer_write(all->client))
		die("BC_TRANSACTION failed");
}

FIXTURE_VARIANT_ADD(wake, oneway)
{
	.send = send_oneway,
	.text = "NOOP TRANSACTION",
	.is_kept = true,
};

static void park_oneway(struct actors *all)
{
	send_oneway(all);
	send_oneway(all);
	must_read(all->second, "NOOP TRANSACTION");
	all->buffer = all->second->txn.data.ptr.buffer;
}

static void free_buffer(struct actors *all)
{
	if (peer_free(all->server, all->buffer))
		die("BC_FREE_BUFFER failed");
}

FIXTURE_VARIANT_ADD(wake, parked_oneway)
{
	.prepare = park_oneway,
	.send = free_buffer,
	.text = "NOOP TRANSACTION",
};

static void release_node(struct actors *all)
{
	registry_drop(all->client, all->other);
}

FIXTURE_VARIANT_ADD(wake, node_release)
{
	.send = release_node,
	.text = "NOOP RELEASE DECREFS",
};

static void ask_for_death(struct actors *all)
{
	put_handle_cookie(all->second, BC_REQUEST_DEATH_NOTIFICATION,
			  all->owned, COOKIE);
	if (peer_write(all->second))
		die("BC_REQUEST_DEATH_NOTIFICATION failed");
}

static void close_owner(struct actors *all)
{
	peer_close(all->owner);
	/* Its release comes some time later. */
	usleep(100000);
}

FIXTURE_VARIANT_ADD(wake, death)
{
	.prepare = ask_for_death,
	.send = close_owner,
	.text = "NOOP DEAD_BINDER",
};

static void ask_for_freezes(struct actors *all)
{
	put_handle_cookie(all->second, BC_REQUEST_FREEZE_NOTIFICATION,
			  all->owned, COOKIE);
	if (peer_write(all->second))
		die("BC_REQUEST_FREEZE_NOTIFICATION failed");
	must_read(all->second, "NOOP FROZEN_BINDER");
	put_u64(all->second, BC_FREEZE_NOTIFICATION_DONE, COOKIE);
	if (peer_write(all->second))
		die("BC_FREEZE_NOTIFICATION_DONE failed");
}

static void freeze_owner(struct actors *all)
{
	struct binder_freeze_info info = { task_pid(all->owner->task), 1, 0 };

	if (peer_ioctl(all->client, BINDER_FREEZE, &info))
		die("BINDER_FREEZE failed");
}

FIXTURE_VARIANT_ADD(wake, freeze)
{
	.prepare = ask_for_freezes,
	.send = freeze_owner,
	.text = "NOOP FROZEN_BINDER",
};

static void do_nothing(int sig)
{
}

static long catch_signal(long sig, long unused, long unused2)
{
	struct sigaction act = { .sa_handler = do_nothing };

	return sigaction(sig, &act, NULL);
}

static long run_on(long cpu, long unused, long unused2)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus) ? -errno : 0;
}

static struct peer *new_looper(struct peer *server)
{
	struct peer *looper = peer_thread(server, task_thread());

	if (task_call(looper->task, run_on, 0, 0, 0) ||
	    peer_word(looper, BC_ENTER_LOOPER))
		die("no looper");
	return looper;
}

/* The second goes to sleep before the first, so that the first is chosen. */
FIXTURE_SETUP(wake)
{
	struct actors *all = &self->all;

	binder_setup();
	all->manager = registry_open();
	all->handle = registry_pair(all->manager, &all->server, &all->client);
	all->other = registry_give(all->manager, all->server, all->client,
				   OBJECT, 0, 0);
	all->owner = peer_open(task_fork());
	all->owned = registry_give(all->manager, all->owner, all->server, 0x40,
				   0, 0);
	ASSERT_EQ(0, peer_ioctl(all->server, BINDER_THREAD_EXIT, NULL));
	all->first = new_looper(all->server);
	all->second = new_looper(all->server);
	ASSERT_EQ(0, task_call(all->first->task, catch_signal, SIGUSR1, 0, 0));
	if (variant->prepare)
		variant->prepare(all);
	peer_set_nonblock(all->server, false);
	peer_read_start(all->second);
}

static long close_copy(long fd, long unused, long unused2)
{
	return close(dup(fd)) ? -errno : 0;
}

FIXTURE_TEARDOWN(wake)
{
	struct actors *all = &self->all;

	/* The flush of any copy wakes a thread that still sleeps. */
	if (task_is_in(all->second->task, SYS_ioctl)) {
		EXPECT_EQ(0, task_call(all->server->task, close_copy,
				       all->server->fd, 0, 0));
		EXPECT_NE(-ETIMEDOUT, task_finish(all->second->task));
	}
	peer_set_nonblock(all->server, true);
	EXPECT_STREQ("", binder_teardown());
}

/* Waits for one to be woken, but not for long: what is lost does not come. */
static const char *woken(struct peer *thread)
{
	long end = now_ms() + 1000;

	while (task_is_in(thread->task, SYS_ioctl) && now_ms() < end)
		nap();
	if (task_is_in(thread->task, SYS_ioctl))
		return "it still sleeps";
	return peer_read_finish(thread);
}

/* Who has the work, if the first had this? "" if somebody */
static const char *lost(struct actors *all, const char *of_first,
			const char *text, bool is_kept)
{
	if (!strcmp(of_first, text))
		return "";
	of_first = woken(all->second);
	if (!strcmp(of_first, text))
		return "";
	if (!is_kept)
		return of_first;
	peer_set_nonblock(all->server, true);
	of_first = peer_read(all->first);
	return strcmp(of_first, text) ? of_first : "";
}

static bool is_set(bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

/* Keeps all but real-time tasks from a CPU. */
static long hog(long go_on, long unused, long unused2)
{
	struct sched_param param = { .sched_priority = 1 };
	bool *flag = (bool *)go_on;

	if (run_on(0, 0, 0) ||
	    sched_setscheduler(0, SCHED_FIFO, &param))
		return -errno;
	__atomic_store_n(flag, true, __ATOMIC_SEQ_CST);
	while (is_set(flag))
		;
	param.sched_priority = 0;
	return sched_setscheduler(0, SCHED_OTHER, &param) ? -errno : 0;
}

/*
 * Item 606: the first has a signal, and before it can run, it is chosen for the
 * work.
 */
TEST_F(wake, signal)
{
	bool *flag = arena_alloc(sizeof(*flag));
	struct task *hogger = task_thread();
	struct actors *all = &self->all;
	const char *text;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2 || run_on(1, 0, 0))
		SKIP(return, "this needs a second CPU");
	peer_read_start(all->first);
	task_start(hogger, hog, (long)flag, 0, 0);
	for (long end = now_ms() + 1000; !is_set(flag) && now_ms() < end;)
		nap();
	if (!is_set(flag))
		SKIP(return, "there are no real-time tasks");
	task_signal(all->first->task, SIGUSR1);
	variant->send(all);
	__atomic_store_n(flag, false, __ATOMIC_SEQ_CST);
	ASSERT_EQ(0, task_finish(hogger));
	text = peer_read_finish(all->first);
	EXPECT_TRUE(!strcmp(text, variant->text) || !strcmp(text, "EINTR"));
	EXPECT_STREQ("", lost(all, text, variant->text, variant->is_kept));
}

/* Item 606: the first does not want to wait. */
TEST_F(wake, no_waiting)
{
	struct actors *all = &self->all;

	peer_set_nonblock(all->server, true);
	EXPECT_STREQ("EAGAIN", peer_read(all->first));
	peer_set_nonblock(all->server, false);
	variant->send(all);
	EXPECT_STREQ("", lost(all, "EAGAIN", variant->text, variant->is_kept));
}

static long do_read(long self, long buffer, long size)
{
	struct peer *peer = (struct peer *)self;

	peer->bwr = (struct binder_write_read){
		.read_size = size, .read_buffer = buffer,
	};
	return ioctl(peer->fd, BINDER_WRITE_READ, &peer->bwr) ? -errno : 0;
}

static void start_read(struct peer *peer, __u64 buffer, size_t size)
{
	task_start(peer->task, do_read, (long)peer, buffer, size);
	/* It may fail at once, so that it does not block. */
	usleep(20000);
}

/* Items 84 and 606: the first can be told nothing at all. */
TEST_F(wake, bad_buffer)
{
	struct actors *all = &self->all;

	start_read(all->first, BAD_POINTER, 256);
	variant->send(all);
	EXPECT_EQ(-EFAULT, task_finish(all->first->task));
	EXPECT_STREQ("", lost(all, "EFAULT", variant->text, variant->is_kept));
}

/* Items 82 and 606: the first has room for BR_NOOP alone. */
TEST_F(wake, no_room)
{
	struct actors *all = &self->all;

	start_read(all->first, (__u64)all->first->in, 8);
	variant->send(all);
	EXPECT_EQ(0, task_finish(all->first->task));
	EXPECT_EQ(4, all->first->bwr.read_consumed);
	EXPECT_STREQ("", lost(all, "NOOP", variant->text, variant->is_kept));
}

/*
 * Items 48, 49, 267 and 606: and then it leaves. What was kept for it may go
 * with it; a caller is told.
 */
TEST_F(wake, exit)
{
	struct actors *all = &self->all;
	const char *text;

	start_read(all->first, (__u64)all->first->in, 8);
	variant->send(all);
	EXPECT_EQ(0, task_finish(all->first->task));
	ASSERT_EQ(0, peer_ioctl(all->first, BINDER_THREAD_EXIT, NULL));
	text = lost(all, "NOOP", variant->text, false);
	if (variant->is_kept && *text) {
		if (variant->send == send_call)
			text = peer_read(all->client);
		else
			text = "";
		if (!strcmp(text, "NOOP TRANSACTION_COMPLETE DEAD_REPLY"))
			text = "";
	}
	EXPECT_STREQ("", text);
}

TEST_HARNESS_MAIN
