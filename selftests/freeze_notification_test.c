// SPDX-License-Identifier: GPL-2.0
/* Freeze notifications: request, delivery, acknowledgment, clearing. */

#include <errno.h>
#include <fcntl.h>

#include "kselftest_harness.h"
#include "object.h"

#define COOKIE 0xabcdef0123ULL
#define CLEARED "NOOP CLEAR_FREEZE_NOTIFICATION_DONE"

FIXTURE(freeze_notification)
{
	struct peer *manager;
	struct peer *owner;	/* the one that freezes */
	struct peer *client;
	__u32 handle;
};

FIXTURE_SETUP(freeze_notification)
{
	binder_setup();
	self->manager = registry_open();
	self->owner = peer_open(task_fork());
	self->client = peer_open(NULL);
	ASSERT_EQ(0, peer_word(self->client, BC_ENTER_LOOPER));
	self->handle = registry_give(self->manager, self->owner, self->client,
				     0x10, 0, 0);
}

FIXTURE_TEARDOWN(freeze_notification)
{
	EXPECT_STREQ("", binder_teardown());
}

static void freeze(struct peer *owner, bool on)
{
	struct binder_freeze_info info = { task_pid(owner->task), on, 0 };
	int ret = peer_ioctl(owner, BINDER_FREEZE, &info);

	if (ret)
		die("BINDER_FREEZE: %s", error_name(-ret));
}

static int request(struct peer *peer, __u32 handle, __u64 cookie)
{
	put_handle_cookie(peer, BC_REQUEST_FREEZE_NOTIFICATION, handle, cookie);
	return peer_write(peer);
}

static int clear(struct peer *peer, __u32 handle, __u64 cookie)
{
	put_handle_cookie(peer, BC_CLEAR_FREEZE_NOTIFICATION, handle, cookie);
	return peer_write(peer);
}

static int done(struct peer *peer, __u64 cookie)
{
	put_u64(peer, BC_FREEZE_NOTIFICATION_DONE, cookie);
	return peer_write(peer);
}

/* Reads one state, "frozen 1", or gives what came instead. */
static const char *state(struct peer *peer)
{
	struct binder_frozen_state_info *info = &peer->rets[1].frozen;

	if (strcmp(peer_read(peer), "NOOP FROZEN_BINDER"))
		return peer->text;
	if (info->cookie != COOKIE || info->reserved)
		return "wrong cookie or reserved field";
	return info->is_frozen ? "frozen" : "thawed";
}

/* Asks, reads the present state, acknowledges it. */
static void subscribe(struct peer *client, __u32 handle)
{
	const char *text;

	if (request(client, handle, COOKIE))
		die("BC_REQUEST_FREEZE_NOTIFICATION failed");
	text = state(client);
	if (strcmp(text, "thawed"))
		die("first state: %s", text);
	if (done(client, COOKIE))
		die("BC_FREEZE_NOTIFICATION_DONE failed");
}

