// SPDX-License-Identifier: GPL-2.0
/* The ioctls that need no traffic: numbers, pointers, the manager's role. */

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "peer.h"

#define BAD_POINTER ((void *)8)

FIXTURE(ioctl)
{
	struct task *other;
};

FIXTURE_SETUP(ioctl)
{
	binder_setup();
	self->other = task_fork();
}

FIXTURE_TEARDOWN(ioctl)
{
	EXPECT_STREQ("", binder_teardown());
}

static int raw_ioctl(struct peer *peer, unsigned long cmd, void *arg)
{
	return ioctl(peer->fd, cmd, arg) ? -errno : 0;
}

/* Item 37, first half. */
TEST_F(ioctl, version_is_8)
{
	struct binder_version version = {};
	struct peer *peer = peer_open(NULL);

	ASSERT_EQ(0, peer_ioctl(peer, BINDER_VERSION, &version));
	EXPECT_EQ(BINDER_CURRENT_PROTOCOL_VERSION, version.protocol_version);
	EXPECT_EQ(8, version.protocol_version);
}

/* Item 36. */
TEST_F(ioctl, unknown_numbers_are_refused)
{
	struct peer *peer = peer_open(NULL);
	__u64 arg = 0;

	EXPECT_EQ(-EINVAL, raw_ioctl(peer, _IOW('b', 99, __u32), &arg));
	EXPECT_EQ(-EINVAL, raw_ioctl(peer, _IO('b', 1), &arg));
	EXPECT_EQ(-EINVAL, raw_ioctl(peer, _IOWR('b', 9, __u64), &arg));
	EXPECT_EQ(-EINVAL, raw_ioctl(peer, BINDER_SET_IDLE_TIMEOUT, &arg));
	EXPECT_EQ(-EINVAL, raw_ioctl(peer, BINDER_SET_IDLE_PRIORITY, &arg));
	EXPECT_EQ(-EINVAL, raw_ioctl(peer, 0, &arg));
}

/* Item 37, second half: an ill pointer is either error. */
TEST_F(ioctl, bad_pointer_of_small_arguments)
{
	static const unsigned int cmds[] = {
		BINDER_VERSION, BINDER_SET_MAX_THREADS,
		BINDER_SET_CONTEXT_MGR_EXT,
	};
	struct peer *peer = peer_open(NULL);
	int ret;

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		ret = raw_ioctl(peer, cmds[i], BAD_POINTER);
		EXPECT_TRUE(ret == -EINVAL || ret == -EFAULT) {
			TH_LOG("ioctl %#x gave %d", cmds[i], ret);
		}
	}
}

/* Item 39. */
TEST_F(ioctl, bad_pointers)
{
	static const unsigned int cmds[] = {
		BINDER_WRITE_READ, BINDER_FREEZE, BINDER_GET_FROZEN_INFO,
		BINDER_ENABLE_ONEWAY_SPAM_DETECTION, BINDER_GET_EXTENDED_ERROR,
		BINDER_GET_NODE_DEBUG_INFO, BINDER_GET_NODE_INFO_FOR_REF,
	};
	struct peer *peer = peer_open(NULL);

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		EXPECT_EQ(-EFAULT, raw_ioctl(peer, cmds[i], BAD_POINTER)) {
			TH_LOG("ioctl %#x", cmds[i]);
		}
	}
}

/* Item 38: any value is taken at any time. */
TEST_F(ioctl, max_threads_takes_any_value)
{
	static __u32 values[] = { 15, 0, 1, 0xffffffff, 0 };
	struct peer *peer = peer_open(NULL);

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		EXPECT_EQ(0, peer_ioctl(peer, BINDER_SET_MAX_THREADS,
					&values[i]));
}

/* Item 40. */
TEST_F(ioctl, second_manager_is_refused)
{
	struct peer *first = peer_open(NULL);
	struct peer *second = peer_open(NULL);
	struct peer *third = peer_open(self->other);

	ASSERT_EQ(0, peer_ioctl(first, BINDER_SET_CONTEXT_MGR, NULL));
	EXPECT_EQ(-EBUSY, peer_ioctl(first, BINDER_SET_CONTEXT_MGR, NULL));
	EXPECT_EQ(-EBUSY, peer_ioctl(second, BINDER_SET_CONTEXT_MGR, NULL));
	EXPECT_EQ(-EBUSY, peer_ioctl(third, BINDER_SET_CONTEXT_MGR, NULL));
}

