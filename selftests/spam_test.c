// SPDX-License-Identifier: GPL-2.0
/* Oneway spam detection. */

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"
#include "object.h"

#define AREA (64 * 1024)
#define OK "NOOP TRANSACTION_COMPLETE"
#define SPAM "NOOP ONEWAY_SPAM_SUSPECT"
#define PENDING "NOOP TRANSACTION_PENDING_FROZEN"

FIXTURE(spam)
{
	struct peer *server;
	struct peer *client;
	char *data;
};

FIXTURE_SETUP(spam)
{
	__u32 on = 1;

	binder_setup();
	self->server = peer_open_as(task_fork(), BINDER_DEV,
				    O_RDWR | O_NONBLOCK, AREA);
	ASSERT_EQ(0, peer_ioctl(self->server, BINDER_SET_CONTEXT_MGR, NULL));
	ASSERT_EQ(0, peer_word(self->server, BC_ENTER_LOOPER));
	self->client = peer_open(NULL);
	ASSERT_EQ(0, peer_ioctl(self->client,
				BINDER_ENABLE_ONEWAY_SPAM_DETECTION, &on));
	self->data = arena_alloc(AREA);
}

FIXTURE_TEARDOWN(spam)
{
	EXPECT_STREQ("", binder_teardown());
}

static const char *post(struct peer *client, const char *data, size_t size)
{
	put_msg(client, BC_TRANSACTION,
		MSG(.flags = TF_ONE_WAY, .data = data, .size = size));
	return peer_write_read(client);
}

/* Sends until something else than a completion comes; returns how many. */
static int flood(struct peer *client, const char *data, size_t size)
{
	int count = 0;

	while (!strcmp(post(client, data, size), OK))
		count++;
	return count;
}

/* Reads and frees all that is queued; returns how many. */
static int drain(struct peer *server)
{
	int count = 0;

	while (!strcmp(peer_read(server), "NOOP TRANSACTION")) {
		count++;
		peer_free_last(server);
	}
	return count;
}

/*
 * Item 204: less than a tenth of the mapping is left of the half that oneways
 * may take, and this sender holds more than a quarter of it.
 */
TEST_F(spam, by_size)
{
	EXPECT_EQ(25, flood(self->client, self->data, 1024));
	EXPECT_STREQ(SPAM, self->client->text);
	/* It is delivered all the same. */
	EXPECT_EQ(26, drain(self->server));
}

/* Items 206 and 506: or more than 50 buffers. */
TEST_F(spam, by_count)
{
	EXPECT_EQ(3276, flood(self->client, NULL, 0));
	EXPECT_STREQ(SPAM, self->client->text);
}

/*
 * Items 206 and 506: the new one counts, too, when nobody else has many or much.
 * The C driver notes whose it is too late to count it.
 */
TEST_F(spam, by_count_exactly)
{
	const char *text;

	for (int i = 0; i < 50; i++)
		ASSERT_STREQ(OK, post(self->client, NULL, 0));
	for (int i = 0; i < 2; i++)
		ASSERT_STREQ(OK, post(peer_open(task_fork()), self->data,
				      13 * 1024 + 512));
	text = post(self->client, NULL, 0);
	if (!is_binder_safe() && !strcmp(text, OK))
		text = post(self->client, NULL, 0);
	EXPECT_STREQ(SPAM, text);
}

/* Item 205: when it is better, detection begins anew. */
TEST_F(spam, again_after_draining)
{
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(25, flood(self->client, self->data, 1024));
		EXPECT_STREQ(SPAM, self->client->text);
		drain(self->server);
		EXPECT_STREQ(OK, post(self->client, NULL, 0));
		drain(self->server);
	}
}

/* Item 205: in one episode it is told once, or each time. */
TEST_F(spam, at_least_once_in_an_episode)
{
	const char *text;

	flood(self->client, self->data, 1024);
	EXPECT_STREQ(SPAM, self->client->text);
	text = post(self->client, self->data, 1024);
	EXPECT_TRUE(!strcmp(text, OK) || !strcmp(text, SPAM));
}

/* Item 207: a sender is blamed for its own share only. */
TEST_F(spam, innocent_sender)
{
	struct peer *other = peer_open(task_fork());
	__u32 on = 1;

	ASSERT_EQ(0, peer_ioctl(other, BINDER_ENABLE_ONEWAY_SPAM_DETECTION,
				&on));
	for (int i = 0; i < 25; i++)
		ASSERT_STREQ(OK, post(self->client, self->data, 1024));
	EXPECT_STREQ(OK, post(other, self->data, 1024));
	EXPECT_STREQ(SPAM, post(self->client, self->data, 1024));
}

/* Items 67 and 204: who has not asked is told nothing. */
TEST_F(spam, off)
{
	__u32 on = 0;

	ASSERT_EQ(0, peer_ioctl(self->client,
				BINDER_ENABLE_ONEWAY_SPAM_DETECTION, &on));
	EXPECT_EQ(31, flood(self->client, self->data, 1024 + 32));
	EXPECT_STREQ("NOOP FAILED_REPLY", self->client->text);
}

/* Item 67: any value but 0 is on. */
TEST_F(spam, switch)
{
	static __u32 values[] = { 0, 77, 0, 0x80000000 };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		ASSERT_EQ(0, peer_ioctl(self->client,
					BINDER_ENABLE_ONEWAY_SPAM_DETECTION,
					&values[i]));
		for (int j = 0; j < 25; j++)
			ASSERT_STREQ(OK, post(self->client, self->data, 1024));
		EXPECT_STREQ(values[i] ? SPAM : OK,
			     post(self->client, self->data, 1024));
		drain(self->server);
		post(self->client, NULL, 0);
		drain(self->server);
	}
	EXPECT_EQ(-1, ioctl(self->client->fd,
			    BINDER_ENABLE_ONEWAY_SPAM_DETECTION, 8));
	EXPECT_EQ(EFAULT, errno);
}

/* Item 207: that the target is frozen matters more. */
TEST_F(spam, frozen)
{
	struct binder_freeze_info info = { task_pid(self->server->task), 1, 0 };

	ASSERT_EQ(0, peer_ioctl(self->client, BINDER_FREEZE, &info));
	for (int i = 0; i < 26; i++)
		ASSERT_STREQ(PENDING, post(self->client, self->data, 1024));
}

TEST_HARNESS_MAIN
