// SPDX-License-Identifier: GPL-2.0
/*
 * Item 406: mount options for the devices that an instance has from the start.
 * The C driver does not know them.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "peer.h"

#define PLACE "/sys/kernel"

FIXTURE(binderfs_first)
{
	int dir;
};

FIXTURE_SETUP(binderfs_first)
{
	self->dir = -1;
	if (!is_binder_safe())
		SKIP(return, "BETTER: C has no options for devices");
	binder_setup();
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

FIXTURE_TEARDOWN(binderfs_first)
{
	close(self->dir);
	if (is_binder_safe())
		EXPECT_STREQ("", binder_teardown());
}

/* Mounts at PLACE with options; the root directory or -errno */
static int mount_at_place(const char *options)
{
	if (mount("binder", PLACE, "binder", 0, options))
		return -errno;
	return open(PLACE, O_PATH | O_CLOEXEC);
}

static int remount(const char *options)
{
	return mount(NULL, PLACE, NULL, MS_REMOUNT, options) ? -errno : 0;
}

/* The mode of a device, or -errno */
static int mode_of(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, 0) ? -errno : (int)st.st_mode;
}

TEST_F(binderfs_first, names)
{
	self->dir = mount_at_place("devices=one:two");
	ASSERT_LE(0, self->dir);
	EXPECT_EQ(S_IFCHR | 0600, mode_of(self->dir, "one"));
	EXPECT_EQ(S_IFCHR | 0600, mode_of(self->dir, "two"));
	EXPECT_EQ(-ENOENT, mode_of(self->dir, "binder"));
	EXPECT_EQ(-EEXIST, binder_add(self->dir, "one", NULL));
}

/* Where commas do not end an option, they may stand between the names. */
TEST_F(binderfs_first, names_with_commas)
{
	self->dir = binder_mount("devices", "one,two");
	ASSERT_LE(0, self->dir);
	EXPECT_EQ(S_IFCHR | 0600, mode_of(self->dir, "one"));
	EXPECT_EQ(S_IFCHR | 0600, mode_of(self->dir, "two"));
}

/* The mode is for the devices of the start, not for others. */
TEST_F(binderfs_first, mode)
{
	self->dir = mount_at_place("mode=666");
	ASSERT_LE(0, self->dir);
	EXPECT_EQ(S_IFCHR | 0666, mode_of(self->dir, "hwbinder"));
	EXPECT_EQ(S_IFCHR | 0600, mode_of(self->dir, "binder-control"));
	ASSERT_EQ(0, binder_add(self->dir, "late", NULL));
	EXPECT_EQ(S_IFCHR | 0600, mode_of(self->dir, "late"));
}

TEST_F(binderfs_first, bad_values)
{
	EXPECT_EQ(-EINVAL, mount_at_place("devices="));
	EXPECT_EQ(-EINVAL, mount_at_place("devices=:"));
	EXPECT_EQ(-EINVAL, mount_at_place("devices=a/b"));
	EXPECT_EQ(-EINVAL, mount_at_place("devices=a\nb"));
	EXPECT_EQ(-EACCES, mount_at_place("devices=a:.."));
	EXPECT_EQ(-EEXIST, mount_at_place("devices=a:a"));
	EXPECT_EQ(-EEXIST, mount_at_place("devices=features"));
	EXPECT_EQ(-ENOSPC, mount_at_place("devices=a:b,max=1"));
	EXPECT_EQ(-EINVAL, mount_at_place("mode=1000"));
	EXPECT_EQ(-EINVAL, mount_at_place("mode=668"));
	EXPECT_EQ(-EINVAL, mount_at_place("uid=-1"));
	EXPECT_EQ(-EINVAL, mount_at_place("uid=4294967295"));
	EXPECT_EQ(-EINVAL, mount_at_place("gid=4294967295"));
	EXPECT_EQ(-EINVAL, mount_at_place("gid=wheel"));
}

/* So that others than root can open them, without help after the mount */
TEST_F(binderfs_first, owner)
{
	struct stat st;

	self->dir = mount_at_place("uid=1000,gid=2000,mode=660");
	ASSERT_LE(0, self->dir);
	ASSERT_EQ(0, fstatat(self->dir, "vndbinder", &st, 0));
	EXPECT_EQ(1000, st.st_uid);
	EXPECT_EQ(2000, st.st_gid);
	EXPECT_EQ(S_IFCHR | 0660, st.st_mode);
	ASSERT_EQ(0, fstatat(self->dir, "binder-control", &st, 0));
	EXPECT_EQ(0, st.st_uid);
	ASSERT_EQ(0, binder_add(self->dir, "late", NULL));
	ASSERT_EQ(0, fstatat(self->dir, "late", &st, 0));
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(0, st.st_gid);
}

/* What is there already cannot be made anew. */
TEST_F(binderfs_first, remount)
{
	self->dir = mount_at_place("devices=one,mode=640,gid=7");
	ASSERT_LE(0, self->dir);
	EXPECT_EQ(0, remount("max=7"));
	EXPECT_EQ(0, remount("max=7,devices=one,mode=640,gid=7"));
	EXPECT_EQ(-EINVAL, remount("devices=two"));
	EXPECT_EQ(-EINVAL, remount("mode=600"));
	EXPECT_EQ(-EINVAL, remount("uid=7"));
	EXPECT_EQ(-EINVAL, remount("gid=8"));
}

TEST_F(binderfs_first, shown)
{
	char line[1024], options[256] = "", *found;
	FILE *file;

	self->dir = mount_at_place("gid=8,mode=640,devices=one:two,max=9,uid=7");
	ASSERT_LE(0, self->dir);
	file = fopen("/proc/self/mountinfo", "re");
	while (fgets(line, sizeof(line), file)) {
		found = strstr(line, " - binder ");
		if (found)
			sscanf(found, " - binder %*s %255s", options);
	}
	fclose(file);
	EXPECT_STREQ("rw,max=9,devices=one:two,mode=640,uid=7,gid=8", options);
}

TEST_HARNESS_MAIN