/* Item 336: a manager on one device leaves the next device free. */
TEST_F(ioctl, each_device_has_its_own_manager)
{
	struct peer *first = peer_open(NULL);
	struct peer *second;

	ASSERT_EQ(0, binder_add(binder_dir, "second", NULL));
	second = peer_open_as(NULL, "second", O_RDWR | O_NONBLOCK, MAP_SIZE);
	EXPECT_EQ(0, peer_ioctl(first, BINDER_SET_CONTEXT_MGR, NULL));
	EXPECT_EQ(0, peer_ioctl(second, BINDER_SET_CONTEXT_MGR, NULL));
}

/* Item 45, and 40: the role is free again once the manager is released. */
TEST_F(ioctl, role_ends_with_the_open)
{
	struct peer *first = peer_open(NULL);
	struct peer *second = peer_open(NULL);

	ASSERT_EQ(0, peer_ioctl(first, BINDER_SET_CONTEXT_MGR, NULL));
	ASSERT_EQ(0, peer_ioctl(first, BINDER_THREAD_EXIT, NULL));
	EXPECT_EQ(-EBUSY, peer_ioctl(second, BINDER_SET_CONTEXT_MGR, NULL));
	peer_close(first);
	EXPECT_EQ(0, peer_become_manager(second));
}

static long set_euid(long uid, long unused, long unused2)
{
	return syscall(SYS_setresuid, -1, uid, -1) ? -errno : 0;
}

/* Item 41: the first manager's euid is the only one that may follow. */
TEST_F(ioctl, role_belongs_to_the_first_euid)
{
	struct peer *first = peer_open(NULL);
	struct peer *other = peer_open(self->other);

	ASSERT_EQ(0, peer_ioctl(first, BINDER_SET_CONTEXT_MGR, NULL));
	ASSERT_EQ(0, task_call(self->other, set_euid, 1000, 0, 0));
	EXPECT_EQ(-EBUSY, peer_ioctl(other, BINDER_SET_CONTEXT_MGR, NULL));
	peer_close(first);
	EXPECT_EQ(-EPERM, peer_become_manager(other));
	ASSERT_EQ(0, task_call(self->other, set_euid, 0, 0, 0));
	EXPECT_EQ(0, peer_become_manager(other));
}

/* Item 46: the argument is not looked at. */
TEST_F(ioctl, thread_exit_ignores_its_argument)
{
	struct peer *peer = peer_open(NULL);

	EXPECT_EQ(0, raw_ioctl(peer, BINDER_THREAD_EXIT, BAD_POINTER));
	EXPECT_EQ(0, raw_ioctl(peer, BINDER_THREAD_EXIT, NULL));
	EXPECT_STREQ("EAGAIN", (peer_read(peer), peer_read(peer)));
}

/* Items 1 and 71: neither the file's mode nor the caller's uid matters. */
TEST_F(ioctl, read_only_descriptor_may_do_all)
{
	struct peer *peer = peer_open_as(NULL, BINDER_DEV,
					 O_RDONLY | O_NONBLOCK, MAP_SIZE);
	__u32 max = 4;

	EXPECT_EQ(0, peer_ioctl(peer, BINDER_SET_MAX_THREADS, &max));
	EXPECT_EQ(0, peer_ioctl(peer, BINDER_SET_CONTEXT_MGR, NULL));
	EXPECT_EQ(0, peer_word(peer, BC_ENTER_LOOPER));
	EXPECT_STREQ("EAGAIN", peer_read(peer));
	EXPECT_EQ(0, peer_ioctl(peer, BINDER_THREAD_EXIT, NULL));
}

TEST_F(ioctl, ioctls_need_no_privilege)
{
	struct peer *other = peer_open(self->other);
	__u32 max = 4;

	ASSERT_EQ(0, task_call(self->other, set_euid, 1000, 0, 0));
	EXPECT_EQ(0, peer_ioctl(other, BINDER_SET_MAX_THREADS, &max));
	EXPECT_EQ(0, peer_ioctl(other, BINDER_SET_CONTEXT_MGR, NULL));
	EXPECT_EQ(0, peer_word(other, BC_ENTER_LOOPER));
}

TEST_HARNESS_MAIN
