// SPDX-License-Identifier: GPL-2.0
/* binderfs as one finds it after a mount, and BINDER_CTL_ADD. */

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "peer.h"

#define SUPER_MAGIC 0x6c6f6f70

FIXTURE(binderfs)
{
	struct task *other;
};

FIXTURE_SETUP(binderfs)
{
	binder_setup();
	self->other = task_fork();
}

FIXTURE_TEARDOWN(binderfs)
{
	EXPECT_STREQ("", binder_teardown());
}

static struct stat stat_of(int dir, const char *name)
{
	struct stat st = {};

	if (fstatat(dir, name, &st, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		die("stat of '%s': %m", name);
	return st;
}

/* Item 280. */
TEST_F(binderfs, root)
{
	struct stat st = stat_of(binder_dir, "");

	EXPECT_EQ(S_IFDIR | 0755, st.st_mode);
	EXPECT_EQ(1, st.st_ino);
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(0, st.st_gid);
}

/* Item 280. */
TEST_F(binderfs, control)
{
	struct stat st = stat_of(binder_dir, "binder-control");

	EXPECT_EQ(S_IFCHR | 0600, st.st_mode);
	EXPECT_EQ(2, st.st_ino);
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(0, st.st_gid);
}

/* Item 280: with the default configuration. */
TEST_F(binderfs, default_devices)
{
	static const char * const names[] = {
		"binder", "hwbinder", "vndbinder",
	};
	struct peer *peer;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct stat st = stat_of(binder_dir, names[i]);

		EXPECT_EQ(S_IFCHR | 0600, st.st_mode);
		peer = peer_open_as(NULL, names[i], O_RDWR | O_NONBLOCK,
				    MAP_SIZE);
		EXPECT_EQ(0, peer_ioctl(peer, BINDER_SET_CONTEXT_MGR, NULL));
	}
}

/* Item 282. */
TEST_F(binderfs, statfs)
{
	struct statfs fs;

	ASSERT_EQ(0, fstatfs(binder_dir, &fs));
	EXPECT_EQ(SUPER_MAGIC, fs.f_type);
	EXPECT_EQ(sysconf(_SC_PAGESIZE), fs.f_bsize);
	EXPECT_EQ(255, fs.f_namelen);
	EXPECT_EQ(0, fs.f_blocks);
}

/* The major number of "binder" in /proc/devices */
static unsigned int binder_major(void)
{
	FILE *file = fopen("/proc/devices", "re");
	unsigned int major, found = 0;
	char line[128], name[64];

	if (!file)
		die("/proc/devices: %m");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%u %63s", &major, name) == 2 &&
		    !strcmp(name, "binder"))
			found = major;
	fclose(file);
	return found;
}

/* Items 281 and 291. */
TEST_F(binderfs, add_makes_a_device)
{
	struct binderfs_device dev;
	struct peer *peer;
	struct stat st;

	ASSERT_EQ(0, binder_add(binder_dir, "mine", &dev));
	EXPECT_STREQ("mine", dev.name);
	st = stat_of(binder_dir, "mine");
	EXPECT_EQ(S_IFCHR | 0600, st.st_mode);
	EXPECT_EQ(dev.major, major(st.st_rdev));
	EXPECT_EQ(dev.minor, minor(st.st_rdev));
	EXPECT_EQ(dev.minor + 3, st.st_ino);
	EXPECT_EQ(binder_major(), dev.major);
	EXPECT_EQ(0, st.st_uid);
	peer = peer_open_as(NULL, "mine", O_RDWR | O_NONBLOCK, MAP_SIZE);
	EXPECT_EQ(0, peer_ioctl(peer, BINDER_SET_CONTEXT_MGR, NULL));
}

/* Item 281: no two devices share a number, over all instances. */
TEST_F(binderfs, numbers_are_unique)
{
	int other_dir = binder_mount(NULL, NULL);
	struct binderfs_device dev[4];

	ASSERT_LE(0, other_dir);
	ASSERT_EQ(0, binder_add(binder_dir, "a", &dev[0]));
	ASSERT_EQ(0, binder_add(other_dir, "a", &dev[1]));
	ASSERT_EQ(0, binder_add(binder_dir, "b", &dev[2]));
	ASSERT_EQ(0, binder_add(other_dir, "b", &dev[3]));
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < i; j++) {
			EXPECT_EQ(dev[j].major, dev[i].major);
			EXPECT_NE(dev[j].minor, dev[i].minor);
		}
	close(other_dir);
}

