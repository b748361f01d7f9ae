// SPDX-License-Identifier: GPL-2.0
/* binderfs in a user namespace, and what umount() does. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "peer.h"

FIXTURE(binderfs_userns)
{
};

FIXTURE_SETUP(binderfs_userns)
{
	binder_setup();
}

FIXTURE_TEARDOWN(binderfs_userns)
{
	EXPECT_STREQ("", binder_teardown());
}

/* Returns the line that failed. */
static long use_binderfs(long unused, long unused2, long unused3)
{
	struct binder_version version;
	struct stat st;
	int dir, fd;

	if (binder_mount("stats", "global") != -EPERM)
		return __LINE__;
	dir = binder_mount(NULL, NULL);
	if (dir < 0)
		return __LINE__;
	if (fstatat(dir, "binder-control", &st, 0) || st.st_uid || st.st_gid)
		return __LINE__;
	if (binder_add(dir, "mine", NULL))
		return __LINE__;
	if (fstatat(dir, "mine", &st, 0) || st.st_uid || st.st_gid)
		return __LINE__;
	fd = binder_open_at(dir, "mine", O_RDWR);
	if (fd < 0 || ioctl(fd, BINDER_VERSION, &version) ||
	    ioctl(fd, BINDER_SET_CONTEXT_MGR, 0))
		return __LINE__;
	return 0;
}

/* Items 303 and 288. */
TEST_F(binderfs_userns, mount_and_use)
{
	struct task *task = task_fork();

	if (task_call(task, enter_user_namespace, 0, 0, 0))
		SKIP(return, "no user namespaces here");
	EXPECT_EQ(0, task_call(task, use_binderfs, 0, 0, 0));
}

/* Item 302. */
TEST_F(binderfs_userns, umount_while_open)
{
	struct binder_version version;
	int dir, fd;

	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_EQ(0, mount("binder", "/sys/kernel", "binder", 0, NULL));
	dir = open("/sys/kernel", O_PATH | O_CLOEXEC);
	ASSERT_EQ(0, binder_add(dir, "open", NULL));
	fd = binder_open_at(dir, "open", O_RDWR);
	ASSERT_LE(0, fd);
	close(dir);
	EXPECT_EQ(-1, umount("/sys/kernel"));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(0, umount2("/sys/kernel", MNT_DETACH));
	EXPECT_EQ(0, ioctl(fd, BINDER_VERSION, &version));
	close(fd);
}

TEST_HARNESS_MAIN
