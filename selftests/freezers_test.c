// SPDX-License-Identifier: GPL-2.0
/*
 * What listeners and callers know after attempts to freeze: the last word is
 * the true state, whatever was read meanwhile and however many tried.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define COOKIE 0xc00c1e

FIXTURE(freezers)
{
	struct peer *manager;
	struct peer *owner;	/* the one to be frozen */
	struct peer *client;
	struct peer *caller;	/* whose calls keep the owner from freezing */
	struct peer *first;
	struct peer *second;
	__u32 handle;		/* the client's */
	__u32 target;		/* the caller's */
};

FIXTURE_SETUP(freezers)
{
	binder_setup();
	self->manager = registry_open();
	self->owner = peer_open(task_fork());
	self->client = peer_open(NULL);
	self->caller = peer_open(NULL);
	self->first = peer_open(task_fork());
	self->second = peer_open(task_fork());
	ASSERT_EQ(0, peer_word(self->owner, BC_ENTER_LOOPER));
	ASSERT_EQ(0, peer_word(self->client, BC_ENTER_LOOPER));
	self->handle = registry_give(self->manager, self->owner, self->client,
				     0x10, 0, 0);
	self->target = registry_give(self->manager, self->owner, self->caller,
				     0x20, 0, 0);
}

FIXTURE_TEARDOWN(freezers)
{
	EXPECT_STREQ("", binder_teardown());
}

static int freeze(struct peer *freezer, struct peer *owner, bool on,
		  __u32 timeout_ms)
{
	struct binder_freeze_info info = {
		task_pid(owner->task), on, timeout_ms,
	};

	return peer_ioctl(freezer, BINDER_FREEZE, &info);
}

/* An attempt that waits */
static void start_freeze(struct peer *freezer, struct peer *owner,
			 __u32 timeout_ms)
{
	struct binder_freeze_info *info = arena_alloc(sizeof(*info));

	*info = (struct binder_freeze_info){
		task_pid(owner->task), 1, timeout_ms,
	};
	peer_ioctl_start(freezer, BINDER_FREEZE, info);
}

static void subscribe(struct peer *client, __u32 handle)
{
	put_handle_cookie(client, BC_REQUEST_FREEZE_NOTIFICATION, handle,
			  COOKIE);
	if (peer_write(client))
		die("BC_REQUEST_FREEZE_NOTIFICATION failed");
}

/* Reads and acknowledges one state, "frozen", or gives what came instead. */
static const char *state(struct peer *client)
{
	bool frozen;

	if (strcmp(peer_read(client), "NOOP FROZEN_BINDER"))
		return client->text;
	frozen = client->rets[1].frozen.is_frozen;
	put_u64(client, BC_FREEZE_NOTIFICATION_DONE, COOKIE);
	if (peer_write(client))
		return "BC_FREEZE_NOTIFICATION_DONE fails";
	return frozen ? "frozen" : "thawed";
}

/* The last of the states that there are, or what the listener knew before */
static const char *last_state(struct peer *client, const char *known)
{
	const char *text = state(client);

	while (!strcmp(text, "frozen") || !strcmp(text, "thawed")) {
		known = text;
		text = state(client);
	}
	return strcmp(text, "EAGAIN") ? text : known;
}

/* How things really are, which a oneway can tell */
static const char *truth(struct peer *client, __u32 handle)
{
	put_msg(client, BC_TRANSACTION,
		MSG(.handle = handle, .flags = TF_ONE_WAY));
	peer_write_read(client);
	if (!strcmp(client->text, "NOOP TRANSACTION_COMPLETE"))
		return "thawed";
	if (!strcmp(client->text, "NOOP TRANSACTION_PENDING_FROZEN"))
		return "frozen";
	return client->text;
}

static void call(struct peer *caller, __u32 target)
{
	put_msg(caller, BC_TRANSACTION, MSG(.handle = target));
	if (peer_write(caller))
		die("BC_TRANSACTION failed");
}

/* Ends the call that holds up freezers. */
static void end_call(struct peer *owner, struct peer *caller)
{
	must_read(owner, "NOOP TRANSACTION");
	answer(owner, MSG());
	must_read(caller, "NOOP TRANSACTION_COMPLETE REPLY");
}

/* Items 167 and 610: "thawed" is pending, and is read during an attempt. */
TEST_F(freezers, read_during_an_attempt)
{
	const char *known;

	subscribe(self->client, self->handle);
	ASSERT_STREQ("thawed", state(self->client));
	ASSERT_EQ(0, freeze(self->client, self->owner, true, 0));
	ASSERT_STREQ("frozen", state(self->client));
	ASSERT_EQ(0, freeze(self->client, self->owner, false, 0));
	call(self->caller, self->target);
	start_freeze(self->first, self->owner, 500);
	known = last_state(self->client, "frozen");
	EXPECT_EQ(-EAGAIN, task_finish(self->first->task));
	EXPECT_STREQ("thawed", last_state(self->client, known));
	EXPECT_STREQ("thawed", truth(self->client, self->handle));
}