/* Item 156: the answer to a request is the present state. */
TEST_F(freeze_notification, present_state)
{
	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	EXPECT_STREQ("thawed", state(self->client));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

TEST_F(freeze_notification, present_state_frozen)
{
	freeze(self->owner, true);
	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	EXPECT_STREQ("frozen", state(self->client));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Item 157. */
TEST_F(freeze_notification, changes)
{
	subscribe(self->client, self->handle);
	for (int i = 0; i < 3; i++) {
		freeze(self->owner, true);
		EXPECT_STREQ("frozen", state(self->client));
		ASSERT_EQ(0, done(self->client, COOKIE));
		freeze(self->owner, false);
		EXPECT_STREQ("thawed", state(self->client));
		ASSERT_EQ(0, done(self->client, COOKIE));
	}
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Items 91 and 157: to every holder, for every node, one to a read. */
TEST_F(freeze_notification, every_holder_and_node)
{
	struct peer *clients[2] = { self->client, peer_open(NULL) };
	__u64 sum = 0;

	ASSERT_EQ(0, peer_word(clients[1], BC_ENTER_LOOPER));
	for (int i = 0; i < 4; i++) {
		struct peer *client = clients[i / 2];
		__u32 handle = registry_give(self->manager, self->owner, client,
					     0x20 + i % 2, 0, 0);

		ASSERT_EQ(0, request(client, handle, i + 1));
		ASSERT_STREQ("NOOP FROZEN_BINDER", peer_read(client));
		ASSERT_EQ(0, done(client, i + 1));
	}
	freeze(self->owner, true);
	for (int i = 0; i < 4; i++) {
		ASSERT_STREQ("NOOP FROZEN_BINDER", peer_read(clients[i / 2]));
		EXPECT_EQ(1, clients[i / 2]->rets[1].frozen.is_frozen);
		sum += clients[i / 2]->rets[1].frozen.cookie;
	}
	EXPECT_EQ(10, sum);
	EXPECT_STREQ("EAGAIN", peer_read(clients[0]));
	EXPECT_STREQ("EAGAIN", peer_read(clients[1]));
}

/* Item 158: a change while the last is unacknowledged waits for that. */
TEST_F(freeze_notification, change_before_done)
{
	subscribe(self->client, self->handle);
	freeze(self->owner, true);
	EXPECT_STREQ("frozen", state(self->client));
	freeze(self->owner, false);
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
	ASSERT_EQ(0, done(self->client, COOKIE));
	EXPECT_STREQ("thawed", state(self->client));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Item 159: several changes before a read are one, the last. */
TEST_F(freeze_notification, changes_before_a_read)
{
	subscribe(self->client, self->handle);
	freeze(self->owner, true);
	freeze(self->owner, false);
	freeze(self->owner, true);
	EXPECT_STREQ("frozen", state(self->client));
	ASSERT_EQ(0, done(self->client, COOKIE));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* At most one repetition of the state, then nothing. */
static bool repeated_at_most(struct peer *client, const char *what)
{
	const char *text = state(client);

	if (!strcmp(text, "EAGAIN"))
		return true;
	return !strcmp(text, what) && !done(client, COOKIE) &&
	       !strcmp(state(client), "EAGAIN");
}

/* Item 160: no change may or may not be told again. */
TEST_F(freeze_notification, frozen_twice)
{
	subscribe(self->client, self->handle);
	freeze(self->owner, true);
	EXPECT_STREQ("frozen", state(self->client));
	ASSERT_EQ(0, done(self->client, COOKIE));
	freeze(self->owner, true);
	EXPECT_TRUE(repeated_at_most(self->client, "frozen"));
}

/* Item 161: so with a change that was taken back. */
TEST_F(freeze_notification, there_and_back_before_done)
{
	subscribe(self->client, self->handle);
	freeze(self->owner, true);
	EXPECT_STREQ("frozen", state(self->client));
	freeze(self->owner, false);
	freeze(self->owner, true);
	ASSERT_EQ(0, done(self->client, COOKIE));
	EXPECT_TRUE(repeated_at_most(self->client, "frozen"));
}

/* Item 162: what is queued unread goes when it is cleared. */
TEST_F(freeze_notification, cleared_before_reading)
{
	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	ASSERT_EQ(0, clear(self->client, self->handle, COOKIE));
	ASSERT_STREQ(CLEARED, peer_read(self->client));
	EXPECT_EQ(COOKIE, self->client->rets[1].cookie);
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Item 162: and one can ask again. */
TEST_F(freeze_notification, cleared_when_idle)
{
	for (int i = 0; i < 3; i++) {
		subscribe(self->client, self->handle);
		ASSERT_EQ(0, clear(self->client, self->handle, COOKIE));
		EXPECT_STREQ(CLEARED, peer_read(self->client));
	}
	freeze(self->owner, true);
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Item 163: unacknowledged, it is cleared when that is done. */
TEST_F(freeze_notification, cleared_before_done)
{
	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	EXPECT_STREQ("thawed", state(self->client));
	ASSERT_EQ(0, clear(self->client, self->handle, COOKIE));
	freeze(self->owner, true);
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
	ASSERT_EQ(0, done(self->client, COOKIE));
	EXPECT_STREQ(CLEARED, peer_read(self->client));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Item 164: a new request while the old one is being cleared. */
TEST_F(freeze_notification, requested_again_before_done)
{
	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	EXPECT_STREQ("thawed", state(self->client));
	ASSERT_EQ(0, clear(self->client, self->handle, COOKIE));
	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	EXPECT_STREQ("thawed", state(self->client));
	ASSERT_EQ(0, done(self->client, COOKIE));
	EXPECT_STREQ(CLEARED, peer_read(self->client));
	ASSERT_EQ(0, done(self->client, COOKIE));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
	freeze(self->owner, true);
	EXPECT_STREQ("frozen", state(self->client));
}

/* Item 165: the dead can be subscribed to; a state of 0 may come. */
TEST_F(freeze_notification, dead_node)
{
	const char *text;

	kill_and_wait(self->owner, self->client, self->handle);
	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	text = state(self->client);
	EXPECT_TRUE(!strcmp(text, "EAGAIN") || !strcmp(text, "thawed")) {
		TH_LOG("read %s", text);
	}
}

/* Item 166: death is no change of state, and can be cleared after. */
TEST_F(freeze_notification, death)
{
	subscribe(self->client, self->handle);
	kill_and_wait(self->owner, self->client, self->handle);
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
	ASSERT_EQ(0, clear(self->client, self->handle, COOKIE));
	EXPECT_STREQ(CLEARED, peer_read(self->client));
}

/* Item 166: the request goes with the reference. */
TEST_F(freeze_notification, reference_dropped)
{
	ASSERT_EQ(0, request(self->client, self->handle, COOKIE));
	registry_drop(self->client, self->handle);
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
	freeze(self->owner, true);
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Item 167: a freeze that fails is not told. */
TEST_F(freeze_notification, failed_freeze)
{
	struct binder_freeze_info info = { task_pid(self->owner->task), 1, 50 };

	subscribe(self->client, self->handle);
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.handle = self->handle,
				   .flags = TF_ONE_WAY)));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(self->client));
	EXPECT_EQ(-EAGAIN, peer_ioctl(self->client, BINDER_FREEZE, &info));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
}

/* Item 112: unlike the commands on deaths, misuse is an error. */
TEST_F(freeze_notification, bad_requests)
{
	EXPECT_EQ(-EINVAL, request(self->client, 77, 1));
	EXPECT_EQ(0, self->client->bwr.write_consumed);
	subscribe(self->client, self->handle);
	EXPECT_EQ(-EINVAL, request(self->client, self->handle, COOKIE));
	EXPECT_EQ(-EINVAL, request(self->client, self->handle, 2));
	EXPECT_EQ(0, self->client->bwr.write_consumed);
}

/* Item 113. */
TEST_F(freeze_notification, bad_clears)
{
	EXPECT_EQ(-EINVAL, clear(self->client, 77, 1));
	EXPECT_EQ(-EINVAL, clear(self->client, self->handle, COOKIE));
	subscribe(self->client, self->handle);
	EXPECT_EQ(-EINVAL, clear(self->client, self->handle, COOKIE + 1));
	EXPECT_EQ(0, self->client->bwr.write_consumed);
	EXPECT_EQ(-EINVAL, done(self->client, COOKIE));
	EXPECT_EQ(-EINVAL, done(self->client, 5));
	EXPECT_EQ(0, self->client->bwr.write_consumed);
}

TEST_HARNESS_MAIN
