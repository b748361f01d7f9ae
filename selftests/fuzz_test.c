// SPDX-License-Identifier: GPL-2.0
/*
 * Random commands by several peers, for BINDER_SECONDS of the environment and
 * from BINDER_SEED, which is fixed otherwise. Whatever they do, the driver
 * answers with the errors and returns that exist, and gives all back.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define PEERS 4

static long setting(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text ? atol(text) : otherwise;
}

FIXTURE(fuzz)
{
	struct peer *peers[PEERS];
	unsigned int state;
};

FIXTURE_SETUP(fuzz)
{
	binder_setup();
	self->state = setting("BINDER_SEED", 1);
	self->peers[0] = peer_manager(task_fork());
	for (int i = 1; i < PEERS; i++) {
		self->peers[i] = peer_open(NULL);
		ASSERT_EQ(0, peer_word(self->peers[i], BC_ENTER_LOOPER));
	}
}

FIXTURE_TEARDOWN(fuzz)
{
	EXPECT_STREQ("", binder_teardown());
}

static unsigned int roll(unsigned int *state, unsigned int sides)
{
	*state = *state * 1103515245 + 12345;
	return (*state >> 16) % sides;
}

static __u32 any_handle(unsigned int *state)
{
	return roll(state, 20) ? roll(state, 4) : roll(state, 65536);
}

/* One to three objects of any kind with small numbers in them */
static void put_random_msg(struct peer *peer, unsigned int *state)
{
	static const __u32 cmds[] = {
		BC_TRANSACTION, BC_REPLY, BC_TRANSACTION_SG, BC_REPLY_SG,
	};
	static const __u32 types[] = {
		BINDER_TYPE_BINDER, BINDER_TYPE_WEAK_BINDER,
		BINDER_TYPE_HANDLE, BINDER_TYPE_WEAK_HANDLE,
		BINDER_TYPE_FD, BINDER_TYPE_FDA, BINDER_TYPE_PTR, 0,
	};
	struct sg *sg = SG;
	struct msg msg = {
		.handle = any_handle(state),
		.code = roll(state, 3),
		.flags = roll(state, 128),
	};

	for (unsigned int i = roll(state, 4); i; i--) {
		struct binder_buffer_object obj = {
			.hdr.type = types[roll(state, ARRAY_SIZE(types))],
			.flags = roll(state, 2),
			.buffer = roll(state, 3) ? roll(state, 4) :
				  (__u64)peer->text,
			.length = roll(state, 64),
			.parent = roll(state, 3),
			.parent_offset = roll(state, 4) * 8,
		};

		sg_add(sg, &obj, sizeof(obj));
	}
	msg.data = sg->data;
	msg.size = sg->size - (roll(state, 10) ? 0 : 4);
	msg.offsets = sg->offsets;
	msg.offsets_size = sg->count * 8 + (roll(state, 50) ? 0 : 4);
	msg.extra = roll(state, 20) * 8;
	put_msg(peer, cmds[roll(state, ARRAY_SIZE(cmds))], &msg);
}

static void put_random(struct peer *peer, unsigned int *state)
{
	static const __u32 words[] = {
		BC_ENTER_LOOPER, BC_REGISTER_LOOPER, BC_EXIT_LOOPER,
	};
	static const __u32 counts[] = {
		BC_ACQUIRE, BC_RELEASE, BC_INCREFS, BC_DECREFS,
	};
	static const __u32 notifications[] = {
		BC_REQUEST_DEATH_NOTIFICATION, BC_CLEAR_DEATH_NOTIFICATION,
		BC_REQUEST_FREEZE_NOTIFICATION, BC_CLEAR_FREEZE_NOTIFICATION,
	};
	static const __u32 done[] = {
		BC_DEAD_BINDER_DONE, BC_FREEZE_NOTIFICATION_DONE,
	};

	switch (roll(state, 10)) {
	case 0:
		put_word(peer, words[roll(state, 3)]);
		break;
	case 1:
		put_u32(peer, counts[roll(state, 4)], any_handle(state));
		break;
	case 2:
		put_handle_cookie(peer, notifications[roll(state, 4)],
				  any_handle(state), roll(state, 3));
		break;
	case 3:
		put_u64(peer, done[roll(state, 2)], roll(state, 3));
		break;
	case 4:
		put_u64(peer, BC_FREE_BUFFER, peer->txn.data.ptr.buffer);
		break;
	case 5:
		put_node(peer, roll(state, 2) ? BC_INCREFS_DONE :
			 BC_ACQUIRE_DONE, roll(state, 4), 0);
		break;
	default:
		put_random_msg(peer, state);
	}
}

static int other_ioctl(struct peer *peer, unsigned int *state)
{
	struct binder_freeze_info freeze = { getpid(), 0, 0 };
	struct binder_node_debug_info debug = {};
	struct binder_extended_error ee;
	__u32 value = roll(state, 4);

	switch (roll(state, 5)) {
	case 0:
		return peer_ioctl(peer, BINDER_THREAD_EXIT, NULL);
	case 1:
		return peer_ioctl(peer, BINDER_SET_MAX_THREADS, &value);
	case 2:
		freeze.enable = roll(state, 2);
		return peer_ioctl(peer, BINDER_FREEZE, &freeze);
	case 3:
		return peer_ioctl(peer, BINDER_GET_NODE_DEBUG_INFO, &debug);
	default:
		return peer_ioctl(peer, BINDER_GET_EXTENDED_ERROR, &ee);
	}
}

/* No driver has any use for these returns. */
static bool sane(struct peer *peer)
{
	if (!strcmp(peer->text, "EAGAIN"))
		return true;
	for (int i = 0; i < peer->nr_rets; i++)
		switch (peer->rets[i].cmd) {
		case BR_ERROR:
		case BR_OK:
		case BR_FINISHED:
		case BR_ACQUIRE_RESULT:
		case BR_ATTEMPT_ACQUIRE:
			return false;
		}
	return !strncmp(peer->text, "NOOP", 4) ||
	       !strncmp(peer->text, "SPAWN_LOOPER", 12);
}

/* Descriptors arrive by chance; they must not pile up. */
static void close_strays(struct peer *peers[PEERS])
{
	int top = 0;

	for (int i = 1; i < PEERS; i++)
		top = peers[i]->fd > top ? peers[i]->fd : top;
	for (int fd = top + 1; fd < top + 64; fd++)
		close(fd);
}

/* Item 121. */
TEST_F_TIMEOUT(fuzz, commands, 7200)
{
	long end = now_ms() + 1000 * setting("BINDER_SECONDS", 5);

	for (long i = 0; now_ms() < end; i++) {
		struct peer *peer = self->peers[roll(&self->state, PEERS)];
		int ret = 0;

		switch (roll(&self->state, 8)) {
		case 0:
			ret = other_ioctl(peer, &self->state);
			break;
		case 1: case 2: case 3:
			peer_read(peer);
			ASSERT_TRUE(sane(peer)) {
				TH_LOG("step %ld: %s", i, peer->text);
			}
			break;
		default:
			for (int j = roll(&self->state, 3); j >= 0; j--)
				put_random(peer, &self->state);
			ret = peer_write(peer);
		}
		ASSERT_TRUE(!ret || ret == -EINVAL || ret == -EAGAIN) {
			TH_LOG("step %ld: %d", i, ret);
		}
		if (i % 100 == 0)
			close_strays(self->peers);
	}
}

TEST_HARNESS_MAIN
