// SPDX-License-Identifier: GPL-2.0
/* Objects that are sent: handles, and what their owner is told of counts. */

#include <errno.h>
#include <fcntl.h>

#include "kselftest_harness.h"
#include "object.h"

#define PTR 0x1000
#define COOKIE 0x2000
#define COMPLETE "TRANSACTION_COMPLETE"

FIXTURE(node)
{
	struct peer *manager;	/* receives */
	struct peer *owner;
};

FIXTURE_SETUP(node)
{
	binder_setup();
	self->manager = registry_open();
	self->owner = peer_open(NULL);
	ASSERT_EQ(0, peer_word(self->owner, BC_ENTER_LOOPER));
}

FIXTURE_TEARDOWN(node)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Sends one object oneway; the manager has read it afterwards. */
static const char *send_node(struct peer *owner, struct peer *manager,
			     const struct flat_binder_object *obj)
{
	struct msg msg = { .flags = TF_ONE_WAY };

	if (send_object(owner, BC_TRANSACTION, &msg, obj))
		die("BC_TRANSACTION failed");
	must_read(manager, "NOOP TRANSACTION");
	return peer_read(owner);
}

static int drop(struct peer *peer, __u32 cmd, __u32 handle)
{
	put_u32(peer, cmd, handle);
	return peer_write(peer);
}

/* Item 126: with the flags kept and no trace of the owner's cookie. */
TEST_F(node, sent_for_the_first_time)
{
	struct flat_binder_object obj = local_object(PTR, COOKIE, 0x1234);
	const struct flat_binder_object *seen;

	EXPECT_STREQ("NOOP INCREFS ACQUIRE TRANSACTION_COMPLETE",
		     send_node(self->owner, self->manager, &obj));
	for (int i = 1; i < 3; i++) {
		EXPECT_EQ(PTR, self->owner->rets[i].node.ptr);
		EXPECT_EQ(COOKIE, self->owner->rets[i].node.cookie);
	}
	seen = peer_object(self->manager, 0);
	EXPECT_EQ(BINDER_TYPE_HANDLE, seen->hdr.type);
	EXPECT_EQ(0x1234, seen->flags);
	EXPECT_EQ(1, seen->binder);
	EXPECT_EQ(0, seen->cookie);
}

/* Item 119: in a call, the counts come before the completion and the reply. */
TEST_F(node, order_in_a_call)
{
	struct flat_binder_object obj[2] = {
		local_object(PTR, 1, 0), local_object(PTR + 8, 2, 0),
	};

	ASSERT_EQ(0, send_objects(self->owner, BC_TRANSACTION, MSG(), obj, 2));
	must_read(self->manager, "NOOP TRANSACTION");
	ASSERT_EQ(0, peer_send(self->manager, BC_REPLY, MSG()));
	ASSERT_STREQ("NOOP INCREFS ACQUIRE INCREFS ACQUIRE " COMPLETE " REPLY",
		     peer_read(self->owner));
	EXPECT_EQ(PTR, self->owner->rets[1].node.ptr);
	EXPECT_EQ(PTR, self->owner->rets[2].node.ptr);
	EXPECT_EQ(PTR + 8, self->owner->rets[3].node.ptr);
	EXPECT_EQ(2, self->owner->rets[4].node.cookie);
}

/* Item 127. */
TEST_F(node, weak)
{
	struct flat_binder_object obj = local_object(PTR, COOKIE, 0);
	const struct flat_binder_object *seen;

	obj.hdr.type = BINDER_TYPE_WEAK_BINDER;
	EXPECT_STREQ("NOOP INCREFS TRANSACTION_COMPLETE",
		     send_node(self->owner, self->manager, &obj));
	ack_refs(self->owner);
	seen = peer_object(self->manager, 0);
	EXPECT_EQ(BINDER_TYPE_WEAK_HANDLE, seen->hdr.type);
	EXPECT_EQ(1, seen->handle);
	ASSERT_EQ(0, peer_free_last(self->manager));
	EXPECT_STREQ("NOOP DECREFS", peer_read(self->owner));
	EXPECT_EQ(PTR, self->owner->rets[1].node.ptr);
	EXPECT_EQ(COOKIE, self->owner->rets[1].node.cookie);
	EXPECT_STREQ("none", node_refs(self->owner, PTR));
}

