// SPDX-License-Identifier: GPL-2.0
/*
 * A security module says no. The test loads a policy of its own, so it needs
 * a kernel that has SELinux on and none loaded yet: boot with lsm=selinux.
 */

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define SELINUXFS "/sys/fs/selinux"
#define OWN_LABEL "/proc/thread-self/attr/current"
#define PTR 0x1000
#define FAILED "NOOP FAILED_REPLY"

/* What is in selinux_test.conf */
enum domain { KERNEL, MANAGER, CLIENT, CALLER, LONER };

static const char * const labels[] = {
	"test_u:test_r:kernel_t", "test_u:test_r:manager_t",
	"test_u:test_r:client_t", "test_u:test_r:caller_t",
	"test_u:test_r:loner_t",
};

/* Returns how much it wrote, or -errno. */
static long write_all(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	long done = fd < 0 ? -1 : write(fd, data, len);

	if (done < 0)
		done = -errno;
	close(fd);
	return done;
}

static const char *own_label(void)
{
	static char label[128];
	int fd = open(OWN_LABEL, O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, label, sizeof(label) - 1);

	close(fd);
	label[len < 0 ? 0 : len] = 0;
	label[strcspn(label, "\n")] = 0;
	return label;
}

/* The policy that is beside the program, or 0 where none was compiled */
static size_t read_policy(char *policy, size_t size)
{
	char path[4096] = "";
	ssize_t len;
	int fd;

	if (readlink("/proc/self/exe", path, sizeof(path) - 64) < 0)
		die("/proc/self/exe: %m");
	strcat(dirname(path), "/selinux_test.policy");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	len = read(fd, policy, size);
	close(fd);
	return len < 0 ? 0 : len;
}

/* Returns why the test cannot run here, or NULL. */
static const char *load_policy(void)
{
	static char policy[64 * 1024];
	size_t len;

	if (access(SELINUXFS, F_OK))
		return "SELinux is off: boot with lsm=selinux";
	if (!strcmp(own_label(), labels[KERNEL]))
		return NULL;
	if (strcmp(own_label(), "kernel"))
		return "the system has a policy, which this test would replace";
	len = read_policy(policy, sizeof(policy));
	if (!len)
		return "no selinux_test.policy: checkpolicy makes it";
	if (mount("selinuxfs", SELINUXFS, "selinuxfs", 0, NULL) &&
	    errno != EBUSY)
		die("%s: %m", SELINUXFS);
	if (write_all(SELINUXFS "/load", policy, len) != (long)len)
		die("the kernel does not take the policy");
	if (write_all(SELINUXFS "/enforce", "1", 1) != 1)
		die("the kernel does not enforce the policy");
	if (strcmp(own_label(), labels[KERNEL]))
		die("the label is %s after loading", own_label());
	return NULL;
}

FIXTURE(selinux)
{
};

FIXTURE_SETUP(selinux)
{
	const char *reason = load_policy();

	if (reason)
		SKIP(return, "%s", reason);
	binder_setup();
}

FIXTURE_TEARDOWN(selinux)
{
	EXPECT_STREQ("", binder_teardown());
}

static long enter(long domain, long unused, long unused2)
{
	size_t len = strlen(labels[domain]);
	long done = write_all(OWN_LABEL, labels[domain], len);

	return done < 0 ? done : 0;
}

static void must_enter(struct task *task, enum domain domain)
{
	if (task_call(task, enter, domain, 0, 0))
		die("cannot become %s", labels[domain]);
}

/* A process of this domain with the device open */
static struct peer *open_in(enum domain domain)
{
	struct task *task = task_fork();

	must_enter(task, domain);
	return peer_open(task);
}

/* The manager, who takes descriptors and asks for labels */
static struct peer *manager(void)
{
	struct flat_binder_object obj =
		local_object(0, 0, FLAT_BINDER_FLAG_ACCEPTS_FDS |
				   FLAT_BINDER_FLAG_TXN_SECURITY_CTX);
	struct peer *peer = open_in(MANAGER);

	if (peer_ioctl(peer, BINDER_SET_CONTEXT_MGR_EXT, &obj) ||
	    peer_word(peer, BC_ENTER_LOOPER))
		die("BINDER_SET_CONTEXT_MGR_EXT failed");
	return peer;
}

