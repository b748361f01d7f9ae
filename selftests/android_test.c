// SPDX-License-Identifier: GPL-2.0
/*
 * What Android does from its start on, in the order in which it does: init
 * mounts binderfs, processes start libbinder, servicemanager takes its role,
 * services are registered, found and called.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define PLACE "/sys/kernel"
#define PING B_PACK_CHARS('_', 'P', 'N', 'G')
#define MAX_THREADS 15
#define AID_SYSTEM 1000

static const char * const nodes[] = { "binder", "hwbinder", "vndbinder" };

FIXTURE(android)
{
	int dir;
};

FIXTURE_SETUP(android)
{
	binder_setup();
	self->dir = -1;
}

FIXTURE_TEARDOWN(android)
{
	close(self->dir);
	EXPECT_STREQ("", binder_teardown());
}

/* What ProcessState maps. */
static size_t vm_size(void)
{
	return 1024 * 1024 - 2 * sysconf(_SC_PAGE_SIZE);
}

static int mode_of(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, 0) ? -errno : (int)st.st_mode;
}

/* As another user would; -errno or 0 */
static int open_as(int dir, const char *name, int uid)
{
	int fd;

	if (syscall(SYS_setresuid, -1, uid, -1))
		return -errno;
	fd = binder_open_at(dir, name, O_RDWR);
	if (fd >= 0)
		close(fd);
	if (syscall(SYS_setresuid, -1, 0, -1))
		die("cannot become root again");
	return fd < 0 ? fd : 0;
}

/*
 * init.rc: mount, chmod of the mount, links to what is there at once, chmod of
 * each node. It never asks binder-control for anything.
 */
TEST_F(android, init)
{
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_EQ(0, mount("binder", PLACE, "binder", 0, "stats=global"));
	ASSERT_EQ(0, chmod(PLACE, 0755));
	self->dir = open(PLACE, O_PATH | O_CLOEXEC);
	ASSERT_LE(0, self->dir);
	EXPECT_EQ(S_IFDIR | 0755, mode_of(self->dir, "."));
	EXPECT_EQ(S_IFCHR | 0600, mode_of(self->dir, "binder-control"));
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		EXPECT_EQ(S_IFCHR | 0600, mode_of(self->dir, nodes[i]));
		EXPECT_EQ(-EACCES, open_as(self->dir, nodes[i], AID_SYSTEM));
		EXPECT_EQ(0, fchmodat(self->dir, nodes[i], 0666, 0));
		EXPECT_EQ(0, open_as(self->dir, nodes[i], AID_SYSTEM));
	}
}

/* libbinder's DriverFeature: one byte is read, and no file means no. */
TEST_F(android, features)
{
	static const char * const features[] = {
		"oneway_spam_detection", "extended_error",
		"freeze_notification", "transaction_report",
	};
	char path[64], on;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		snprintf(path, sizeof(path), "features/%s", features[i]);
		fd = binder_open_at(binder_dir, path, O_RDONLY);
		ASSERT_LE(0, fd);
		EXPECT_EQ(1, read(fd, &on, 1));
		EXPECT_EQ('1', on);
		close(fd);
	}
}

/* ProcessState: open_driver(), then the mapping. */
TEST_F(android, process_start)
{
	struct peer *peer = peer_open_as(NULL, "binder", O_RDWR, 0);
	struct binder_version version = {};
	size_t threads = MAX_THREADS;
	int rw = PROT_READ | PROT_WRITE;
	__u32 on = 1;
	void *map;

	ASSERT_EQ(0, peer_ioctl(peer, BINDER_VERSION, &version));
	EXPECT_EQ(8, version.protocol_version);
	EXPECT_EQ(0, ioctl(peer->fd, BINDER_SET_MAX_THREADS, &threads));
	EXPECT_EQ(0, peer_ioctl(peer, BINDER_ENABLE_ONEWAY_SPAM_DETECTION,
				&on));
	map = mmap(NULL, vm_size(), rw, MAP_PRIVATE, peer->fd, 0);
	EXPECT_EQ(MAP_FAILED, map);
	EXPECT_EQ(EPERM, errno);
	map = mmap(NULL, vm_size(), PROT_READ, MAP_PRIVATE | MAP_NORESERVE,
		   peer->fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, vm_size(), PROT_READ, MAP_PRIVATE,
				   peer->fd, 0));
	EXPECT_EQ(EBUSY, errno);
	munmap(map, vm_size());
}

static struct peer *start(struct task *task, const char *dev)
{
	return peer_open_as(task, dev, O_RDWR | O_NONBLOCK, vm_size());
}

