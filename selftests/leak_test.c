// SPDX-License-Identifier: GPL-2.0
/* That the counts of objects tell leaks, which every test relies on. */

#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

static const char * const kinds[] = {
	"proc", "thread", "node", "ref", "death", "freeze", "transaction",
	"transaction_complete",
};

FIXTURE(leak)
{
	struct peer *manager;
};

FIXTURE_SETUP(leak)
{
	binder_setup();
	if (binder_count("proc") < 0)
		SKIP(return, "no object counts in this kernel");
	self->manager = registry_open();
}

FIXTURE_TEARDOWN(leak)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Waits for a count that is given back in the background. */
static long settled(const char *kind, long expected)
{
	long deadline = now_ms() + RELEASE_TIMEOUT_MS;

	while (binder_count(kind) != expected && now_ms() < deadline)
		nap();
	return binder_count(kind);
}

/* Item 22: every kind goes up with what is there, and back with the end. */
TEST_F(leak, counts_come_back)
{
	long before[ARRAY_SIZE(kinds)], during[ARRAY_SIZE(kinds)];
	struct peer *owner, *client;
	__u32 handle;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		before[i] = binder_count(kinds[i]);
	owner = peer_open(NULL);
	client = peer_open(NULL);
	handle = registry_give(self->manager, owner, client, 0x10, 0, 0);
	put_handle_cookie(client, BC_REQUEST_DEATH_NOTIFICATION, handle, 1);
	put_handle_cookie(client, BC_REQUEST_FREEZE_NOTIFICATION, handle, 1);
	/* A message that nobody reads, and its completion likewise */
	put_msg(client, BC_TRANSACTION,
		MSG(.handle = handle, .flags = TF_ONE_WAY));
	ASSERT_EQ(0, peer_write(client));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		during[i] = binder_count(kinds[i]);
		EXPECT_LT(before[i], during[i]) {
			TH_LOG("%s stays at %ld", kinds[i], before[i]);
		}
	}
	peer_close(client);
	peer_close(owner);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		EXPECT_EQ(before[i], settled(kinds[i], before[i])) {
			TH_LOG("%s was %ld meanwhile", kinds[i], during[i]);
		}
	}
}

TEST_HARNESS_MAIN
