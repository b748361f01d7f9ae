// SPDX-License-Identifier: GPL-2.0
/* Names in binderfs: what can be removed, renamed, made. */

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "peer.h"

FIXTURE(binderfs_names)
{
	int dir;
};

FIXTURE_SETUP(binderfs_names)
{
	binder_setup();
	self->dir = binder_dir;
}

FIXTURE_TEARDOWN(binderfs_names)
{
	EXPECT_STREQ("", binder_teardown());
}

static int try_unlink(int dir, const char *name, int flags)
{
	return unlinkat(dir, name, flags) ? -errno : 0;
}

static int try_rename(int dir, const char *from, const char *to, int flags)
{
	return renameat2(dir, from, dir, to, flags) ? -errno : 0;
}

static int become_manager(int fd)
{
	return ioctl(fd, BINDER_SET_CONTEXT_MGR, 0) ? -errno : 0;
}

/* Opens a device and becomes its manager; the descriptor or -errno */
static int manage(int dir, const char *name)
{
	int ret, fd = binder_open_at(dir, name, O_RDWR);

	if (fd < 0)
		return fd;
	ret = become_manager(fd);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

/* Item 292. */
TEST_F(binderfs_names, taken)
{
	EXPECT_EQ(-EEXIST, binder_add(self->dir, "features", NULL));
	if (binder_count("proc") >= 0)
		EXPECT_EQ(-EEXIST, binder_add(self->dir, "binder_logs", NULL));
}

/* Item 296. */
TEST_F(binderfs_names, unlink)
{
	EXPECT_EQ(0, try_unlink(self->dir, BINDER_DEV, 0));
	EXPECT_EQ(-ENOENT, binder_open_at(self->dir, BINDER_DEV, O_RDWR));
	EXPECT_EQ(0, try_unlink(self->dir, "binder", 0));
	EXPECT_EQ(-EPERM, try_unlink(self->dir, "binder-control", 0));
	EXPECT_EQ(-EPERM, try_unlink(self->dir, "features/extended_error", 0));
	EXPECT_EQ(-EISDIR, try_unlink(self->dir, "features", 0));
	EXPECT_EQ(-EPERM, try_unlink(self->dir, "features", AT_REMOVEDIR));
	if (binder_count("proc") >= 0)
		EXPECT_EQ(-EPERM, try_unlink(self->dir, "binder_logs/stats",
					     0));
}

/* Item 297: an open device goes on, and its name is free for another. */
TEST_F(binderfs_names, unlink_while_open)
{
	struct binder_version version;
	int old, new;

	old = binder_open_at(self->dir, BINDER_DEV, O_RDWR);
	ASSERT_LE(0, old);
	ASSERT_EQ(0, try_unlink(self->dir, BINDER_DEV, 0));
	EXPECT_EQ(0, ioctl(old, BINDER_VERSION, &version));
	EXPECT_EQ(0, become_manager(old));
	ASSERT_EQ(0, binder_add(self->dir, BINDER_DEV, NULL));
	new = manage(self->dir, BINDER_DEV);
	EXPECT_LE(0, new);
	close(old);
	close(new);
}

/* Item 298. */
TEST_F(binderfs_names, rename_device)
{
	int fd;

	EXPECT_EQ(0, try_rename(self->dir, BINDER_DEV, "fresh", 0));
	EXPECT_EQ(-ENOENT, binder_open_at(self->dir, BINDER_DEV, O_RDWR));
	fd = manage(self->dir, "fresh");
	EXPECT_LE(0, fd);
	close(fd);
	/* The old name can be had again. */
	EXPECT_EQ(0, binder_add(self->dir, BINDER_DEV, NULL));
}

/* Item 298. */
TEST_F(binderfs_names, rename_of_control)
{
	EXPECT_EQ(-EPERM, try_rename(self->dir, "binder-control", "x", 0));
	EXPECT_EQ(-EPERM, try_rename(self->dir, BINDER_DEV, "binder-control",
				     0));
	EXPECT_EQ(-EPERM, try_rename(self->dir, BINDER_DEV, "binder-control",
				     RENAME_EXCHANGE));
}

/* Item 298. */
TEST_F(binderfs_names, rename_onto_a_device)
{
	int mine = manage(self->dir, BINDER_DEV), fd;

	ASSERT_LE(0, mine);
	ASSERT_EQ(0, binder_add(self->dir, "victim", NULL));
	EXPECT_EQ(-EEXIST, try_rename(self->dir, BINDER_DEV, "victim",
				      RENAME_NOREPLACE));
	EXPECT_EQ(-EINVAL, try_rename(self->dir, BINDER_DEV, "other",
				      RENAME_WHITEOUT));
	EXPECT_EQ(0, try_rename(self->dir, BINDER_DEV, "victim", 0));
	/* It is the first device now, which has a manager. */
	fd = binder_open_at(self->dir, "victim", O_RDWR);
	EXPECT_EQ(-EBUSY, become_manager(fd));
	close(fd);
	close(mine);
}

/* Item 298. */
TEST_F(binderfs_names, exchange)
{
	int mine = manage(self->dir, BINDER_DEV), fd;

	ASSERT_LE(0, mine);
	ASSERT_EQ(0, binder_add(self->dir, "second", NULL));
	EXPECT_EQ(0, try_rename(self->dir, BINDER_DEV, "second",
				RENAME_EXCHANGE));
	fd = binder_open_at(self->dir, "second", O_RDWR);
	EXPECT_EQ(-EBUSY, become_manager(fd));
	close(fd);
	fd = manage(self->dir, BINDER_DEV);
	EXPECT_LE(0, fd);
	close(fd);
	close(mine);
}

/* Item 300: nothing but BINDER_CTL_ADD makes anything. */
TEST_F(binderfs_names, nothing_else_can_be_made)
{
	EXPECT_EQ(-1, mkdirat(self->dir, "d", 0755));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, mknodat(self->dir, "n", S_IFCHR | 0600, makedev(1, 3)));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, symlinkat("x", self->dir, "s"));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, linkat(self->dir, BINDER_DEV, self->dir, "l", 0));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-EACCES, binder_open_at(self->dir, "f", O_CREAT | O_RDWR));
	EXPECT_EQ(0, fchmodat(self->dir, BINDER_DEV, 0666, 0));
	EXPECT_EQ(0, fchownat(self->dir, BINDER_DEV, 1000, 1000, 0));
}