/* servicemanager's first act; its flags ask for labels. */
static int take_role(struct peer *peer, __u32 flags)
{
	struct flat_binder_object obj = { .flags = flags };
	int ret = peer_ioctl(peer, BINDER_SET_CONTEXT_MGR_EXT, &obj);

	return ret ? ret : peer_word(peer, BC_ENTER_LOOPER);
}

/* getContextObject() pings the manager, and tries again until there is one. */
TEST_F(android, manager_is_waited_for)
{
	struct peer *client = start(NULL, "binder");
	struct peer *manager = start(task_fork(), "binder");

	put_msg(client, BC_TRANSACTION,
		MSG(.code = PING, .flags = TF_ACCEPT_FDS));
	ASSERT_STREQ("NOOP DEAD_REPLY", peer_write_read(client));
	ASSERT_EQ(0, take_role(manager, 0));
	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION,
			       MSG(.code = PING, .flags = TF_ACCEPT_FDS)));
	must_read(manager, "NOOP TRANSACTION");
	EXPECT_EQ(PING, manager->txn.code);
	answer(manager, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(client));
}

/* servicemanager, hwservicemanager and vndservicemanager: one for each. */
TEST_F(android, managers)
{
	__u32 flags = FLAT_BINDER_FLAG_TXN_SECURITY_CTX;
	struct peer *peer, *second;

	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		peer = start(task_fork(), nodes[i]);
		second = start(task_fork(), nodes[i]);
		EXPECT_EQ(0, take_role(peer, flags));
		EXPECT_EQ(-EBUSY, take_role(second, flags));
		EXPECT_EQ(-EBUSY, peer_ioctl(second, BINDER_SET_CONTEXT_MGR,
					     NULL));
	}
}

/*
 * The manager asked for labels: with a security module that has them each
 * message brings its sender's, and without one nobody can call.
 */
TEST_F(android, labels)
{
	struct peer *manager = start(task_fork(), "binder");
	struct peer *client = start(NULL, "binder");

	ASSERT_EQ(0, take_role(manager, FLAT_BINDER_FLAG_TXN_SECURITY_CTX));
	put_msg(client, BC_TRANSACTION, MSG(.code = PING));
	if (!strcmp(peer_write_read(client), "NOOP FAILED_REPLY")) {
		EXPECT_STREQ("FAILED_REPLY EOPNOTSUPP", peer_error(client));
		EXPECT_STREQ("OK 0", peer_error(client));
		return;
	}
	must_read(manager, "NOOP TRANSACTION_SEC_CTX");
	EXPECT_NE(0, manager->rets[1].txn.secctx);
}

/* The manager's Looper waits in epoll, and reads when there is something. */
TEST_F(android, manager_polls)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct peer *manager = start(NULL, "binder");
	struct peer *client = start(task_fork(), "binder");
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(0, take_role(manager, 0));
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, manager->fd, &event));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION, MSG(.code = PING)));
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 5000));
	must_read(manager, "NOOP TRANSACTION");
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	answer(manager, MSG());
	close(epoll);
}

/* addService(), getService(), linkToDeath(), and the service dies. */
TEST_F(android, service)
{
	struct task *task = task_fork();
	struct peer *manager = registry_open();
	struct peer *service = peer_open(task);
	struct peer *client = peer_open(NULL);
	struct binder_node_info_for_ref info = {};
	__u32 handle;

	info.handle = registry_add(manager, service, 0x7f10, 0x7f20, 0);
	handle = registry_get(manager, client, info.handle);
	/* Whether a lazy service is still in use: the client and itself. */
	ASSERT_EQ(0, peer_ioctl(manager, BINDER_GET_NODE_INFO_FOR_REF, &info));
	EXPECT_EQ(2, info.strong_count);
	EXPECT_STREQ("1 1", node_refs(service, 0x7f10));
	ASSERT_EQ(0, peer_word(client, BC_ENTER_LOOPER));
	put_handle_cookie(client, BC_REQUEST_DEATH_NOTIFICATION, handle, 0xd1e);
	ASSERT_EQ(0, peer_write(client));
	task_kill(task);
	ASSERT_STREQ("NOOP DEAD_BINDER", read_late(client));
	EXPECT_EQ(0xd1e, client->rets[1].cookie);
	EXPECT_EQ(0, (put_u64(client, BC_DEAD_BINDER_DONE, 0xd1e),
		      peer_write(client)));
}