/* Item 128: a pointer has one cookie while its node lives. */
TEST_F(node, other_cookie_is_refused)
{
	struct flat_binder_object obj = local_object(PTR, COOKIE, 0);

	send_node(self->owner, self->manager, &obj);
	ack_refs(self->owner);
	obj.cookie++;
	ASSERT_EQ(0, send_object(self->owner, BC_TRANSACTION, MSG(), &obj));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_read(self->owner));
}

/* Item 129: the flags of the first time hold, all are passed on. */
TEST_F(node, flags_are_fixed_at_first)
{
	struct flat_binder_object obj = local_object(PTR, COOKIE, 0);
	struct binder_fd_object fd = { .hdr.type = BINDER_TYPE_FD };
	struct peer *client = peer_open(NULL);
	binder_size_t offset = 0;
	__u32 handle;

	handle = registry_give(self->manager, self->owner, client, PTR, COOKIE,
			       0);
	obj.flags = FLAT_BINDER_FLAG_ACCEPTS_FDS;
	send_node(self->owner, self->manager, &obj);
	EXPECT_EQ(FLAT_BINDER_FLAG_ACCEPTS_FDS,
		  peer_object(self->manager, 0)->flags);
	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION,
			       MSG(.handle = handle, .data = &fd,
				   .size = sizeof(fd), .offsets = &offset,
				   .offsets_size = 8)));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_read(client));
}

/* Item 130: one node, one handle, however it comes. */
TEST_F(node, same_handle_again)
{
	struct flat_binder_object obj = local_object(PTR, COOKIE, 0);

	send_node(self->owner, self->manager, &obj);
	EXPECT_EQ(1, peer_object(self->manager, 0)->handle);
	drop(self->manager, BC_ACQUIRE, 1);
	ASSERT_EQ(0, peer_free_last(self->manager));
	obj.hdr.type = BINDER_TYPE_WEAK_BINDER;
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE",
		     send_node(self->owner, self->manager, &obj));
	EXPECT_EQ(1, peer_object(self->manager, 0)->handle);
}

/* Item 131: the lowest free number, also after many. */
TEST_F(node, lowest_free_handle)
{
	static const __u32 freed[] = { 5, 1, 200, 77 };
	static const __u32 expected[] = { 1, 5, 77, 200, 201 };

	for (__u32 i = 1; i <= 200; i++)
		ASSERT_EQ(i, registry_add(self->manager, self->owner, i * 8, 0,
					  0));
	for (size_t i = 0; i < ARRAY_SIZE(freed); i++)
		registry_drop(self->manager, freed[i]);
	while (!strncmp(peer_read(self->owner), "NOOP RELEASE", 12))
		;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		EXPECT_EQ(expected[i], registry_add(self->manager, self->owner,
						    8000 + i * 8, 0, 0));
}

/* Item 131: most go, the table shrinks, the numbers stay right. */
TEST_F(node, handles_after_a_shrink)
{
	for (__u32 i = 1; i <= 200; i++)
		registry_add(self->manager, self->owner, i * 8, 0, 0);
	for (__u32 i = 200; i > 3; i--)
		registry_drop(self->manager, i);
	while (!strncmp(peer_read(self->owner), "NOOP RELEASE", 12))
		;
	for (__u32 i = 4; i <= 100; i++)
		ASSERT_EQ(i, registry_add(self->manager, self->owner,
					  8000 + i * 8, 0, 0));
}

/* Item 132: the manager's own node is everybody's handle 0. */
TEST_F(node, manager_node_is_handle_0)
{
	struct flat_binder_object obj = local_object(0, 0, 0);

	ASSERT_EQ(0, peer_send(self->owner, BC_TRANSACTION, MSG()));
	must_read(self->manager, "NOOP TRANSACTION");
	ASSERT_EQ(0, send_object(self->manager, BC_REPLY, MSG(), &obj));
	/* Item 44: and the manager is not told of counts. */
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(self->manager));
	must_read(self->owner, "NOOP TRANSACTION_COMPLETE REPLY");
	EXPECT_EQ(BINDER_TYPE_HANDLE, peer_object(self->owner, 0)->hdr.type);
	EXPECT_EQ(0, peer_object(self->owner, 0)->handle);
	ASSERT_EQ(0, peer_free_last(self->owner));
	EXPECT_STREQ("EAGAIN", peer_read(self->manager));
}

