// SPDX-License-Identifier: GPL-2.0
/* Trace events of calls, messages and what they carry. */

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "events.h"
#include "kselftest_harness.h"
#include "object.h"

FIXTURE(trace)
{
	struct peer *manager;
	struct peer *server;
	struct peer *client;
	__u32 handle;
	pid_t me;
	pid_t other;		/* the server's task */
};

FIXTURE_SETUP(trace)
{
	binder_setup();
	if (!events_open())
		SKIP(return, "no trace events of Binder in " TRACEFS);
	self->manager = registry_open();
	self->server = peer_open(task_fork());
	ASSERT_EQ(0, peer_word(self->server, BC_ENTER_LOOPER));
	self->client = peer_open(NULL);
	self->handle = registry_give(self->manager, self->server, self->client,
				     0x1230, 0x4560,
				     FLAT_BINDER_FLAG_ACCEPTS_FDS);
	self->me = getpid();
	self->other = task_pid(self->server->task);
}

FIXTURE_TEARDOWN(trace)
{
	events_close();
	EXPECT_STREQ("", binder_teardown());
}

/* Item 321. */
TEST_F(trace, ioctls)
{
	struct binder_version version;
	const char *text;

	events_enable("binder_ioctl", "binder_ioctl_done");
	ASSERT_EQ(0, peer_ioctl(self->client, BINDER_VERSION, &version));
	EXPECT_EQ(-1, ioctl(self->client->fd, 0x1234, 0x5678));
	text = event("binder_ioctl", self->me, 0);
	EXPECT_EQ(BINDER_VERSION, event_field(text, "cmd"));
	EXPECT_STREQ("cmd=0x1234 arg=0x5678",
		     event("binder_ioctl", self->me, 1));
	EXPECT_STREQ("ret=0", event("binder_ioctl_done", self->me, 0));
	EXPECT_STREQ("ret=-22", event("binder_ioctl_done", self->me, 1));
	EXPECT_EQ(2, event_count("binder_ioctl", 0));
	EXPECT_EQ(2, event_count("binder_ioctl_done", 0));
	/* Nothing comes when it is off. */
	events_disable();
	ASSERT_EQ(0, peer_ioctl(self->client, BINDER_VERSION, &version));
	EXPECT_EQ(2, event_count("binder_ioctl", 0));
}

/* Item 321: both halves of BINDER_WRITE_READ. */
TEST_F(trace, write_and_read)
{
	char expected[64];

	events_enable("binder_command", "binder_write_done", "binder_read_done",
		      "binder_wait_for_work");
	ASSERT_EQ(0, peer_word(self->client, BC_EXIT_LOOPER));
	snprintf(expected, sizeof(expected), "cmd=0x%x BC_EXIT_LOOPER",
		 (unsigned int)BC_EXIT_LOOPER);
	EXPECT_STREQ(expected, event("binder_command", self->me, 0));
	EXPECT_STREQ("ret=0", event("binder_write_done", self->me, 0));
	EXPECT_EQ(0, event_count("binder_read_done", 0));
	EXPECT_STREQ("EAGAIN", peer_read(self->client));
	EXPECT_STREQ("ret=-11", event("binder_read_done", self->me, 0));
	EXPECT_STREQ("proc_work=1 transaction_stack=0 thread_todo=0",
		     event("binder_wait_for_work", self->me, 0));
	EXPECT_EQ(-EINVAL, peer_word(self->client, 0x777));
	EXPECT_EQ(0x777, event_field(event("binder_command", self->me, 1),
				     "cmd"));
	EXPECT_STREQ("ret=-22", event("binder_write_done", self->me, 1));
}

/* Item 321: BR_NOOP is none of them. */
TEST_F(trace, returns)
{
	char expected[64];

	events_enable("binder_return", "binder_wait_for_work");
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.handle = self->handle)));
	must_read(self->server, "NOOP TRANSACTION");
	EXPECT_STREQ("EAGAIN", peer_read(self->server));
	ASSERT_EQ(0, peer_send(self->server, BC_REPLY, MSG()));
	must_read(self->client, "NOOP TRANSACTION_COMPLETE REPLY");
	snprintf(expected, sizeof(expected), "cmd=0x%x BR_TRANSACTION",
		 (unsigned int)BR_TRANSACTION);
	EXPECT_STREQ(expected, event("binder_return", self->other, 0));
	EXPECT_EQ(1, event_count("binder_return", self->other));
	snprintf(expected, sizeof(expected),
		 "cmd=0x%x BR_TRANSACTION_COMPLETE",
		 (unsigned int)BR_TRANSACTION_COMPLETE);
	EXPECT_STREQ(expected, event("binder_return", self->me, 0));
	snprintf(expected, sizeof(expected), "cmd=0x%x BR_REPLY",
		 (unsigned int)BR_REPLY);
	EXPECT_STREQ(expected, event("binder_return", self->me, 1));
	/* The stack may be empty already, as the reply has come. */
	EXPECT_EQ(1, event_field(event("binder_wait_for_work", self->me, 0),
				 "thread_todo"));
	EXPECT_STREQ("proc_work=0 transaction_stack=1 thread_todo=0",
		     event("binder_wait_for_work", self->other, 1));
}