/* startThreadPool(): the driver asks for the threads that are missing. */
TEST_F(android, thread_pool)
{
	struct peer *server = peer_manager(NULL);
	struct peer *one = peer_open(task_fork()), *two = peer_open(task_fork());
	size_t threads = MAX_THREADS;
	struct peer *spawned;

	ASSERT_EQ(0, ioctl(server->fd, BINDER_SET_MAX_THREADS, &threads));
	ASSERT_EQ(0, peer_send(one, BC_TRANSACTION, MSG(.code = 1)));
	/* In place of the first BR_NOOP, which nobody has a use for. */
	ASSERT_STREQ("SPAWN_LOOPER TRANSACTION", peer_read(server));
	spawned = peer_thread(server, task_thread());
	ASSERT_EQ(0, peer_word(spawned, BC_REGISTER_LOOPER));
	ASSERT_EQ(0, peer_send(two, BC_TRANSACTION, MSG(.code = 2)));
	ASSERT_STREQ("SPAWN_LOOPER TRANSACTION", peer_read(spawned));
	EXPECT_EQ(2, spawned->txn.code);
	answer(spawned, MSG());
	answer(server, MSG());
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(one));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE REPLY", peer_read(two));
	/* threadDestructor() */
	EXPECT_EQ(0, peer_ioctl(spawned, BINDER_THREAD_EXIT, NULL));
}

/* zygote: what it forks has nothing of its mapping. */
TEST_F(android, fork)
{
	struct peer *server = peer_manager(NULL);
	struct peer *client = peer_open(task_fork());
	int pipes[2], status;
	const void *buffer;
	pid_t child;

	ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC));
	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION, MSG(.data = "data",
							   .size = 5)));
	must_read(server, "NOOP TRANSACTION");
	buffer = (const void *)server->txn.data.ptr.buffer;
	EXPECT_EQ(5, write(pipes[1], buffer, 5));
	child = fork();
	if (!child)
		_exit(write(pipes[1], buffer, 5) < 0 ? errno : 0);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(EFAULT, WEXITSTATUS(status));
	answer(server, MSG());
	close(pipes[0]);
	close(pipes[1]);
}

/* A native_handle_t of libcutils, and where its descriptors begin */
struct native_handle {
	int version, num_fds, num_ints;
	int data[2];
};

#define NO_DATA offsetof(struct native_handle, data)

/* Sends a HIDL call with a handle: the object, its bytes, its descriptors. */
static const char *hal_call(struct peer *client, __u32 target,
			    const struct native_handle *handle)
{
	__u64 pointer = (__u64)handle;
	struct sg *sg = SG;
	size_t parent;

	parent = sg_child(sg, handle, sizeof(*handle),
			  sg_ptr(sg, &pointer, sizeof(pointer)), 0);
	sg_fds(sg, handle->num_fds, parent, NO_DATA);
	return sg_try(client, MSG(.handle = target, .flags = TF_ACCEPT_FDS),
		      sg);
}

/* Handles without descriptors are nothing special, and come often. */
TEST_F(android, hal_with_handles)
{
	struct native_handle empty = { .version = 12 };
	struct native_handle full = { .version = 12, .num_fds = 1 };
	struct peer *manager = registry_open();
	struct peer *service = peer_open(NULL);
	struct peer *client = peer_open(NULL);
	const struct native_handle *seen;
	__u32 target;

	ASSERT_EQ(0, peer_word(service, BC_ENTER_LOOPER));
	target = registry_give(manager, service, client, 0x7f10, 0,
			       FLAT_BINDER_FLAG_ACCEPTS_FDS);
	full.data[0] = STDERR_FILENO;
	for (int i = 0; i < 2; i++) {
		EXPECT_STREQ("EAGAIN", hal_call(client, target,
						i ? &full : &empty));
		must_read(service, "NOOP TRANSACTION");
		seen = (const void *)peer_ptr(service, 1)->buffer;
		EXPECT_EQ(12, seen->version);
		EXPECT_EQ(i, seen->num_fds);
		if (i) {
			EXPECT_NE(STDERR_FILENO, seen->data[0]);
			EXPECT_EQ(FD_CLOEXEC, fcntl(seen->data[0], F_GETFD));
		}
		answer(service, MSG());
		must_read(client, "NOOP TRANSACTION_COMPLETE REPLY");
		ASSERT_EQ(0, peer_free_last(client));
	}
}

/* A caller that wants no descriptors gets none. */
TEST_F(android, descriptors_only_if_accepted)
{
	struct binder_fd_object obj = { .hdr.type = BINDER_TYPE_FD, .fd = 2 };
	struct peer *server = peer_manager(task_fork());
	struct peer *client = peer_open(NULL);
	struct sg *sg = SG;

	sg_add(sg, &obj, sizeof(obj));
	ASSERT_EQ(0, peer_send(client, BC_TRANSACTION, MSG()));
	must_read(server, "NOOP TRANSACTION");
	ASSERT_EQ(0, sg_send(server, BC_REPLY_SG, MSG(), sg));
	/* The caller is told; who answers would not know what to do. */
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE", peer_read(server));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE FAILED_REPLY",
		     peer_read(client));
}

TEST_HARNESS_MAIN