/* Items 120 and 134: both counts go with the last reference. */
TEST_F(node, last_reference_goes)
{
	__u32 handle = registry_add(self->manager, self->owner, PTR, COOKIE, 0);

	EXPECT_STREQ("1 1", node_refs(self->owner, PTR));
	registry_drop(self->manager, handle);
	ASSERT_STREQ("NOOP RELEASE DECREFS", peer_read(self->owner));
	for (int i = 1; i < 3; i++) {
		EXPECT_EQ(PTR, self->owner->rets[i].node.ptr);
		EXPECT_EQ(COOKIE, self->owner->rets[i].node.cookie);
	}
	EXPECT_STREQ("none", node_refs(self->owner, PTR));
}

/* Item 134: the weak one may stay longer. */
TEST_F(node, weak_reference_stays)
{
	__u32 handle = registry_add(self->manager, self->owner, PTR, COOKIE, 0);

	drop(self->manager, BC_INCREFS, handle);
	drop(self->manager, BC_RELEASE, handle);
	EXPECT_STREQ("NOOP RELEASE", peer_read(self->owner));
	EXPECT_STREQ("0 1", node_refs(self->owner, PTR));
	drop(self->manager, BC_DECREFS, handle);
	EXPECT_STREQ("NOOP DECREFS", peer_read(self->owner));
}

/* Item 134: by any thread of the owner. */
TEST_F(node, any_thread_hears_of_it)
{
	struct peer *thread = peer_thread(self->owner, task_thread());
	__u32 handle = registry_add(self->manager, self->owner, PTR, COOKIE, 0);

	ASSERT_EQ(0, peer_word(thread, BC_ENTER_LOOPER));
	registry_drop(self->manager, handle);
	EXPECT_STREQ("NOOP RELEASE DECREFS", peer_read(thread));
	EXPECT_STREQ("EAGAIN", peer_read(self->owner));
}

/* Item 135: nothing is taken back that has not been acknowledged. */
TEST_F(node, unacknowledged_counts_are_kept)
{
	struct flat_binder_object obj = local_object(PTR, COOKIE, 0);

	send_node(self->owner, self->manager, &obj);
	ASSERT_EQ(0, peer_free_last(self->manager));
	EXPECT_STREQ("EAGAIN", peer_read(self->owner));
	put_node(self->owner, BC_INCREFS_DONE, PTR, COOKIE);
	EXPECT_STREQ("EAGAIN", peer_write_read(self->owner));
	put_node(self->owner, BC_ACQUIRE_DONE, PTR, COOKIE);
	EXPECT_STREQ("NOOP RELEASE DECREFS", peer_write_read(self->owner));
}

/* Item 136: a message in flight holds its target. */
TEST_F(node, message_holds_its_target)
{
	struct peer *client = peer_open(NULL);
	__u32 handle = registry_give(self->manager, self->owner, client, PTR,
				     COOKIE, 0);

	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION,
			       MSG(.handle = handle, .flags = TF_ONE_WAY)));
	drop(client, BC_RELEASE, handle);
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->owner));
	EXPECT_EQ(PTR, self->owner->txn.target.ptr);
	EXPECT_EQ(COOKIE, self->owner->txn.cookie);
	EXPECT_STREQ("EAGAIN", peer_read(self->owner));
	ASSERT_EQ(0, peer_free_last(self->owner));
	EXPECT_STREQ("NOOP RELEASE DECREFS", peer_read(self->owner));
}

/* Item 137: gone is gone; the pointer can begin anew. */
TEST_F(node, pointer_is_used_again)
{
	for (int i = 0; i < 3; i++) {
		struct flat_binder_object obj = local_object(PTR, i, 0);

		EXPECT_STREQ("NOOP INCREFS ACQUIRE TRANSACTION_COMPLETE",
			     send_node(self->owner, self->manager, &obj));
		ack_refs(self->owner);
		EXPECT_EQ(1, peer_object(self->manager, 0)->handle);
		ASSERT_EQ(0, peer_free_last(self->manager));
		EXPECT_STREQ("NOOP RELEASE DECREFS", peer_read(self->owner));
		EXPECT_STREQ("none", node_refs(self->owner, PTR));
	}
}

/* Items 138 and 217: a message that fails tells nothing of its objects. */
TEST_F(node, failed_message_leaves_no_node)
{
	struct flat_binder_object obj[2] = {
		local_object(PTR, COOKIE, 0), remote_object(77),
	};

	ASSERT_EQ(0, send_objects(self->owner, BC_TRANSACTION, MSG(), obj, 2));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_read(self->owner));
	EXPECT_STREQ("EAGAIN", peer_read(self->owner));
	EXPECT_STREQ("none", node_refs(self->owner, PTR));
	EXPECT_STREQ("EAGAIN", peer_read(self->manager));
	EXPECT_EQ(1, registry_add(self->manager, self->owner, PTR, 99, 0));
}

