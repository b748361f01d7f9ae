// SPDX-License-Identifier: GPL-2.0
/* Calls between threads that sleep in their reads, while signals wake them. */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "race.h"

#define SERVERS 2
#define CALLERS 2
#define ANSWER_MS 8000

/* What all of them see; in the arena. */
struct state {
	int callers;			/* that still call */
	int servers;			/* that still serve */
	int sent;			/* oneway messages */
	int taken;
	bool late;			/* signals come when all calls are over */
};

static struct task *targets[SERVERS + CALLERS];

FIXTURE(race_sleep)
{
	struct state *state;
	struct race races[SERVERS + CALLERS + 1];
};

static int count(int *which)
{
	return __atomic_load_n(which, __ATOMIC_SEQ_CST);
}

static void change(int *which, int by)
{
	__atomic_fetch_add(which, by, __ATOMIC_SEQ_CST);
}

static void ignore(int sig)
{
}

static long catch_signal(long sig, long unused, long unused2)
{
	return signal(sig, ignore) == SIG_ERR;
}

/* Whether the answer to call code is among the returns, or RACE_LOST */
static long answered(struct peer *racer, __u32 code)
{
	long found = 0;

	for (int i = 0; i < racer->nr_rets; i++) {
		switch (racer->rets[i].cmd) {
		case BR_NOOP:
		case BR_TRANSACTION_COMPLETE:
			break;
		case BR_REPLY:
			if (found || racer->txn.code != code)
				return race_lost(racer, "not the answer");
			put_u64(racer, BC_FREE_BUFFER,
				racer->txn.data.ptr.buffer);
			found = 1;
			break;
		default:
			return race_lost(racer, "a call did not end well");
		}
	}
	return found;
}

/* A call, which ends once and with its own answer, and sometimes a message. */
static long call(struct peer *racer, struct state *state, __u32 code)
{
	long deadline = now_ms() + ANSWER_MS, found = 0;
	const char *text;

	if (code % 4 == 1) {
		put_msg(racer, BC_TRANSACTION,
			MSG(.flags = TF_ONE_WAY, .code = code));
		change(&state->sent, 1);
	}
	put_msg(racer, BC_TRANSACTION, MSG(.code = code));
	text = peer_write_read(racer);
	for (;;) {
		if (strcmp(text, "EINTR"))
			found = answered(racer, code);
		if (found)
			return found < 0 ? found : peer_write(racer);
		if (now_ms() > deadline)
			return race_lost(racer, "no answer");
		text = peer_read(racer);
	}
}

static long caller(long self, long arg, long unused)
{
	struct peer *racer = (struct peer *)self;
	struct state *state = (struct state *)arg;
	long ret = racer_open(racer);

	if (!ret)
		fcntl(racer->fd, F_SETFL, 0);
	for (__u32 code = 1; !ret && race_goes_on(racer); code++)
		ret = call(racer, state, code);
	racer_close(racer);
	change(&state->callers, -1);
	return ret;
}

static void serve(struct peer *racer, struct state *state)
{
	for (int i = 0; i < racer->nr_rets; i++) {
		if (racer->rets[i].cmd != BR_TRANSACTION)
			continue;
		if (racer->txn.flags & TF_ONE_WAY)
			change(&state->taken, 1);
		else
			put_msg(racer, BC_REPLY, MSG(.code = racer->txn.code));
		put_u64(racer, BC_FREE_BUFFER, racer->txn.data.ptr.buffer);
	}
	if (racer->out_len)
		peer_write(racer);
}

/* A thread of the server, until all was answered */
static long server(long self, long arg, long unused)
{
	struct peer *racer = (struct peer *)self;
	struct state *state = (struct state *)arg;
	long deadline = racer->until + ANSWER_MS, ret = 0;

	peer_word(racer, BC_ENTER_LOOPER);
	while (count(&state->callers) ||
	       count(&state->taken) < count(&state->sent)) {
		if (strcmp(peer_read(racer), "EINTR"))
			serve(racer, state);
		if (now_ms() > deadline) {
			ret = race_lost(racer, "not all has come");
			break;
		}
	}
	ioctl(racer->fd, BINDER_THREAD_EXIT, 0);
	change(&state->servers, -1);
	return ret;
}

/* Sends signals to all others. */
static long disturber(long self, long arg, long unused)
{
	struct state *state = (struct state *)arg;

	while (count(&state->servers)) {
		for (int i = 0; i < SERVERS + CALLERS; i++)
			if (!state->late || !count(&state->callers))
				task_signal(targets[i], SIGUSR1);
		usleep(300);
	}
	return 0;
}

FIXTURE_VARIANT(race_sleep)
{
	bool late;
};

FIXTURE_VARIANT_ADD(race_sleep, signals)
{
	.late = false,
};

FIXTURE_VARIANT_ADD(race_sleep, no_signals)
{
	.late = true,
};

FIXTURE_SETUP(race_sleep)
{
	struct peer *manager;
	int i;

	binder_setup();
	self->state = arena_alloc(sizeof(*self->state));
	*self->state = (struct state){
		.callers = CALLERS,
		.servers = SERVERS,
		.late = variant->late,
	};
	manager = peer_manager(NULL);
	peer_set_nonblock(manager, false);
	/* The main thread does not take part. */
	if (peer_ioctl(manager, BINDER_THREAD_EXIT, NULL))
		die("BINDER_THREAD_EXIT failed");
	for (i = 0; i < SERVERS + CALLERS; i++) {
		targets[i] = i < SERVERS ? task_thread() : task_fork();
		self->races[i] = (struct race){
			.task = targets[i],
			.loop = i < SERVERS ? server : caller,
			.racer = i < SERVERS ? racer_share(manager) :
				 racer_new(),
			.arg = (long)self->state,
		};
		if (task_call(targets[i], catch_signal, SIGUSR1, 0, 0))
			die("signal failed");
	}
	self->races[i] = (struct race){
		.task = task_thread(),
		.loop = disturber,
		.racer = racer_new(),
		.arg = (long)self->state,
	};
}

FIXTURE_TEARDOWN(race_sleep)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Each call is answered once, and no message is lost, whoever wakes up when. */
TEST_F(race_sleep, calls)
{
	EXPECT_EQ(0, race_run(self->races, SERVERS + CALLERS + 1));
	EXPECT_EQ(self->state->sent, self->state->taken);
	EXPECT_LT(0, self->state->sent);
	EXPECT_TRUE(race_survived());
}

TEST_HARNESS_MAIN
