// SPDX-License-Identifier: GPL-2.0
/* Commands on handles, and what handles can be used for. */

#include <errno.h>
#include <fcntl.h>

#include "kselftest_harness.h"
#include "object.h"

#define PTR 0x1000
#define COOKIE 0x2000

FIXTURE(refs)
{
	struct peer *manager;
	struct peer *owner;
	struct peer *client;
};

FIXTURE_SETUP(refs)
{
	binder_setup();
	self->manager = registry_open();
	self->owner = peer_open(NULL);
	ASSERT_EQ(0, peer_word(self->owner, BC_ENTER_LOOPER));
	self->client = peer_open(NULL);
}

FIXTURE_TEARDOWN(refs)
{
	EXPECT_STREQ("", binder_teardown());
}

static int command(struct peer *peer, __u32 cmd, __u32 handle)
{
	put_u32(peer, cmd, handle);
	return peer_write(peer);
}

/* What a oneway to the handle gives */
static const char *poke(struct peer *peer, __u32 handle)
{
	put_msg(peer, BC_TRANSACTION,
		MSG(.handle = handle, .flags = TF_ONE_WAY));
	return peer_write_read(peer);
}

static __u32 give(struct peer *manager, struct peer *owner,
		  struct peer *client)
{
	return registry_give(manager, owner, client, PTR, COOKIE, 0);
}

/* Turns the client's strong handle into a weak one. */
static void make_weak(struct peer *client, __u32 handle)
{
	put_u32(client, BC_INCREFS, handle);
	put_u32(client, BC_RELEASE, handle);
	if (peer_write(client))
		die("weakening a handle failed");
}

/* Item 94. */
TEST_F(refs, unknown_handles_are_ignored)
{
	static const __u32 cmds[] = {
		BC_ACQUIRE, BC_INCREFS, BC_RELEASE, BC_DECREFS,
	};

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		EXPECT_EQ(0, command(self->client, cmds[i], 1));
		EXPECT_EQ(8, self->client->bwr.write_consumed);
		EXPECT_EQ(0, command(self->client, cmds[i], 0xffffffff));
		EXPECT_EQ(8, self->client->bwr.write_consumed);
	}
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Item 95: handle 0 becomes a reference, which can be sent as an object. */
TEST_F(refs, acquire_of_handle_0)
{
	struct flat_binder_object obj = remote_object(0);
	__u32 handle = give(self->manager, self->owner, self->client);
	const struct msg to_owner = { .handle = handle, .flags = TF_ONE_WAY };

	ASSERT_EQ(0, send_object(self->client, BC_TRANSACTION, &to_owner,
				 &obj));
	/* Item 141: not without holding it. */
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_read(self->client));
	EXPECT_EQ(0, command(self->client, BC_ACQUIRE, 0));
	ASSERT_EQ(0, send_object(self->client, BC_TRANSACTION, &to_owner,
				 &obj));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(self->client));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->owner));
	EXPECT_EQ(BINDER_TYPE_HANDLE, peer_object(self->owner, 0)->hdr.type);
	EXPECT_EQ(0, peer_object(self->owner, 0)->handle);
}

/* Item 95: without a manager there is nothing to take. */
TEST_F(refs, acquire_of_handle_0_without_manager)
{
	struct peer *lonely;

	ASSERT_EQ(0, binder_add(binder_dir, "lonely", NULL));
	lonely = peer_open_as(NULL, "lonely", O_RDWR | O_NONBLOCK, MAP_SIZE);
	EXPECT_EQ(0, command(lonely, BC_ACQUIRE, 0));
	EXPECT_EQ(8, lonely->bwr.write_consumed);
	EXPECT_EQ(0, command(lonely, BC_INCREFS, 0));
	EXPECT_EQ(0, command(lonely, BC_RELEASE, 0));
	EXPECT_EQ(0, command(lonely, BC_DECREFS, 0));
	EXPECT_STREQ("EAGAIN", peer_read(lonely));
}

/* Item 96. */
TEST_F(refs, manager_cannot_acquire_itself)
{
	EXPECT_EQ(-EINVAL, command(self->manager, BC_ACQUIRE, 0));
	EXPECT_EQ(0, self->manager->bwr.write_consumed);
	EXPECT_EQ(-EINVAL, command(self->manager, BC_INCREFS, 0));
	EXPECT_EQ(0, self->manager->bwr.write_consumed);
	EXPECT_EQ(0, command(self->manager, BC_RELEASE, 0));
	EXPECT_EQ(8, self->manager->bwr.write_consumed);
	EXPECT_EQ(0, command(self->manager, BC_DECREFS, 0));
	EXPECT_EQ(8, self->manager->bwr.write_consumed);
}

/* Item 44: whatever clients do, the manager's node is never counted to it. */
TEST_F(refs, manager_node_needs_no_counts)
{
	command(self->client, BC_ACQUIRE, 0);
	command(self->client, BC_INCREFS, 0);
	command(self->owner, BC_INCREFS, 0);
	EXPECT_STREQ("EAGAIN", peer_read(self->manager));
	command(self->client, BC_RELEASE, 0);
	command(self->client, BC_DECREFS, 0);
	command(self->owner, BC_DECREFS, 0);
	EXPECT_STREQ("EAGAIN", peer_read(self->manager));
}