/* Item 139: a handle that comes home is the object itself. */
TEST_F(node, handle_comes_home)
{
	__u32 handle = registry_add(self->manager, self->owner, PTR, COOKIE, 0);
	struct flat_binder_object obj = remote_object(handle);
	const struct flat_binder_object *seen;

	obj.flags = 0x77;
	ASSERT_EQ(0, peer_send(self->owner, BC_TRANSACTION, MSG()));
	must_read(self->manager, "NOOP TRANSACTION");
	ASSERT_EQ(0, send_object(self->manager, BC_REPLY, MSG(), &obj));
	ASSERT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(self->owner));
	seen = peer_object(self->owner, 0);
	EXPECT_EQ(BINDER_TYPE_BINDER, seen->hdr.type);
	EXPECT_EQ(0x77, seen->flags);
	EXPECT_EQ(PTR, seen->binder);
	EXPECT_EQ(COOKIE, seen->cookie);
	/* The buffer holds the node. */
	must_read(self->manager, "NOOP TRANSACTION_COMPLETE");
	registry_drop(self->manager, handle);
	EXPECT_STREQ("EAGAIN", peer_read(self->owner));
	ASSERT_EQ(0, peer_free_last(self->owner));
	EXPECT_STREQ("NOOP RELEASE DECREFS", peer_read(self->owner));
}

/* Item 140: a third party's calls go straight to the owner. */
TEST_F(node, passed_on)
{
	struct peer *client = peer_open(NULL);
	__u32 handle = registry_give(self->manager, self->owner, client, PTR,
				     COOKIE, 0);

	EXPECT_EQ(1, handle);
	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION,
			       MSG(.handle = handle, .code = 3)));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->owner));
	EXPECT_EQ(PTR, self->owner->txn.target.ptr);
	EXPECT_EQ(COOKIE, self->owner->txn.cookie);
	EXPECT_EQ(3, self->owner->txn.code);
	answer(self->owner, MSG(.code = 4));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(client));
	EXPECT_EQ(4, client->txn.code);
}

/* Item 144: twice in one message, weak before strong. */
TEST_F(node, twice_in_one_message)
{
	struct flat_binder_object obj[2] = {
		local_object(PTR, COOKIE, 0), local_object(PTR, COOKIE, 0),
	};

	obj[0].hdr.type = BINDER_TYPE_WEAK_BINDER;
	ASSERT_EQ(0, send_objects(self->owner, BC_TRANSACTION,
				  MSG(.flags = TF_ONE_WAY), obj, 2));
	EXPECT_STREQ("NOOP INCREFS ACQUIRE TRANSACTION_COMPLETE",
		     peer_read(self->owner));
	must_read(self->manager, "NOOP TRANSACTION");
	EXPECT_EQ(1, peer_object(self->manager, 0)->handle);
	EXPECT_EQ(1, peer_object(self->manager, 1)->handle);
}

/* Item 54: all nodes of the process in order of their pointers. */
TEST_F(node, debug_info)
{
	static const __u64 ptrs[] = { 0x3000, 0x1000, 0x2000 };
	struct binder_node_debug_info info = {};

	for (size_t i = 0; i < ARRAY_SIZE(ptrs); i++)
		registry_add(self->manager, self->owner, ptrs[i], ptrs[i] + 1,
			     0);
	for (__u64 ptr = 0x1000; ptr <= 0x3000; ptr += 0x1000) {
		ASSERT_EQ(0, peer_ioctl(self->owner, BINDER_GET_NODE_DEBUG_INFO,
					&info));
		EXPECT_EQ(ptr, info.ptr);
		EXPECT_EQ(ptr + 1, info.cookie);
		EXPECT_EQ(1, info.has_strong_ref);
		EXPECT_EQ(1, info.has_weak_ref);
	}
	ASSERT_EQ(0, peer_ioctl(self->owner, BINDER_GET_NODE_DEBUG_INFO,
				&info));
	EXPECT_EQ(0, info.ptr);
	EXPECT_EQ(0, info.cookie);
	EXPECT_EQ(0, info.has_strong_ref + info.has_weak_ref);
	/* The manager's own node, at 0, cannot be listed. */
	ASSERT_EQ(0, peer_ioctl(self->manager, BINDER_GET_NODE_DEBUG_INFO,
				&info));
	EXPECT_EQ(0, info.ptr);
}

TEST_HARNESS_MAIN
