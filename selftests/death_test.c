// SPDX-License-Identifier: GPL-2.0
/* Death notifications: request, delivery, clearing. */

#include <errno.h>
#include <fcntl.h>

#include "kselftest_harness.h"
#include "object.h"

#define COOKIE 0x123456789abcULL
#define CLEARED "CLEAR_DEATH_NOTIFICATION_DONE"

FIXTURE(death)
{
	struct peer *manager;
	struct peer *owner;
	struct peer *client;
	__u32 handle;
};

FIXTURE_SETUP(death)
{
	binder_setup();
	self->manager = registry_open();
	self->owner = peer_open(task_fork());
	self->client = peer_open(NULL);
	ASSERT_EQ(0, peer_word(self->client, BC_ENTER_LOOPER));
	self->handle = registry_give(self->manager, self->owner, self->client,
				     0x10, 0, 0);
}

FIXTURE_TEARDOWN(death)
{
	EXPECT_STREQ("", binder_teardown());
}

static int request(struct peer *peer, __u32 handle, __u64 cookie)
{
	put_handle_cookie(peer, BC_REQUEST_DEATH_NOTIFICATION, handle, cookie);
	return peer_write(peer);
}

static int clear(struct peer *peer, __u32 handle, __u64 cookie)
{
	put_handle_cookie(peer, BC_CLEAR_DEATH_NOTIFICATION, handle, cookie);
	return peer_write(peer);
}

static int done(struct peer *peer, __u64 cookie)
{
	put_u64(peer, BC_DEAD_BINDER_DONE, cookie);
	return peer_write(peer);
}

/* Kills the owner and waits until its release has reached the client. */
static void kill_owner(struct peer *owner, struct peer *client)
{
	long deadline = now_ms() + 5000;

	task_kill(owner->task);
	while (!peer_readable(client)) {
		if (now_ms() > deadline)
			die("no death notification arrives");
		nap();
	}
}