/* Item 97: an old handle 0 is dead, but 0 as a target is the new manager. */
TEST_F(refs, handle_0_of_a_dead_manager)
{
	struct peer *next = peer_open(task_fork());

	ASSERT_EQ(0, command(self->client, BC_ACQUIRE, 0));
	kill_and_wait(self->manager, self->client, 0);
	ASSERT_EQ(0, peer_become_manager(next));
	ASSERT_EQ(0, peer_word(next, BC_ENTER_LOOPER));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", poke(self->client, 0));
	EXPECT_STREQ("NOOP TRANSACTION", peer_read(next));
	/* The new reference has the lowest free number. */
	EXPECT_EQ(0, command(self->client, BC_ACQUIRE, 0));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", poke(self->client, 1));
}

/* Item 98. */
TEST_F(refs, no_promotion_by_command)
{
	__u32 handle = give(self->manager, self->owner, self->client);

	make_weak(self->client, handle);
	EXPECT_STREQ("NOOP RELEASE", peer_read(self->owner));
	EXPECT_EQ(0, command(self->client, BC_ACQUIRE, handle));
	EXPECT_EQ(8, self->client->bwr.write_consumed);
	EXPECT_EQ(0, command(self->client, BC_RELEASE, handle));
	EXPECT_STREQ("EAGAIN", peer_read(self->owner));
	EXPECT_EQ(0, command(self->client, BC_DECREFS, handle));
	EXPECT_STREQ("NOOP DECREFS", peer_read(self->owner));
}

/* Item 99: a count of 0 stays 0. */
TEST_F(refs, counts_do_not_underflow)
{
	__u32 handle = give(self->manager, self->owner, self->client);

	EXPECT_EQ(0, command(self->client, BC_DECREFS, handle));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", poke(self->client, handle));
	ASSERT_STREQ("NOOP TRANSACTION", peer_read(self->owner));
	ASSERT_EQ(0, peer_free_last(self->owner));
	make_weak(self->client, handle);
	EXPECT_STREQ("NOOP RELEASE", peer_read(self->owner));
	EXPECT_EQ(0, command(self->client, BC_RELEASE, handle));
	EXPECT_STREQ("0 1", node_refs(self->owner, PTR));
	EXPECT_EQ(0, command(self->client, BC_DECREFS, handle));
	EXPECT_STREQ("NOOP DECREFS", peer_read(self->owner));
}

/* Item 99: each command counts one. */
TEST_F(refs, counts_add_up)
{
	__u32 handle = give(self->manager, self->owner, self->client);

	for (int i = 0; i < 10; i++)
		command(self->client, BC_ACQUIRE, handle);
	for (int i = 0; i < 10; i++)
		command(self->client, BC_RELEASE, handle);
	EXPECT_STREQ("EAGAIN", peer_read(self->owner));
	command(self->client, BC_RELEASE, handle);
	EXPECT_STREQ("NOOP RELEASE DECREFS", peer_read(self->owner));
}

/* Item 100. */
TEST_F(refs, last_release_frees_the_handle)
{
	__u32 handle = give(self->manager, self->owner, self->client);

	EXPECT_EQ(0, command(self->client, BC_RELEASE, handle));
	EXPECT_STREQ("NOOP FAILED_REPLY", poke(self->client, handle));
	peer_read(self->owner);
	EXPECT_EQ(handle, give(self->manager, self->owner, self->client));
}

/* Item 101. */
TEST_F(refs, unasked_acknowledgements_are_ignored)
{
	give(self->manager, self->owner, self->client);
	put_node(self->owner, BC_INCREFS_DONE, 0x77, COOKIE);
	put_node(self->owner, BC_ACQUIRE_DONE, 0x77, COOKIE);
	put_node(self->owner, BC_INCREFS_DONE, PTR, COOKIE + 1);
	put_node(self->owner, BC_ACQUIRE_DONE, PTR, COOKIE + 1);
	put_node(self->owner, BC_INCREFS_DONE, PTR, COOKIE);
	put_node(self->owner, BC_ACQUIRE_DONE, PTR, COOKIE);
	EXPECT_EQ(0, peer_write(self->owner));
	EXPECT_EQ(120, self->owner->bwr.write_consumed);
	EXPECT_STREQ("EAGAIN", peer_read(self->owner));
	EXPECT_STREQ("1 1", node_refs(self->owner, PTR));
}