/* Items 322 and 324: a call and its reply, each from its start to its end. */
TEST_F(trace, call)
{
	const char *text;
	long long ids[2];

	events_enable("binder_transaction", "binder_transaction_received",
		      "binder_txn_latency_free", "binder_transaction_alloc_buf",
		      "binder_transaction_buffer_release");
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.handle = self->handle, .code = 0xc0de,
				   .flags = 0x40, .data = "12345", .size = 5)));
	text = event("binder_transaction", self->me, 0);
	ids[0] = event_field(text, "transaction");
	EXPECT_LT(0, event_field(text, "dest_node"));
	EXPECT_EQ(self->other, event_field(text, "dest_proc"));
	EXPECT_EQ(0, event_field(text, "dest_thread"));
	EXPECT_EQ(0, event_field(text, "reply"));
	EXPECT_EQ(0xc0de, event_field(text, "code"));
	EXPECT_EQ(0x40, event_field(text, "flags"));
	text = event("binder_transaction_alloc_buf", self->me, 0);
	EXPECT_EQ(ids[0], event_field(text, "transaction"));
	EXPECT_EQ(5, event_field(text, "data_size"));
	EXPECT_EQ(0, event_field(text, "offsets_size"));
	EXPECT_EQ(0, event_field(text, "extra_buffers_size"));

	must_read(self->server, "NOOP TRANSACTION");
	text = event("binder_transaction_received", self->other, 0);
	EXPECT_EQ(ids[0], event_field(text, "transaction"));
	ASSERT_EQ(0, peer_free_last(self->server));
	text = event("binder_transaction_buffer_release", self->other, 0);
	EXPECT_EQ(ids[0], event_field(text, "transaction"));
	EXPECT_EQ(5, event_field(text, "data_size"));

	ASSERT_EQ(0, peer_send(self->server, BC_REPLY,
			       MSG(.code = 0xabc, .data = "12", .size = 2)));
	text = event("binder_transaction", self->other, 0);
	ids[1] = event_field(text, "transaction");
	EXPECT_NE(ids[0], ids[1]);
	EXPECT_EQ(0, event_field(text, "dest_node"));
	EXPECT_EQ(self->me, event_field(text, "dest_proc"));
	EXPECT_EQ(self->me, event_field(text, "dest_thread"));
	EXPECT_EQ(1, event_field(text, "reply"));
	EXPECT_EQ(0xabc, event_field(text, "code"));
	must_read(self->client, "NOOP TRANSACTION_COMPLETE REPLY");
	text = event("binder_transaction_received", self->me, 0);
	EXPECT_EQ(ids[1], event_field(text, "transaction"));

	/* Both are over; the call may be a little later than its reply. */
	ASSERT_EQ(2, event_count("binder_txn_latency_free", 0));
	for (int i = 0; i < 2; i++) {
		long long id = event_field(event("binder_txn_latency_free", 0,
						 i), "transaction");

		EXPECT_TRUE(id == ids[0] || id == ids[1]);
		ids[0] = ids[0] == id ? -1 : ids[0];
		ids[1] = ids[1] == id ? -1 : ids[1];
	}
}

/* Item 322: also what has no room. */
TEST_F(trace, no_room)
{
	char *data = arena_alloc(MAP_SIZE);

	events_enable("binder_transaction", "binder_transaction_alloc_buf",
		      "binder_transaction_failed_buffer_release");
	put_msg(self->client, BC_TRANSACTION,
		MSG(.handle = self->handle, .data = data, .raw = true,
		    .size = MAP_SIZE + 8));
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_write_read(self->client));
	EXPECT_EQ(1, event_count("binder_transaction", self->me));
	EXPECT_EQ(0, event_count("binder_transaction_alloc_buf", 0));
	EXPECT_EQ(0, event_count("binder_transaction_failed_buffer_release", 0));
}

/* Item 324. */
TEST_F(trace, failed_buffer_release)
{
	struct flat_binder_object obj = remote_object(77);
	const char *text;
	long long id;

	events_enable("binder_transaction_alloc_buf",
		      "binder_transaction_failed_buffer_release",
		      "binder_transaction_buffer_release");
	send_object(self->client, BC_TRANSACTION,
		    MSG(.handle = self->handle), &obj);
	EXPECT_STREQ("NOOP FAILED_REPLY", peer_read(self->client));
	text = event("binder_transaction_alloc_buf", self->me, 0);
	id = event_field(text, "transaction");
	EXPECT_EQ(8, event_field(text, "offsets_size"));
	text = event("binder_transaction_failed_buffer_release", self->me, 0);
	EXPECT_EQ(id, event_field(text, "transaction"));
	EXPECT_EQ(8, event_field(text, "offsets_size"));
	EXPECT_EQ(0, event_count("binder_transaction_buffer_release", 0));
}