/* Item 610: so if the attempt ends with a signal. */
TEST_F(freezers, read_during_an_attempt_that_is_given_up)
{
	const char *known;

	ASSERT_EQ(0, freeze(self->client, self->owner, true, 0));
	subscribe(self->client, self->handle);
	ASSERT_STREQ("frozen", state(self->client));
	ASSERT_EQ(0, freeze(self->client, self->owner, false, 0));
	call(self->caller, self->target);
	start_freeze(self->first, self->owner, 60000);
	known = last_state(self->client, "frozen");
	task_kill(self->first->task);
	EXPECT_STREQ("thawed", last_state(self->client, known));
	end_call(self->owner, self->caller);
	EXPECT_STREQ("thawed", truth(self->client, self->handle));
	EXPECT_STREQ("thawed", last_state(self->client, known));
}

/* Items 156 and 414: the first state is asked for during an attempt. */
TEST_F(freezers, request_during_an_attempt)
{
	const char *known;

	if (!is_binder_safe())
		SKIP(return, "BETTER: C tells what is only attempted");
	call(self->caller, self->target);
	start_freeze(self->first, self->owner, 500);
	subscribe(self->client, self->handle);
	known = last_state(self->client, "nothing");
	EXPECT_EQ(-EAGAIN, task_finish(self->first->task));
	EXPECT_STREQ("thawed", last_state(self->client, known));
	EXPECT_STREQ("thawed", truth(self->client, self->handle));
}

/* Items 158 and 610: a state is acknowledged during an attempt. */
TEST_F(freezers, done_during_an_attempt)
{
	const char *known;

	subscribe(self->client, self->handle);
	ASSERT_STREQ("thawed", state(self->client));
	ASSERT_EQ(0, freeze(self->client, self->owner, true, 0));
	must_read(self->client, "NOOP FROZEN_BINDER");
	ASSERT_EQ(0, freeze(self->client, self->owner, false, 0));
	call(self->caller, self->target);
	start_freeze(self->first, self->owner, 500);
	put_u64(self->client, BC_FREEZE_NOTIFICATION_DONE, COOKIE);
	ASSERT_EQ(0, peer_write(self->client));
	known = last_state(self->client, "frozen");
	EXPECT_EQ(-EAGAIN, task_finish(self->first->task));
	EXPECT_STREQ("thawed", last_state(self->client, known));
}

/*
 * Items 62, 414 and 610: two at once, of which the first fails and the second
 * says that it has frozen the owner, or that it has not.
 */
TEST_F(freezers, two_at_once)
{
	const char *known, *end;

	if (!is_binder_safe())
		SKIP(return, "BETTER: in C the longer one takes it for frozen");
	subscribe(self->client, self->handle);
	ASSERT_STREQ("thawed", state(self->client));
	call(self->caller, self->target);
	start_freeze(self->first, self->owner, 60000);
	ASSERT_EQ(-EAGAIN, freeze(self->second, self->owner, true, 50));
	known = last_state(self->client, "thawed");
	end_call(self->owner, self->caller);
	end = task_finish(self->first->task) ? "thawed" : "frozen";
	EXPECT_STREQ(end, last_state(self->client, known));
	EXPECT_STREQ(end, truth(self->client, self->handle));
}

/* Items 63, 414 and 610: one thaws while another still tries. */
TEST_F(freezers, thawed_during_an_attempt)
{
	const char *known, *end;

	if (!is_binder_safe())
		SKIP(return, "BETTER: in C the other takes it for frozen");
	subscribe(self->client, self->handle);
	ASSERT_STREQ("thawed", state(self->client));
	call(self->caller, self->target);
	start_freeze(self->first, self->owner, 60000);
	ASSERT_EQ(0, freeze(self->second, self->owner, false, 0));
	known = last_state(self->client, "thawed");
	end_call(self->owner, self->caller);
	end = task_finish(self->first->task) ? "thawed" : "frozen";
	EXPECT_STREQ(end, last_state(self->client, known));
	EXPECT_STREQ(end, truth(self->client, self->handle));
}

/*
 * Items 46, 47 and 56: a thread leaves that serves a call and makes another;
 * neither keeps its process from freezing.
 */
TEST_F(freezers, left_with_a_call_out)
{
	call(self->caller, self->target);
	must_read(self->owner, "NOOP TRANSACTION");
	call(self->owner, 0);
	ASSERT_EQ(0, peer_ioctl(self->owner, BINDER_THREAD_EXIT, NULL));
	EXPECT_EQ(0, freeze(self->client, self->owner, true, 0));
	EXPECT_STREQ("frozen", truth(self->client, self->handle));
}

static void do_nothing(int sig)
{
}

static long catch_signal(long sig, long flags, long unused)
{
	struct sigaction act = { .sa_handler = do_nothing, .sa_flags = flags };

	return sigaction(sig, &act, NULL);
}

/* Item 611: a handler with SA_RESTART does not end an attempt. */
TEST_F(freezers, restarted)
{
	ASSERT_EQ(0, task_call(self->first->task, catch_signal, SIGUSR1,
			       SA_RESTART, 0));
	call(self->caller, self->target);
	start_freeze(self->first, self->owner, 60000);
	for (int i = 0; i < 5; i++) {
		task_signal(self->first->task, SIGUSR1);
		usleep(10000);
		ASSERT_TRUE(task_blocks_in(self->first->task, SYS_ioctl));
	}
	end_call(self->owner, self->caller);
	EXPECT_EQ(0, task_finish(self->first->task));
	EXPECT_STREQ("frozen", truth(self->client, self->handle));
}

TEST_HARNESS_MAIN
