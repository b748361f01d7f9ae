// SPDX-License-Identifier: GPL-2.0
/*
 * More oneways than a process reads. They may take all of the space that
 * oneways have; calls to the process, those that it makes, and their replies
 * go on.
 */

#include <errno.h>
#include <fcntl.h>

#include "kselftest_harness.h"
#include "object.h"

#define BATCH 50
#define KIB 1024

FIXTURE(flood)
{
	struct peer *manager;	/* whom the victim calls */
	struct peer *victim;
	struct peer *bystander;
	struct peer *sender;
	__u32 handle;		/* the bystander's, of the victim */
	__u32 target;		/* the sender's */
};

FIXTURE_VARIANT(flood)
{
	int count;
	size_t area;
};

/* As many as an old limit on the messages of an area left no room behind. */
FIXTURE_VARIANT_ADD(flood, in_1_mib)
{
	.count = 32767,
	.area = 1024 * KIB,
};

FIXTURE_VARIANT_ADD(flood, in_4_mib)
{
	.count = 100000,
	.area = 4096 * KIB,
};

FIXTURE_SETUP(flood)
{
	binder_setup();
	self->manager = registry_open();
	self->victim = peer_open_as(NULL, BINDER_DEV, O_RDWR | O_NONBLOCK,
				    variant->area);
	self->bystander = peer_open(NULL);
	self->sender = peer_open(NULL);
	ASSERT_EQ(0, peer_word(self->victim, BC_ENTER_LOOPER));
	self->handle = registry_give(self->manager, self->victim,
				     self->bystander, 0x10, 0, 0);
	self->target = registry_give(self->manager, self->victim, self->sender,
				     0x20, 0, 0);
}

FIXTURE_TEARDOWN(flood)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Sends empty oneways; returns how many were taken. */
static int flood(struct peer *sender, __u32 handle, int count)
{
	struct msg msg = { .handle = handle, .flags = TF_ONE_WAY };
	int taken = 0;

	for (int sent = 0; sent < count; sent += BATCH) {
		for (int i = 0; i < BATCH && sent + i < count; i++)
			put_msg(sender, BC_TRANSACTION, &msg);
		peer_write_read(sender);
		for (int i = 0; i < sender->nr_rets; i++)
			taken += sender->rets[i].cmd ==
				 BR_TRANSACTION_COMPLETE;
		if (sender->rets[sender->nr_rets - 1].cmd == BR_FAILED_REPLY)
			break;
	}
	return taken;
}

/* A call by client to a handle of server's; what the client reads in the end */
static const char *call(struct peer *client, struct peer *server, __u32 handle)
{
	put_msg(client, BC_TRANSACTION, MSG(.handle = handle));
	if (strcmp(peer_write_read(client), "EAGAIN"))
		return client->text;
	do {
		if (strcmp(peer_read(server), "NOOP TRANSACTION"))
			return server->text;
	} while (server->txn.flags & TF_ONE_WAY);
	answer(server, MSG());
	peer_read(client);
	peer_free_last(client);
	return client->text;
}

/* Items 186, 202 and 602. */
TEST_F(flood, calls_go_on)
{
	struct peer *sender = self->sender;

	EXPECT_EQ(variant->count, flood(sender, self->target, variant->count));
	for (int i = 0; i < 3; i++) {
		/* What the victim calls, it is answered. */
		EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
			     call(self->victim, self->manager, 0));
		/* Whoever calls the victim, it is reached. */
		EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY",
			     call(self->bystander, self->victim,
				  self->handle));
	}
}

TEST_HARNESS_MAIN