/* Item 284: equal names in two instances are two contexts. */
TEST_F(binderfs, instances_are_separate)
{
	struct peer *peer = peer_open(NULL);
	int fd, dir = binder_mount(NULL, NULL);

	ASSERT_LE(0, dir);
	EXPECT_EQ(-ENOENT, binder_open_at(dir, BINDER_DEV, O_RDWR));
	ASSERT_EQ(0, binder_add(dir, BINDER_DEV, NULL));
	fd = binder_open_at(dir, BINDER_DEV, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, peer_ioctl(peer, BINDER_SET_CONTEXT_MGR, NULL));
	EXPECT_EQ(0, ioctl(fd, BINDER_SET_CONTEXT_MGR, 0));
	close(fd);
	close(dir);
}

/* Item 292. */
TEST_F(binderfs, add_of_taken_names)
{
	EXPECT_EQ(-EEXIST, binder_add(binder_dir, BINDER_DEV, NULL));
	EXPECT_EQ(-EEXIST, binder_add(binder_dir, "binder", NULL));
	EXPECT_EQ(-EEXIST, binder_add(binder_dir, "binder-control", NULL));
}

/* Item 292. */
TEST_F(binderfs, add_of_bad_names)
{
	EXPECT_EQ(-EACCES, binder_add(binder_dir, "", NULL));
	EXPECT_EQ(-EACCES, binder_add(binder_dir, ".", NULL));
	EXPECT_EQ(-EACCES, binder_add(binder_dir, "..", NULL));
	EXPECT_EQ(-EACCES, binder_add(binder_dir, "a/b", NULL));
	EXPECT_EQ(-EACCES, binder_add(binder_dir, "/", NULL));
}

/* Item 294: a name without its final NUL loses its last byte. */
TEST_F(binderfs, add_of_a_long_name)
{
	struct binderfs_device dev;
	char name[256];
	int fd = binder_open_at(binder_dir, "binder-control", O_RDWR);

	ASSERT_LE(0, fd);
	memset(&dev, 'x', sizeof(dev));
	EXPECT_EQ(0, ioctl(fd, BINDER_CTL_ADD, &dev));
	memset(name, 'x', 255);
	name[255] = 0;
	stat_of(binder_dir, name);
	close(fd);
}

/* Item 295, and 291: a read-only descriptor will do. */
TEST_F(binderfs, control_ioctls)
{
	struct binderfs_device dev = { .name = "readonly" };
	int fd = binder_open_at(binder_dir, "binder-control", O_RDONLY);
	char byte;

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, ioctl(fd, BINDER_CTL_ADD, &dev));
	EXPECT_EQ(-1, ioctl(fd, BINDER_CTL_ADD, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(fd, BINDER_VERSION, &dev));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(fd, _IO('b', 1), &dev));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, read(fd, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	close(fd);
}

/* Items 9 and 302: an open device outlives the mount it came from. */
TEST_F(binderfs, open_device_outlives_the_mount)
{
	int fd, dir = binder_mount(NULL, NULL);
	struct binder_version version = {};

	ASSERT_LE(0, dir);
	ASSERT_EQ(0, binder_add(dir, "late", NULL));
	fd = binder_open_at(dir, "late", O_RDWR);
	ASSERT_LE(0, fd);
	close(dir);
	EXPECT_EQ(0, ioctl(fd, BINDER_SET_CONTEXT_MGR, 0));
	EXPECT_EQ(0, ioctl(fd, BINDER_VERSION, &version));
	EXPECT_EQ(8, version.protocol_version);
	close(fd);
}

/* Item 280: instances come and go. */
TEST_F(binderfs, many_mounts)
{
	struct binderfs_device dev;
	int dir;

	for (int i = 0; i < 50; i++) {
		dir = binder_mount(NULL, NULL);
		ASSERT_LE(0, dir);
		ASSERT_EQ(0, binder_add(dir, "device", &dev));
		close(dir);
	}
}

/* Item 337. */
TEST_F(binderfs, file_system_is_listed)
{
	FILE *file = fopen("/proc/filesystems", "re");
	bool found = false;
	char line[64];

	ASSERT_NE(NULL, file);
	while (fgets(line, sizeof(line), file))
		found |= !strcmp(line, "nodev\tbinder\n");
	EXPECT_TRUE(found);
	fclose(file);
}

TEST_HARNESS_MAIN