static long open_as(long uid, long name, long unused)
{
	int fd;

	if (setresuid(-1, uid, 0))
		return -errno;
	fd = binder_open_at(binder_dir, (const char *)name, O_RDWR);
	if (setresuid(-1, 0, 0))
		return -errno;
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

/* Item 300: so that others can open the device. */
TEST_F(binderfs_names, mode_and_owner_matter)
{
	struct stat st;

	ASSERT_EQ(0, fchmodat(self->dir, BINDER_DEV, 0666, 0));
	ASSERT_EQ(0, fchownat(self->dir, BINDER_DEV, 1000, 2000, 0));
	ASSERT_EQ(0, fstatat(self->dir, BINDER_DEV, &st, 0));
	EXPECT_EQ(S_IFCHR | 0666, st.st_mode);
	EXPECT_EQ(1000, st.st_uid);
	EXPECT_EQ(2000, st.st_gid);
	EXPECT_EQ(0, task_call(task_fork(), open_as, 1234, (long)BINDER_DEV,
			       0));
	EXPECT_EQ(-EACCES, task_call(task_fork(), open_as, 1234,
				     (long)"binder", 0));
}

/* Item 301: the number alone is no device, wherever the node is. */
TEST_F(binderfs_names, mknod_elsewhere)
{
	struct binderfs_device dev;
	char path[64];

	ASSERT_EQ(0, binder_add(self->dir, "real", &dev));
	snprintf(path, sizeof(path), "/dev/binder-selftest-%d", getpid());
	if (mknod(path, S_IFCHR | 0600, makedev(dev.major, dev.minor)))
		SKIP(return, "cannot make a device node: %m");
	EXPECT_EQ(-ENXIO, binder_open_at(AT_FDCWD, path, O_RDWR));
	ASSERT_EQ(0, try_unlink(self->dir, "real", 0));
	EXPECT_EQ(-ENXIO, binder_open_at(AT_FDCWD, path, O_RDWR));
	unlink(path);
}

static __u32 next_event(int fd, char *name)
{
	union {
		struct inotify_event event;
		char bytes[512];
	} buf;

	if (read(fd, &buf, sizeof(buf)) <= 0)
		return 0;
	memcpy(name, buf.event.name, buf.event.len);
	return buf.event.mask;
}

/* Item 305. */
TEST_F(binderfs_names, notified)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[64], name[256];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->dir);
	ASSERT_LE(0, inotify_add_watch(fd, path, IN_CREATE | IN_DELETE));
	ASSERT_EQ(0, binder_add(self->dir, "seen", NULL));
	EXPECT_EQ(IN_CREATE, next_event(fd, name));
	EXPECT_STREQ("seen", name);
	ASSERT_EQ(0, try_unlink(self->dir, "seen", 0));
	EXPECT_EQ(IN_DELETE, next_event(fd, name));
	EXPECT_STREQ("seen", name);
	close(fd);
}

/* Item 299: a device in features/ is stuck there, and still works. */
TEST_F(binderfs_names, move_into_features)
{
	int fd;

	ASSERT_EQ(0, try_rename(self->dir, BINDER_DEV, "features/dev", 0));
	EXPECT_EQ(-EPERM, try_rename(self->dir, "features/dev", "dev", 0));
	EXPECT_EQ(-EPERM, try_unlink(self->dir, "features/dev", 0));
	fd = manage(self->dir, "features/dev");
	EXPECT_LE(0, fd);
	close(fd);
	EXPECT_EQ(0, try_rename(self->dir, "features", "moved", 0));
}

/* Item 293: a name that is no good is found out late. */
TEST_F(binderfs_names, numbers_after_a_bad_name)
{
	struct binderfs_device dev = {};

	EXPECT_EQ(-EEXIST, binder_add(self->dir, BINDER_DEV, &dev));
	EXPECT_NE(0, dev.major);
}

/* Who cannot be told the numbers gets no device. */
TEST_F(binderfs_names, numbers_cannot_be_told)
{
	int fd = binder_open_at(self->dir, "binder-control", O_RDONLY);
	struct binderfs_device *dev;
	struct stat st;

	dev = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, dev);
	*dev = (struct binderfs_device){ .name = "untold" };
	ASSERT_EQ(0, mprotect(dev, 4096, PROT_READ));
	EXPECT_EQ(-1, ioctl(fd, BINDER_CTL_ADD, dev));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, fstatat(self->dir, "untold", &st, 0));
	EXPECT_EQ(ENOENT, errno);
	close(fd);
}

/* Item 293: what the struct holds when there is no room. */
TEST_F(binderfs_names, numbers_after_a_failure)
{
	struct binderfs_device dev = {};
	int dir = binder_mount("max", "3");

	ASSERT_LE(0, dir);
	EXPECT_EQ(-ENOSPC, binder_add(dir, "x", &dev));
	EXPECT_EQ(0, dev.major);
	EXPECT_EQ(0, dev.minor);
	close(dir);
}

TEST_HARNESS_MAIN
