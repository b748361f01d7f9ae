// SPDX-License-Identifier: GPL-2.0
/* Who a message says it is from, and what the manager's object can ask for. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

FIXTURE(identity)
{
};

FIXTURE_SETUP(identity)
{
	binder_setup();
}

FIXTURE_TEARDOWN(identity)
{
	EXPECT_STREQ("", binder_teardown());
}

static long do_unshare(long flags, long unused, long unused2)
{
	return unshare(flags) ? -errno : 0;
}

static long set_euid(long uid, long unused, long unused2)
{
	return syscall(SYS_setresuid, -1, uid, -1) ? -errno : 0;
}

static const char *call(struct peer *client, struct peer *server)
{
	if (peer_send(client, BC_TRANSACTION, MSG()))
		die("BC_TRANSACTION failed");
	return peer_read(server);
}

/* Item 243: a process is its thread group, whichever thread calls. */
TEST_F(identity, pid_of_a_thread)
{
	struct peer *server = peer_manager(task_fork());
	struct peer *client = peer_open(NULL);
	struct peer *thread = peer_thread(client, task_thread());

	ASSERT_STREQ("NOOP TRANSACTION", call(thread, server));
	EXPECT_EQ(getpid(), server->txn.sender_pid);
}

/* Item 243: in the reader's namespace, where outsiders have no number. */
TEST_F(identity, pid_namespace_of_the_reader)
{
	struct peer *client = peer_open(NULL);
	struct task *inner;
	struct peer *server;

	ASSERT_EQ(0, task_call(task_nursery(), do_unshare, CLONE_NEWPID, 0, 0));
	inner = task_fork();
	server = peer_manager(inner);
	ASSERT_STREQ("NOOP TRANSACTION", call(client, server));
	EXPECT_EQ(0, server->txn.sender_pid);
}

/* Item 243: and from the inside out, as the outside sees it. */
TEST_F(identity, pid_namespace_of_the_sender)
{
	struct peer *server = peer_manager(NULL);
	struct peer *client;

	ASSERT_EQ(0, task_call(task_nursery(), do_unshare, CLONE_NEWPID, 0, 0));
	client = peer_open(task_fork());
	ASSERT_STREQ("NOOP TRANSACTION", call(client, server));
	EXPECT_EQ(task_pid(client->task), server->txn.sender_pid);
}

/* Items 245 and 518: the euid at the time of each call. */
TEST_F(identity, euid)
{
	static const int uids[] = { 0, 1000, 0, 4711 };
	struct peer *server = peer_manager(NULL);
	struct peer *client = peer_open(task_fork());

	for (size_t i = 0; i < ARRAY_SIZE(uids); i++) {
		ASSERT_EQ(0, task_call(client->task, set_euid, uids[i], 0, 0));
		ASSERT_STREQ("NOOP TRANSACTION", call(client, server));
		EXPECT_EQ(uids[i], server->txn.sender_euid);
		ASSERT_EQ(0, task_call(client->task, set_euid, 0, 0, 0));
		ASSERT_EQ(0, peer_send(server, BC_REPLY, MSG()));
		must_read(server, "NOOP TRANSACTION_COMPLETE");
		must_read(client, "NOOP TRANSACTION_COMPLETE REPLY");
	}
}

/* Items 125 and 245: a reply carries the replier's. */
TEST_F(identity, euid_of_a_reply)
{
	struct peer *server = peer_manager(task_fork());
	struct peer *client = peer_open(NULL);

	ASSERT_STREQ("NOOP TRANSACTION", call(client, server));
	ASSERT_EQ(0, task_call(server->task, set_euid, 1234, 0, 0));
	ASSERT_EQ(0, peer_send(server, BC_REPLY, MSG()));
	must_read(client, "NOOP TRANSACTION_COMPLETE REPLY");
	EXPECT_EQ(1234, client->txn.sender_euid);
	EXPECT_EQ(0, client->txn.sender_pid);
}

/* Item 245: in the reader's user namespace, which knows nobody yet. */
TEST_F(identity, user_namespace_of_the_reader)
{
	struct peer *server = peer_manager(task_fork());
	struct peer *client = peer_open(NULL);

	if (task_call(server->task, do_unshare, CLONE_NEWUSER, 0, 0))
		SKIP(return, "no user namespaces here");
	ASSERT_STREQ("NOOP TRANSACTION", call(client, server));
	EXPECT_EQ(0xffffffff, server->txn.sender_euid);
}

/* A manager by BINDER_SET_CONTEXT_MGR_EXT with these flags */
static struct peer *manager_with(struct task *task, __u32 flags)
{
	struct flat_binder_object obj = local_object(0x1234, 0x5678, flags);
	struct peer *peer = peer_open(task);

	if (peer_ioctl(peer, BINDER_SET_CONTEXT_MGR_EXT, &obj) ||
	    peer_word(peer, BC_ENTER_LOOPER))
		die("BINDER_SET_CONTEXT_MGR_EXT failed");
	return peer;
}