/* Item 133: a buffer's handle lives as long as the buffer. */
TEST_F(refs, buffer_holds_its_handles)
{
	struct flat_binder_object obj = local_object(PTR, COOKIE, 0);

	for (int acquire = 0; acquire < 2; acquire++) {
		ASSERT_EQ(0, send_object(self->owner, BC_TRANSACTION,
					 MSG(.flags = TF_ONE_WAY), &obj));
		peer_read(self->owner);
		ack_refs(self->owner);
		must_read(self->manager, "NOOP TRANSACTION");
		if (acquire)
			command(self->manager, BC_ACQUIRE, 1);
		ASSERT_EQ(0, peer_free_last(self->manager));
		EXPECT_STREQ(acquire ? "NOOP TRANSACTION_COMPLETE" :
			     "NOOP FAILED_REPLY", poke(self->manager, 1));
		EXPECT_STREQ(acquire ? "NOOP TRANSACTION" :
			     "NOOP RELEASE DECREFS", peer_read(self->owner));
	}
}

/* Item 141: what cannot be sent as an object. */
TEST_F(refs, objects_that_cannot_be_sent)
{
	__u32 handle = give(self->manager, self->owner, self->client);
	struct flat_binder_object obj = remote_object(77);

	ASSERT_EQ(0, send_object(self->client, BC_TRANSACTION, MSG(), &obj));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_read(self->client));
	make_weak(self->client, handle);
	obj.handle = handle;
	ASSERT_EQ(0, send_object(self->client, BC_TRANSACTION, MSG(), &obj));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_read(self->client));
	obj.hdr.type = BINDER_TYPE_WEAK_HANDLE;
	ASSERT_EQ(0, send_object(self->client, BC_TRANSACTION,
				 MSG(.flags = TF_ONE_WAY), &obj));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(self->client));
	must_read(self->manager, "NOOP TRANSACTION");
	EXPECT_EQ(BINDER_TYPE_WEAK_HANDLE,
		  peer_object(self->manager, 0)->hdr.type);
	EXPECT_EQ(1, peer_object(self->manager, 0)->handle);
}

/* Item 142: a dead object can be passed on, and is dead there, too. */
TEST_F(refs, dead_object_is_passed_on)
{
	struct peer *owner = peer_open(task_fork());
	__u32 handle = registry_add(self->manager, owner, PTR, COOKIE, 0);
	__u32 mine;

	kill_and_wait(owner, self->manager, handle);
	mine = registry_get(self->manager, self->client, handle);
	EXPECT_STREQ("NOOP DEAD_REPLY", poke(self->client, mine));
	put_handle_cookie(self->client, BC_REQUEST_DEATH_NOTIFICATION, mine, 5);
	ASSERT_EQ(0, peer_write(self->client));
	EXPECT_STREQ("NOOP DEAD_BINDER", read_late(self->client));
	EXPECT_EQ(5, self->client->rets[1].cookie);
}

/* Item 143. */
TEST_F(refs, weak_handle_cannot_be_called)
{
	__u32 handle = give(self->manager, self->owner, self->client);

	make_weak(self->client, handle);
	EXPECT_STREQ("NOOP FAILED_REPLY", poke(self->client, handle));
	put_msg(self->client, BC_TRANSACTION, MSG(.handle = handle));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(self->client));
}

static int node_info(struct peer *peer, struct binder_node_info_for_ref *info)
{
	return peer_ioctl(peer, BINDER_GET_NODE_INFO_FOR_REF, info);
}

/* Items 51 and 52. */
TEST_F(refs, node_info_errors)
{
	struct binder_node_info_for_ref info = { .handle = 77 };
	int ret;

	EXPECT_EQ(-EPERM, node_info(self->client, &info));
	ret = node_info(self->manager, &info);
	EXPECT_TRUE(ret == -EINVAL || ret == -ENOENT);
	for (int i = 1; i < 6; i++) {
		__u32 words[6] = {};

		words[i] = 1;
		memcpy(&info, words, sizeof(info));
		EXPECT_EQ(-EINVAL, node_info(self->manager, &info));
		EXPECT_EQ(-EINVAL, node_info(self->client, &info));
	}
}

/* Items 52 and 53. */
TEST_F(refs, node_info)
{
	__u32 handle = registry_add(self->manager, self->owner, PTR, COOKIE, 0);
	struct binder_node_info_for_ref info = { .handle = handle };
	int ret;

	ASSERT_EQ(0, node_info(self->manager, &info));
	EXPECT_EQ(handle, info.handle);
	EXPECT_EQ(1, info.strong_count);
	EXPECT_EQ(0, info.weak_count);
	make_weak(self->manager, handle);
	info = (struct binder_node_info_for_ref){ .handle = handle };
	ret = node_info(self->manager, &info);
	EXPECT_TRUE(ret == -EINVAL || ret == -ENOENT);
}

/* Item 53: the dead are counted like the living. */
TEST_F(refs, node_info_of_the_dead)
{
	struct peer *owner = peer_open(task_fork());
	__u32 handle = registry_add(self->manager, owner, PTR, COOKIE, 0);
	struct binder_node_info_for_ref info = { .handle = handle };

	kill_and_wait(owner, self->manager, handle);
	ASSERT_EQ(0, node_info(self->manager, &info));
	EXPECT_EQ(1, info.strong_count);
	EXPECT_EQ(0, info.weak_count);
}

TEST_HARNESS_MAIN