/* What the caller reads; EAGAIN if the call is under way */
static const char *call_with(struct peer *peer, const struct msg *msg)
{
	if (peer_send(peer, BC_TRANSACTION, msg))
		die("BC_TRANSACTION failed");
	return peer_read(peer);
}

static const char *call(struct peer *peer)
{
	return call_with(peer, MSG());
}

/* A call with one object, or a reply with one to the call that was read last */
static const char *pass(struct peer *peer, __u32 cmd,
			const struct flat_binder_object *obj)
{
	if (send_object(peer, cmd, MSG(), obj))
		die("sending failed");
	return peer_read(peer);
}

/* Sends the descriptor of a file that the sender opened: its device. */
static const char *pass_fd(struct peer *peer)
{
	struct binder_fd_object obj = { .hdr.type = BINDER_TYPE_FD };
	struct sg *sg = SG;

	obj.fd = peer->fd;
	sg_add(sg, &obj, sizeof(obj));
	return sg_try(peer, MSG(), sg);
}

/* Answers, and both sides read the end of the call. */
static void finish(struct peer *server, struct peer *client)
{
	answer(server, MSG());
	must_read(client, "NOOP TRANSACTION_COMPLETE REPLY");
	if (peer_free_last(client))
		die("BC_FREE_BUFFER failed");
}

/* Item 185: the errno is the module's, and the place stays free. */
TEST_F(selinux, manager_refused)
{
	struct flat_binder_object obj = {};
	struct peer *client = open_in(CLIENT);
	struct peer *server;

	EXPECT_EQ(-EACCES, peer_ioctl(client, BINDER_SET_CONTEXT_MGR, NULL));
	EXPECT_EQ(-EACCES, peer_ioctl(client, BINDER_SET_CONTEXT_MGR_EXT,
				      &obj));
	server = manager();
	EXPECT_STREQ("EAGAIN", call(client));
	EXPECT_STREQ("NOOP TRANSACTION_SEC_CTX", peer_read(server));
}

/* Item 185: a call; the server sees nothing of it. */
TEST_F(selinux, call_refused)
{
	struct peer *server = manager();
	struct peer *loner = open_in(LONER);
	struct peer *caller = open_in(CALLER);

	EXPECT_STREQ(FAILED, call(loner));
	EXPECT_STREQ("FAILED_REPLY EPERM", peer_error(loner));
	EXPECT_STREQ(FAILED, call_with(loner, MSG(.flags = TF_ONE_WAY)));
	EXPECT_STREQ("FAILED_REPLY EPERM", peer_error(loner));
	EXPECT_STREQ("EAGAIN", peer_read(server));
	EXPECT_STREQ("EAGAIN", call(caller));
	EXPECT_STREQ("NOOP TRANSACTION_SEC_CTX", peer_read(server));
}

/* Item 185: an object; the sender keeps no node for it. */
TEST_F(selinux, node_refused)
{
	static const __u32 types[] = {
		BINDER_TYPE_BINDER, BINDER_TYPE_WEAK_BINDER,
	};
	struct flat_binder_object obj = local_object(PTR, 0, 0);
	struct peer *server = manager();
	struct peer *caller = open_in(CALLER);
	struct peer *client = open_in(CLIENT);

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		obj.hdr.type = types[i];
		EXPECT_STREQ(FAILED, pass(caller, BC_TRANSACTION, &obj));
		EXPECT_STREQ("FAILED_REPLY EPERM", peer_error(caller));
		EXPECT_STREQ("none", node_refs(caller, PTR));
	}
	EXPECT_STREQ("EAGAIN", peer_read(server));
	EXPECT_STREQ("EAGAIN", pass(client, BC_TRANSACTION, &obj));
	EXPECT_STREQ("NOOP TRANSACTION_SEC_CTX", peer_read(server));
}