/* Item 324. */
TEST_F(trace, update_buffer_release)
{
	struct binder_freeze_info info = { self->other, 1, 0 };
	const char *text;
	long long id;

	/* The first one keeps the others waiting. */
	ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
			       MSG(.handle = self->handle,
				   .flags = TF_ONE_WAY)));
	must_read(self->server, "NOOP TRANSACTION");
	ASSERT_EQ(0, peer_ioctl(self->client, BINDER_FREEZE, &info));
	events_enable("binder_transaction",
		      "binder_transaction_update_buffer_release");
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, peer_send(self->client, BC_TRANSACTION,
				       MSG(.handle = self->handle,
					   .flags = TF_ONE_WAY | TF_UPDATE_TXN,
					   .data = "123", .size = 3)));
	id = event_field(event("binder_transaction", self->me, 0),
			 "transaction");
	text = event("binder_transaction_update_buffer_release", self->me, 0);
	EXPECT_EQ(id, event_field(text, "transaction"));
	EXPECT_EQ(3, event_field(text, "data_size"));
	EXPECT_EQ(1, event_count("binder_transaction_update_buffer_release",
				 0));
}

/* The number in the index-th transaction that was sent by tid */
static long long sent(pid_t tid, int index)
{
	return event_field(event("binder_transaction", tid, index),
			   "transaction");
}

/* Item 323. */
TEST_F(trace, node_and_references)
{
	struct flat_binder_object obj = local_object(0x9870, 0x6540, 0);
	long long id, node, ref;
	const char *text;
	__u32 handle;

	events_enable("binder_transaction", "binder_transaction_node_to_ref",
		      "binder_transaction_ref_to_ref",
		      "binder_transaction_ref_to_node");
	/* From the server to the manager: its node becomes a reference. */
	ASSERT_EQ(0, send_object(self->server, BC_TRANSACTION, MSG(), &obj));
	must_read(self->manager, "NOOP TRANSACTION");
	handle = peer_object(self->manager, 0)->handle;
	id = sent(self->other, 0);
	text = event("binder_transaction_node_to_ref", self->other, 0);
	EXPECT_EQ(id, event_field(text, "transaction"));
	EXPECT_NE(NULL, strstr(text, "src_ptr=0x0000000000009870 ==> "));
	EXPECT_EQ(handle, event_field(text, "dest_desc"));
	node = event_field(text, "node");
	ref = event_field(text, "dest_ref");
	EXPECT_NE(node, ref);

	/* Back to the server: the reference becomes the node. */
	obj = remote_object(handle);
	ASSERT_EQ(0, send_object(self->manager, BC_REPLY, MSG(), &obj));
	text = event("binder_transaction_ref_to_node", 0, 0);
	EXPECT_EQ(node, event_field(text, "node"));
	EXPECT_EQ(ref, event_field(text, "src_ref"));
	EXPECT_EQ(handle, event_field(text, "src_desc"));
	EXPECT_NE(NULL, strstr(text, "==> dest_ptr=0x0000000000009870"));
	EXPECT_EQ(1, event_count("binder_transaction_node_to_ref", 0));

	/* A reference of the client becomes one of the manager. */
	events_enable("binder_transaction");
	obj = remote_object(self->handle);
	ASSERT_EQ(0, send_object(self->client, BC_TRANSACTION,
				 MSG(.flags = TF_ONE_WAY), &obj));
	text = event("binder_transaction_ref_to_ref", self->me, 0);
	EXPECT_EQ(self->handle, event_field(text, "src_desc"));
	EXPECT_LT(0, event_field(text, "dest_desc"));
	EXPECT_NE(event_field(text, "src_ref"), event_field(text, "dest_ref"));
	EXPECT_LT(0, event_field(text, "node"));
	EXPECT_EQ(event_field(text, "transaction"), sent(self->me, 0));
}

/* Item 323. */
TEST_F(trace, descriptors)
{
	struct binder_fd_object obj = { .hdr.type = BINDER_TYPE_FD };
	struct sg *sg = SG;
	const char *text;

	obj.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, obj.fd);
	sg_add(sg, &obj, sizeof(obj));
	events_enable("binder_transaction", "binder_transaction_fd_send",
		      "binder_transaction_fd_recv");
	ASSERT_EQ(0, sg_send(self->client, BC_TRANSACTION,
			     MSG(.handle = self->handle, .flags = TF_ONE_WAY),
			     sg));
	text = event("binder_transaction_fd_send", self->me, 0);
	EXPECT_EQ(obj.fd, event_field(text, "src_fd"));
	EXPECT_EQ(8 + offsetof(struct binder_fd_object, fd),
		  event_field(text, "offset"));
	EXPECT_EQ(event_field(text, "transaction"), sent(self->me, 0));
	must_read(self->server, "NOOP TRANSACTION");
	text = event("binder_transaction_fd_recv", self->other, 0);
	EXPECT_EQ(8 + offsetof(struct binder_fd_object, fd),
		  event_field(text, "offset"));
	EXPECT_EQ(peer_object(self->server, 0)->handle,
		  event_field(event("binder_transaction_fd_recv", 0, 0),
			      "dest_fd"));
	EXPECT_EQ(event_field(event("binder_transaction_fd_recv", 0, 0),
			      "transaction"), sent(self->me, 0));
	close(obj.fd);
}

TEST_HARNESS_MAIN
