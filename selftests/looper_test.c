// SPDX-License-Identifier: GPL-2.0
/* Thread pools: who is given work and when a new looper is asked for. */

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "peer.h"

FIXTURE(looper)
{
	struct peer *server;	/* its main looper */
	struct peer *client;
};

FIXTURE_SETUP(looper)
{
	binder_setup();
	self->client = peer_open(task_fork());
	self->server = peer_manager(NULL);
}

FIXTURE_TEARDOWN(looper)
{
	EXPECT_STREQ("", binder_teardown());
}

static void set_max(struct peer *server, __u32 max)
{
	if (peer_ioctl(server, BINDER_SET_MAX_THREADS, &max))
		die("BINDER_SET_MAX_THREADS failed");
}

static void call(struct peer *client)
{
	if (peer_send(client, BC_TRANSACTION, MSG()))
		die("BC_TRANSACTION failed");
}

static const char *answer(struct peer *looper)
{
	put_msg(looper, BC_REPLY, MSG());
	put_u64(looper, BC_FREE_BUFFER, looper->txn.data.ptr.buffer);
	return peer_write_read(looper);
}

/* A call from its start to its end; what the server read, or what went wrong */
static const char *serve(struct peer *client, struct peer *server)
{
	static char text[128];

	call(client);
	snprintf(text, sizeof(text), "%s", peer_read(server));
	if (strcmp("NOOP TRANSACTION_COMPLETE", answer(server)))
		return server->text;
	if (strcmp("NOOP TRANSACTION_COMPLETE REPLY", peer_read(client)))
		return client->text;
	return text;
}

static struct peer *new_thread(struct peer *server, __u32 cmd)
{
	struct peer *thread = peer_thread(server, task_thread());

	if (cmd && peer_word(thread, cmd))
		die("the looper command failed");
	return thread;
}

/* Item 191: with the default maximum of 0 no thread is asked for. */
TEST_F(looper, none_by_default)
{
	for (int i = 0; i < 3; i++) {
		EXPECT_STREQ("NOOP TRANSACTION",
			     serve(self->client, self->server));
	}
}

/* Items 189 and 191: one request, in the first word, until it is answered. */
TEST_F(looper, one_request_at_a_time)
{
	set_max(self->server, 4);
	EXPECT_STREQ("EAGAIN", peer_read(self->server));
	EXPECT_STREQ("SPAWN_LOOPER TRANSACTION",
		     serve(self->client, self->server));
	call(self->client);
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(self->server));
}

/* Item 189: a request can come with any return. */
TEST_F(looper, request_with_a_completion)
{
	call(self->client);
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	set_max(self->server, 1);
	EXPECT_STREQ("SPAWN_LOOPER TRANSACTION_COMPLETE", answer(self->server));
}

/*
 * Item 190: where returns begin is said by the reader, who has no BR_NOOP to
 * write the request over.
 */
TEST_F(looper, request_with_read_consumed)
{
	__u32 *in = (__u32 *)self->server->in;

	set_max(self->server, 1);
	call(self->client);
	memset(in, 0, 64);
	self->server->bwr = (struct binder_write_read){
		.read_size = sizeof(self->server->in),
		.read_consumed = 8,
		.read_buffer = (__u64)in,
	};
	ASSERT_EQ(0, peer_submit(self->server));
	EXPECT_TRUE(in[0] == 0 || in[0] == BR_SPAWN_LOOPER);
	EXPECT_EQ(0, in[1]);
	EXPECT_EQ(BR_TRANSACTION, in[2]);
}

/*
 * A thread that waits with room for BR_NOOP alone, so that it is given what is
 * sent, and leaves it unread.
 */
static struct peer *leave_unread(struct peer *server, struct peer *client,
				 const struct msg *msg)
{
	struct peer *thread = new_thread(server, BC_ENTER_LOOPER);

	peer_set_nonblock(server, false);
	thread->bwr = (struct binder_write_read){
		.read_size = 8, .read_buffer = (__u64)thread->in,
	};
	peer_ioctl_start(thread, BINDER_WRITE_READ, &thread->bwr);
	if (peer_send(client, BC_TRANSACTION, msg) ||
	    task_finish(thread->task))
		die("a thread with little room does not return");
	peer_set_nonblock(server, true);
	return thread;
}