/* Item 43: pointer and cookie are the object's. */
TEST_F(identity, manager_object)
{
	struct peer *server = manager_with(task_fork(), 0);
	struct peer *client = peer_open(NULL);

	ASSERT_STREQ("NOOP TRANSACTION", call(client, server));
	EXPECT_EQ(0x1234, server->txn.target.ptr);
	EXPECT_EQ(0x5678, server->txn.cookie);
	answer(server, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(client));
}

/* Item 43: its type is not looked at, and there is one manager only. */
TEST_F(identity, manager_object_of_any_type)
{
	struct flat_binder_object obj = {};
	struct peer *server = peer_open(NULL);

	ASSERT_EQ(0, peer_ioctl(server, BINDER_SET_CONTEXT_MGR_EXT, &obj));
	EXPECT_EQ(-EBUSY, peer_ioctl(server, BINDER_SET_CONTEXT_MGR_EXT, &obj));
	EXPECT_EQ(-EBUSY, peer_ioctl(server, BINDER_SET_CONTEXT_MGR, NULL));
}

/* Item 43: it may accept descriptors. */
TEST_F(identity, manager_accepts_fds)
{
	struct binder_fd_object obj = { .hdr.type = BINDER_TYPE_FD, .fd = 2 };
	struct peer *server = manager_with(task_fork(),
					   FLAT_BINDER_FLAG_ACCEPTS_FDS);
	struct peer *client = peer_open(NULL);
	struct sg *sg = SG;

	sg_add(sg, &obj, sizeof(obj));
	EXPECT_STREQ("EAGAIN", sg_try(client, MSG(), sg));
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(server));
}

/*
 * Items 43, 246 and 247: with a security module that has labels the reader
 * gets the sender's, behind all the rest; without one no call succeeds.
 */
TEST_F(identity, security_context)
{
	struct peer *server = manager_with(task_fork(),
					   FLAT_BINDER_FLAG_TXN_SECURITY_CTX);
	struct peer *client = peer_open(NULL);
	const struct ret *ret = &server->rets[1];
	const char *context;

	put_msg(client, BC_TRANSACTION, MSG(.data = "data", .size = 5));
	if (!strcmp(peer_write_read(client), "NOOP FAILED_REPLY")) {
		EXPECT_STREQ("FAILED_REPLY EOPNOTSUPP", peer_error(client));
		return;
	}
	ASSERT_STREQ("NOOP TRANSACTION_SEC_CTX", peer_read(server));
	context = peer_peek(server, ret->txn.secctx, 64);
	EXPECT_LE(server->txn.data.ptr.buffer + 8, ret->txn.secctx);
	EXPECT_NE(0, context[0]);
}

#define CANARY 0xa5

/*
 * Items 514 and 536: buffers that fill all there is for them, and sizes that
 * overflow, reach nothing of the security context behind them.
 */
TEST_F(identity, security_context_behind_gathered_data)
{
	static const size_t absurd[] = { ~0UL, ~7UL, ~0UL - 24, 1UL << 63 };
	struct peer *server = manager_with(task_fork(),
					   FLAT_BINDER_FLAG_TXN_SECURITY_CTX);
	struct peer *client = peer_open(NULL);
	char data[72], context[64] = "";

	memset(data, CANARY, sizeof(data));
	put_msg(client, BC_TRANSACTION, MSG());
	if (!strcmp(peer_write_read(client), "NOOP FAILED_REPLY"))
		SKIP(return, "no security module with labels");
	must_read(server, "NOOP TRANSACTION_SEC_CTX");
	memcpy(context, peer_peek(server, server->rets[1].txn.secctx, 63), 63);
	answer(server, MSG());
	must_read(client, "NOOP TRANSACTION_COMPLETE REPLY");
	for (size_t len = 1; len <= sizeof(data); len++) {
		struct sg *sg = SG;

		sg_ptr(sg, data, len);
		sg_ptr(sg, data, sizeof(data));
		ASSERT_STREQ("NOOP TRANSACTION_COMPLETE",
			     sg_try(client, MSG(.flags = TF_ONE_WAY), sg));
		must_read(server, "NOOP TRANSACTION_SEC_CTX");
		EXPECT_STREQ(context, peer_peek(server,
						server->rets[1].txn.secctx,
						sizeof(context)));
		ASSERT_EQ(0, peer_free_last(server));
	}
	for (size_t i = 0; i < ARRAY_SIZE(absurd); i++) {
		struct sg *sg = SG;

		sg_ptr(sg, data, sizeof(data));
		sg->extra = absurd[i];
		EXPECT_STREQ("NOOP FAILED_REPLY", sg_try(client, MSG(), sg));
	}
	EXPECT_STREQ("EAGAIN", peer_read(server));
}

TEST_HARNESS_MAIN