/* Item 146. */
TEST_F(death, delivered_once)
{
	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	EXPECT_EQ(16, self->client->bwr.write_consumed);
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
	kill_owner(self->owner, self->client);
	ASSERT_STREQ("NOOP DEAD_BINDER", peer_read(self->client));
	EXPECT_EQ(COOKIE, self->client->rets[1].cookie);
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
	ASSERT_EQ(0, done(self->client, COOKIE));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Item 146: any thread of the client reads it. */
TEST_F(death, any_thread)
{
	struct peer *thread = peer_thread(self->client, task_thread());

	ASSERT_EQ(0, peer_word(thread, BC_ENTER_LOOPER));
	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	kill_owner(self->owner, self->client);
	EXPECT_STREQ("NOOP DEAD_BINDER", peer_read(thread));
	/* Item 154: and any other says that it is done. */
	ASSERT_EQ(0, done(self->client, COOKIE));
	ASSERT_EQ(0, clear(self->client, self->handle, COOKIE));
	EXPECT_STREQ("NOOP CLEAR_DEATH_NOTIFICATION_DONE",
		     peer_read(self->client));
}

/* Items 10 and 146: the owner closes, and a client asleep is woken. */
TEST_F(death, owner_closes)
{
	struct peer *client = peer_open_as(task_fork(), BINDER_DEV, O_RDWR,
					   MAP_SIZE);
	__u32 handle;

	handle = registry_give(self->manager, self->owner, client, 0x20, 0, 0);
	put_word(client, BC_ENTER_LOOPER);
	put_handle_cookie(client, BC_REQUEST_DEATH_NOTIFICATION, handle, 77);
	peer_read_start(client);
	peer_close(self->owner);
	EXPECT_STREQ("NOOP DEAD_BINDER", peer_read_finish(client));
	EXPECT_EQ(77, client->rets[1].cookie);
}

/* Item 147: what is dead already is reported at once. */
TEST_F(death, requested_too_late)
{
	kill_and_wait(self->owner, self->client, self->handle);
	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	ASSERT_STREQ("NOOP DEAD_BINDER", read_late(self->client));
	EXPECT_EQ(COOKIE, self->client->rets[1].cookie);
}

/* Item 147: a weak reference will do. */
TEST_F(death, weak_handle)
{
	put_u32(self->client, BC_INCREFS, self->handle);
	put_u32(self->client, BC_RELEASE, self->handle);
	ASSERT_EQ(0, peer_write(self->client));
	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	kill_owner(self->owner, self->client);
	EXPECT_STREQ("NOOP DEAD_BINDER", peer_read(self->client));
}

/* Items 91 and 155: each request is one return, and each ends a read. */
TEST_F(death, several_nodes)
{
	__u32 second = registry_give(self->manager, self->owner, self->client,
				     0x20, 0, 0);
	struct peer *other = peer_open(NULL);
	struct peer *silent = peer_open(NULL);
	__u32 theirs[2];
	__u64 sum = 0;

	ASSERT_EQ(0, peer_word(other, BC_ENTER_LOOPER));
	ASSERT_EQ(0, peer_word(silent, BC_ENTER_LOOPER));
	for (int i = 0; i < 2; i++) {
		theirs[i] = registry_give(self->manager, self->owner, other,
					  0x10 * (i + 1), 0, 0);
		registry_give(self->manager, self->owner, silent,
			      0x10 * (i + 1), 0, 0);
		ASSERT_EQ(0, request(other, theirs[i], i + 1));
	}
	ASSERT_EQ(0, request(self->client, self->handle, 1));
	ASSERT_EQ(0, request(self->client, second, 2));
	task_kill(self->owner->task);
	for (int i = 0; i < 2; i++) {
		ASSERT_STREQ("NOOP DEAD_BINDER", read_late(self->client));
		sum += self->client->rets[1].cookie;
		ASSERT_STREQ("NOOP DEAD_BINDER", read_late(other));
		sum += other->rets[1].cookie;
	}
	EXPECT_EQ(6, sum);
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
	EXPECT_STREQ("EAGAIN", peer_read(other));
	EXPECT_STREQ("EAGAIN", peer_read(silent));
}

/* Item 148: cleared while the object lives. */
TEST_F(death, cleared)
{
	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	put_handle_cookie(self->client, BC_CLEAR_DEATH_NOTIFICATION,
			  self->handle, COOKIE);
	ASSERT_STREQ("NOOP CLEAR_DEATH_NOTIFICATION_DONE",
		     peer_write_read(self->client));
	EXPECT_EQ(COOKIE, self->client->rets[1].cookie);
	kill_and_wait(self->owner, self->client, self->handle);
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Item 148: a looper reads it itself, for others the process does. */
TEST_F(death, who_reads_that_it_is_cleared)
{
	struct peer *looper = peer_thread(self->client, task_thread());
	struct peer *plain = peer_thread(self->client, task_thread());

	ASSERT_EQ(0, peer_word(looper, BC_ENTER_LOOPER));
	ASSERT_EQ(0, request(looper, self->handle, 1));
	ASSERT_EQ(0, clear(looper, self->handle, 1));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
	EXPECT_STREQ("NOOP CLEAR_DEATH_NOTIFICATION_DONE", peer_read(looper));
	ASSERT_EQ(0, request(plain, self->handle, 2));
	ASSERT_EQ(0, clear(plain, self->handle, 2));
	EXPECT_STREQ("NOOP CLEAR_DEATH_NOTIFICATION_DONE",
		     peer_read(self->client));
}

/* Item 149: cleared between reading the notification and being done. */
TEST_F(death, cleared_before_done)
{
	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	kill_owner(self->owner, self->client);
	ASSERT_STREQ("NOOP DEAD_BINDER", peer_read(self->client));
	ASSERT_EQ(0, clear(self->client, self->handle, COOKIE));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
	ASSERT_EQ(0, done(self->client, COOKIE));
	EXPECT_STREQ("NOOP CLEAR_DEATH_NOTIFICATION_DONE",
		     peer_read(self->client));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Item 150: cleared while the notification waits to be read. */
TEST_F(death, cleared_before_reading)
{
	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	kill_owner(self->owner, self->client);
	ASSERT_EQ(0, clear(self->client, self->handle, COOKIE));
	ASSERT_STREQ("NOOP DEAD_BINDER", peer_read(self->client));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
	ASSERT_EQ(0, done(self->client, COOKIE));
	ASSERT_STREQ("NOOP CLEAR_DEATH_NOTIFICATION_DONE",
		     peer_read(self->client));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Item 151: cleared when all is done; then it can be asked for again. */
TEST_F(death, cleared_after_done)
{
	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	kill_owner(self->owner, self->client);
	ASSERT_STREQ("NOOP DEAD_BINDER", peer_read(self->client));
	ASSERT_EQ(0, done(self->client, COOKIE));
	ASSERT_EQ(0, clear(self->client, self->handle, COOKIE));
	EXPECT_STREQ("NOOP CLEAR_DEATH_NOTIFICATION_DONE",
		     peer_read(self->client));
	ASSERT_EQ(0, request(self->client, self->handle, 9));
	ASSERT_STREQ("NOOP DEAD_BINDER", peer_read(self->client));
	EXPECT_EQ(9, self->client->rets[1].cookie);
}

/* Item 152: the request goes with the reference. */
TEST_F(death, reference_dropped)
{
	__u32 second = registry_give(self->manager, self->owner, self->client,
				     0x20, 0, 0);

	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	ASSERT_EQ(0, request(self->client, second, 2));
	registry_drop(self->client, self->handle);
	kill_owner(self->owner, self->client);
	ASSERT_STREQ("NOOP DEAD_BINDER", peer_read(self->client));
	EXPECT_EQ(2, self->client->rets[1].cookie);
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Item 152: also when the notification waits to be read. */
TEST_F(death, reference_dropped_with_it_queued)
{
	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	kill_owner(self->owner, self->client);
	registry_drop(self->client, self->handle);
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
	ASSERT_EQ(0, done(self->client, COOKIE));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Item 153: the handle of the dead is not free yet. */
TEST_F(death, handle_stays)
{
	struct peer *owner = peer_open(NULL);

	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	kill_owner(self->owner, self->client);
	ASSERT_STREQ("NOOP DEAD_BINDER", peer_read(self->client));
	ASSERT_EQ(0, done(self->client, COOKIE));
	EXPECT_EQ(self->handle + 1,
		  registry_give(self->manager, owner, self->client, 0x20, 0, 0));
	put_msg(self->client, BC_TRANSACTION, MSG(.handle = self->handle));
	EXPECT_STREQ("NOOP DEAD_REPLY", peer_write_read(self->client));
	registry_drop(self->client, self->handle);
	put_msg(self->client, BC_TRANSACTION, MSG(.handle = self->handle));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(self->client));
	EXPECT_EQ(self->handle, registry_give(self->manager, owner,
					      self->client, 0x30, 0, 0));
}

/* Item 154: with one cookie for two, the older is done first. */
TEST_F(death, equal_cookies)
{
	__u32 second = registry_give(self->manager, self->owner, self->client,
				     0x20, 0, 0);

	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	ASSERT_EQ(0, request(self->client, second, COOKIE));
	task_kill(self->owner->task);
	for (int i = 0; i < 2; i++)
		ASSERT_STREQ("NOOP DEAD_BINDER", read_late(self->client));
	ASSERT_EQ(0, clear(self->client, self->handle, COOKIE));
	ASSERT_EQ(0, clear(self->client, second, COOKIE));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, done(self->client, COOKIE));
		EXPECT_STREQ("NOOP CLEAR_DEATH_NOTIFICATION_DONE",
			     peer_read(self->client));
	}
}

/* Item 111: what makes no sense is consumed and ignored. */
TEST_F(death, misuse)
{
	EXPECT_EQ(0, request(self->client, 77, 1));
	EXPECT_EQ(16, self->client->bwr.write_consumed);
	EXPECT_EQ(0, request(self->client, 0, 1));
	EXPECT_EQ(0, clear(self->client, 77, 1));
	EXPECT_EQ(0, clear(self->client, self->handle, COOKIE));
	EXPECT_EQ(0, done(self->client, COOKIE));
	EXPECT_EQ(12, self->client->bwr.write_consumed);
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
	/* The first cookie holds. */
	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	EXPECT_EQ(0, request(self->client, self->handle, 2));
	EXPECT_EQ(0, clear(self->client, self->handle, 2));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
	kill_owner(self->owner, self->client);
	ASSERT_STREQ("NOOP DEAD_BINDER", peer_read(self->client));
	EXPECT_EQ(COOKIE, self->client->rets[1].cookie);
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Item 269: the manager's death is told like any other. */
TEST_F(death, of_the_manager)
{
	put_u32(self->client, BC_ACQUIRE, 0);
	put_handle_cookie(self->client, BC_REQUEST_DEATH_NOTIFICATION, 0, 5);
	ASSERT_EQ(0, peer_write(self->client));
	kill_owner(self->manager, self->client);
	ASSERT_STREQ("NOOP DEAD_BINDER", peer_read(self->client));
	EXPECT_EQ(5, self->client->rets[1].cookie);
}

/* Item 91: unlike deaths, clearings come together. */
TEST_F(death, several_cleared)
{
	__u32 second = registry_give(self->manager, self->owner, self->client,
				     0x20, 0, 0);

	ASSERT_EQ(0, request(self->client, self->handle, 1));
	ASSERT_EQ(0, request(self->client, second, 2));
	ASSERT_EQ(0, clear(self->client, self->handle, 1));
	ASSERT_EQ(0, clear(self->client, second, 2));
	ASSERT_STREQ("NOOP " CLEARED " " CLEARED, peer_read(self->client));
	EXPECT_EQ(1, self->client->rets[1].cookie);
	EXPECT_EQ(2, self->client->rets[2].cookie);
}

TEST_HARNESS_MAIN