/* Item 49: it may be lost, and later ones for its node; calls go on. */
TEST_F(looper, exit_with_an_unread_oneway)
{
	struct peer *thread = leave_unread(self->server, self->client,
					   MSG(.flags = TF_ONE_WAY));

	ASSERT_EQ(0, peer_ioctl(thread, BINDER_THREAD_EXIT, NULL));
	if (strcmp("NOOP TRANSACTION", peer_read(self->server)))
		EXPECT_STREQ("EAGAIN", self->server->text);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(self->client));
	EXPECT_STREQ("NOOP TRANSACTION",
		     serve(self->client, self->server));
}

/* Item 267: a call for a thread that ends is served, or ends with the server. */
TEST_F(looper, end_with_an_unread_call)
{
	struct peer *thread = leave_unread(self->server, self->client, MSG());
	long deadline = now_ms() + RELEASE_TIMEOUT_MS;
	__u32 end = 0;

	task_kill(thread->task);
	if (!strcmp("NOOP TRANSACTION", peer_read(self->server)))
		EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", answer(self->server));
	peer_close(self->server);
	do {
		nap();
		if (strcmp("EAGAIN", peer_read(self->client)))
			end = self->client->rets[self->client->nr_rets - 1].cmd;
	} while (end != BR_REPLY && end != BR_DEAD_REPLY &&
		 now_ms() < deadline);
	EXPECT_TRUE(end == BR_REPLY || end == BR_DEAD_REPLY) {
		TH_LOG("the caller reads %s", self->client->text);
	}
}

/* Items 192 and 193: as many as allowed, and those that exit still count. */
TEST_F(looper, registered_threads_are_counted)
{
	struct peer *thread;

	set_max(self->server, 2);
	call(self->client);
	EXPECT_STREQ("SPAWN_LOOPER TRANSACTION", peer_read(self->server));
	thread = new_thread(self->server, BC_REGISTER_LOOPER);
	EXPECT_STREQ("SPAWN_LOOPER TRANSACTION_COMPLETE", answer(self->server));
	ASSERT_EQ(0, peer_ioctl(thread, BINDER_THREAD_EXIT, NULL));
	new_thread(self->server, BC_REGISTER_LOOPER);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
		     peer_read(self->client));
	for (int i = 0; i < 3; i++) {
		EXPECT_STREQ("NOOP TRANSACTION",
			     serve(self->client, self->server));
	}
}

/* Item 38: a higher maximum brings requests again. */
TEST_F(looper, raised_maximum)
{
	set_max(self->server, 1);
	call(self->client);
	EXPECT_STREQ("SPAWN_LOOPER TRANSACTION", peer_read(self->server));
	new_thread(self->server, BC_REGISTER_LOOPER);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", answer(self->server));
	peer_read(self->client);
	set_max(self->server, 2);
	call(self->client);
	EXPECT_STREQ("SPAWN_LOOPER TRANSACTION", peer_read(self->server));
}

/* Item 191: BC_ENTER_LOOPER is no answer to a request and is not counted. */
TEST_F(looper, entered_threads_are_not_counted)
{
	set_max(self->server, 1);
	new_thread(self->server, BC_ENTER_LOOPER);
	new_thread(self->server, BC_ENTER_LOOPER);
	call(self->client);
	EXPECT_STREQ("SPAWN_LOOPER TRANSACTION", peer_read(self->server));
	new_thread(self->server, BC_ENTER_LOOPER);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", answer(self->server));
}

/* Item 191: who is no looper is not asked; it has no request to make. */
TEST_F(looper, client_threads_are_not_asked)
{
	set_max(self->client, 5);
	EXPECT_STREQ("NOOP TRANSACTION",
		     serve(self->client, self->server));
}