/* Item 185: a handle, of which the receiver gets none. */
TEST_F(selinux, handle_refused)
{
	struct flat_binder_object obj = remote_object(0);
	struct peer *server = manager();
	struct peer *caller = open_in(CALLER);
	struct peer *client = open_in(CLIENT);

	put_u32(caller, BC_ACQUIRE, 0);
	put_u32(client, BC_ACQUIRE, 0);
	ASSERT_EQ(0, peer_write(caller));
	ASSERT_EQ(0, peer_write(client));
	EXPECT_STREQ(FAILED, pass(caller, BC_TRANSACTION, &obj));
	EXPECT_STREQ("FAILED_REPLY EPERM", peer_error(caller));
	EXPECT_STREQ("EAGAIN", peer_read(server));
	EXPECT_STREQ("EAGAIN", pass(client, BC_TRANSACTION, &obj));
	EXPECT_STREQ("NOOP TRANSACTION_SEC_CTX", peer_read(server));
}

/* Item 185: a reply; its caller hears that there will be none. */
TEST_F(selinux, reply_refused)
{
	struct flat_binder_object obj = local_object(PTR, 0, 0);
	struct peer *server = manager();
	struct peer *caller = open_in(CALLER);

	ASSERT_STREQ("EAGAIN", call(caller));
	must_read(server, "NOOP TRANSACTION_SEC_CTX");
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE",
		     pass(server, BC_REPLY, &obj));
	EXPECT_STREQ("none", node_refs(server, PTR));
	EXPECT_STREQ("NOOP TRANSACTION_COMPLETE FAILED_REPLY",
		     peer_read(caller));
	EXPECT_STREQ("FAILED_REPLY EPERM", peer_error(caller));
	/* Without the object there is nothing to refuse. */
	ASSERT_EQ(0, peer_free_last(server));
	ASSERT_STREQ("EAGAIN", call(caller));
	must_read(server, "NOOP TRANSACTION_SEC_CTX");
	finish(server, caller);
}

/* Item 185: a descriptor, whose file the receiver may not use. */
TEST_F(selinux, descriptor_refused)
{
	struct peer *server = manager();
	struct peer *caller = open_in(CALLER);
	struct peer *client = open_in(CLIENT);

	EXPECT_STREQ(FAILED, pass_fd(caller));
	EXPECT_STREQ("FAILED_REPLY EPERM", peer_error(caller));
	EXPECT_STREQ("EAGAIN", peer_read(server));
	EXPECT_STREQ("EAGAIN", pass_fd(client));
	EXPECT_STREQ("NOOP TRANSACTION_SEC_CTX", peer_read(server));
}

/* Items 4 and 185: who opened the device calls, and may have to lend its name. */
TEST_F(selinux, another_than_the_opener)
{
	struct peer *server = manager();
	struct peer *client = open_in(CLIENT);

	must_enter(client->task, CALLER);
	EXPECT_STREQ("EAGAIN", call(client));
	must_read(server, "NOOP TRANSACTION_SEC_CTX");
	EXPECT_STREQ(labels[CLIENT],
		     peer_peek(server, server->rets[1].txn.secctx, 64));
	finish(server, client);

	client = open_in(CLIENT);
	must_enter(client->task, LONER);
	EXPECT_STREQ(FAILED, call(client));
	EXPECT_STREQ("FAILED_REPLY EPERM", peer_error(client));
	EXPECT_STREQ("EAGAIN", peer_read(server));
}

/* Item 247: the whole label, with its end, behind all the data. */
TEST_F(selinux, label)
{
	static const enum domain senders[] = { KERNEL, CLIENT, CALLER };
	struct peer *server = manager();
	const struct ret *ret = &server->rets[1];

	for (size_t i = 0; i < ARRAY_SIZE(senders); i++) {
		const char *label = labels[senders[i]];
		struct peer *sender = open_in(senders[i]);

		for (size_t len = 0; len < 20; len++) {
			struct msg msg = {
				.data = "twenty bytes of data",
				.size = len,
			};

			ASSERT_STREQ("EAGAIN", call_with(sender, &msg));
			must_read(server, "NOOP TRANSACTION_SEC_CTX");
			EXPECT_LE(server->txn.data.ptr.buffer + len,
				  ret->txn.secctx);
			EXPECT_STREQ(label,
				     peer_peek(server, ret->txn.secctx,
					       strlen(label) + 1));
			finish(server, sender);
		}
	}
}

TEST_HARNESS_MAIN