/* Item 189: while a looper waits there is no need of another. */
TEST_F(looper, no_request_while_one_waits)
{
	struct peer *idle = new_thread(self->server, BC_ENTER_LOOPER);

	call(self->client);
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(self->server));
	peer_set_nonblock(self->server, false);
	peer_read_start(idle);
	set_max(self->server, 1);
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", answer(self->server));
	/* The waiting one takes the next call, and asks as the last did. */
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
		     peer_read(self->client));
	call(self->client);
	EXPECT_STREQ("SPAWN_LOOPER TRANSACTION", peer_read_finish(idle));
}

/* Item 194, what all drivers share: registering unasked is not counted. */
TEST_F(looper, unasked_registration_is_not_counted)
{
	set_max(self->server, 1);
	new_thread(self->server, BC_REGISTER_LOOPER);
	call(self->client);
	EXPECT_STREQ("SPAWN_LOOPER TRANSACTION", peer_read(self->server));
}

/* A read that has room in what can be written for BR_NOOP, or not even that */
static int read_and_fault(struct peer *server, bool at_once)
{
	long page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mprotect(pages + page, page, PROT_NONE))
		die("mprotect: %m");
	server->bwr = (struct binder_write_read){
		.read_size = 256,
		.read_buffer = (__u64)pages + page - (at_once ? 0 : 4),
	};
	return peer_submit(server);
}

/* Items 191 and 607: who was not told asks again, in the next read. */
TEST_F(looper, request_after_a_fault)
{
	set_max(self->server, 1);
	for (int at_once = 0; at_once < 2; at_once++) {
		call(self->client);
		EXPECT_EQ(-EFAULT, read_and_fault(self->server, at_once));
		/* The call is lost when its reader faults, and not before. */
		EXPECT_STREQ(at_once ? "EAGAIN" :
			     "NOOP TRANSACTION_COMPLETE FAILED_REPLY",
			     peer_read(self->client));
		if (!at_once)
			call(self->client);
		EXPECT_STREQ("SPAWN_LOOPER TRANSACTION",
			     peer_read(self->server));
		EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", answer(self->server));
		peer_read(self->client);
		new_thread(self->server, BC_REGISTER_LOOPER);
		set_max(self->server, 2);
	}
}

/* Items 10 and 182: work goes to a looper that waits, whoever that is. */
TEST_F(looper, any_waiting_thread_is_woken)
{
	struct peer *idle = new_thread(self->server, BC_ENTER_LOOPER);

	peer_set_nonblock(self->server, false);
	for (int i = 0; i < 5; i++) {
		peer_read_start(idle);
		call(self->client);
		EXPECT_STREQ("NOOP TRANSACTION", peer_read_finish(idle));
		EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", answer(idle));
		EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
			     peer_read(self->client));
	}
}

/* Item 196: of several, the last to start waiting is the first to run. */
TEST_F(looper, last_waiter_first)
{
	struct peer *early = new_thread(self->server, BC_ENTER_LOOPER);
	struct peer *late = new_thread(self->server, BC_ENTER_LOOPER);

	peer_set_nonblock(self->server, false);
	peer_read_start(early);
	peer_read_start(late);
	call(self->client);
	EXPECT_STREQ("NOOP TRANSACTION", peer_read_finish(late));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", answer(late));
	peer_read(self->client);
	call(self->client);
	EXPECT_STREQ("NOOP TRANSACTION", peer_read_finish(early));
}

/* Item 196: with nobody waiting, first come, first served. */
TEST_F(looper, queued_calls_keep_their_order)
{
	struct peer *clients[5];

	for (int i = 0; i < 5; i++) {
		clients[i] = peer_open(self->client->task);
		ASSERT_EQ(0, peer_send(clients[i], BC_TRANSACTION,
				       MSG(.code = i)));
	}
	for (int i = 0; i < 5; i++) {
		ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->server));
		EXPECT_EQ(i, self->server->txn.code);
		EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", answer(self->server));
		EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
			     peer_read(clients[i]));
	}
}

TEST_HARNESS_MAIN
