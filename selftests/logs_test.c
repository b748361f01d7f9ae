// SPDX-License-Identifier: GPL-2.0
/* What binder_logs tells of processes, threads, nodes and buffers. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "logs.h"

#define NODE_LINE "u0000000000001230 c0000000000004560 " \
	"hs 1 hw 1 ls 0 lw 0 is 1 iw 1 tr 1 proc"

FIXTURE(logs)
{
	struct logged logged;
};

FIXTURE_SETUP(logs)
{
	binder_setup();
	if (binder_count("proc") < 0)
		SKIP(return, "this instance has no binder_logs");
	self->logged = logged_open();
}

FIXTURE_TEARDOWN(logs)
{
	EXPECT_STREQ("", binder_teardown());
}

static const char * const names[] = {
	"state", "state_hashed", "stats", "transactions",
	"transactions_hashed", "transaction_log", "failed_transaction_log",
};

/* Item 307. */
TEST_F(logs, files)
{
	struct stat st;
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "binder_logs/%s", names[i]);
		ASSERT_EQ(0, fstatat(binder_dir, path, &st, 0)) {
			TH_LOG("%s: %m", path);
		}
		EXPECT_EQ(S_IFREG | 0444, st.st_mode);
		log_text(names[i]);
	}
}

/* Items 308 and 309. */
TEST_F(logs, file_of_a_process)
{
	char name[32], line[32], *text;

	snprintf(name, sizeof(name), "proc/%d", task_pid(self->logged.server->task));
	snprintf(line, sizeof(line), "\nproc %d\n",
		 task_pid(self->logged.server->task));
	text = log_text(name);
	EXPECT_EQ(text, strstr(text, "binder proc state:\n"));
	EXPECT_NE(NULL, strstr(text, line));
}

/* Items 310 and 314. */
TEST_F(logs, node_and_reference)
{
	const char *block = log_block("state", self->logged.server);

	EXPECT_NE(NULL, strstr(block, "\ncontext " BINDER_DEV "\n"));
	EXPECT_NE(NULL, strstr(block, NODE_LINE));
	block = log_block("state", self->logged.client);
	EXPECT_NE(NULL, strstr(block, " desc 1 node "));
}

/* The two hex digits of the only thread of a process, by the state log */
static long looper_bits(struct peer *peer)
{
	const char *block = log_block("state", peer);
	const char *line = strstr(block, "\n  thread ");

	line = line ? strstr(line, ": l ") : NULL;
	return line ? strtol(line + 4, NULL, 16) : -1;
}

/* Items 195 and 311. */
TEST_F(logs, looper_bits)
{
	struct peer *peer = self->logged.client;

	EXPECT_EQ(0x00, looper_bits(peer));
	ASSERT_EQ(0, peer_word(peer, BC_ENTER_LOOPER));
	EXPECT_EQ(0x02, looper_bits(peer));
	ASSERT_EQ(0, peer_word(peer, BC_REGISTER_LOOPER));
	EXPECT_EQ(0x0b, looper_bits(peer));
	ASSERT_EQ(0, peer_word(peer, BC_EXIT_LOOPER));
	EXPECT_EQ(0x0f, looper_bits(peer));
	peer_readable(peer);
	EXPECT_EQ(0x2f, looper_bits(peer));
	ASSERT_EQ(0, peer_ioctl(peer, BINDER_THREAD_EXIT, NULL));
	/* Registered without having been asked to */
	ASSERT_EQ(0, peer_word(peer, BC_REGISTER_LOOPER));
	EXPECT_EQ(0x09, looper_bits(peer));
}

/* Items 197 and 317. */
TEST_F(logs, stats_of_threads)
{
	__u32 max = 3;

	ASSERT_EQ(0, peer_ioctl(self->logged.server, BINDER_SET_MAX_THREADS, &max));
	EXPECT_NE(NULL, strstr(log_block("stats", self->logged.server),
			       "\n  requested threads: 0+0/3\n"));
	ASSERT_EQ(0, peer_send(self->logged.client, BC_TRANSACTION,
			       MSG(.handle = self->logged.handle)));
	must_read(self->logged.server, "SPAWN_LOOPER TRANSACTION");
	EXPECT_NE(NULL, strstr(log_block("stats", self->logged.server),
			       "\n  requested threads: 1+0/3\n"));
	EXPECT_TRUE(has_line(log_text("stats"), "^binder stats:$"));
}

/* Items 278 and 279: offset, sizes and the state of a buffer. */
TEST_F(logs, buffers)
{
	const char *block;
	char pages[32];

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, peer_send(self->logged.client, BC_TRANSACTION,
				       MSG(.handle = self->logged.handle,
					   .flags = TF_ONE_WAY, .data = "12345",
					   .size = 5)));
	must_read(self->logged.server, "NOOP TRANSACTION");
	block = log_block("state", self->logged.server);
	EXPECT_NE(NULL, strstr(block, ": 0 size 5:0:0 delivered\n"));
	EXPECT_NE(NULL, strstr(block, ": 8 size 5:0:0 active\n"));
	block = log_block("stats", self->logged.server);
	EXPECT_NE(NULL, strstr(block, "\n  buffers: 2\n"));
	snprintf(pages, sizeof(pages), "\n  pages: 1:0:%ld\n",
		 MAP_SIZE / sysconf(_SC_PAGESIZE) - 1);
	EXPECT_NE(NULL, strstr(block, pages));
}

/* Item 270: the dead are listed for as long as somebody refers to them. */
TEST_F(logs, dead_node)
{
	task_kill(self->logged.server->task);
	for (long end = now_ms() + 5000; now_ms() < end; nap())
		if (strstr(log_text("state"), "\ndead nodes:\n"))
			break;
	EXPECT_TRUE(has_line(log_text("state"), "^dead nodes:$"));
	EXPECT_NE(NULL, strstr(log_block("state", self->logged.client),
			       " desc 1 dead node "));
	registry_drop(self->logged.client, self->logged.handle);
	EXPECT_EQ(NULL, strstr(log_text("state"),
			       "u0000000000001230"));
}

/* Items 255, 318 and 319: what the logs say of a failure, by its number. */
TEST_F(logs, failed_transaction)
{
	struct binder_extended_error ee;
	char head[64], *text, *line;

	put_msg(self->logged.client, BC_TRANSACTION, MSG(.handle = 77));
	peer_write_read(self->logged.client);
	ASSERT_EQ(0, peer_ioctl(self->logged.client, BINDER_GET_EXTENDED_ERROR, &ee));
	for (int i = 0; i < 2; i++) {
		text = log_text(i ? "failed_transaction_log" :
				"transaction_log");
		snprintf(head, sizeof(head), "%u: call  from %d:%d to 0:0 ",
			 ee.id, getpid(), getpid());
		line = strstr(text, head);
		ASSERT_NE(NULL, line) {
			TH_LOG("no '%s'", head);
		}
		EXPECT_NE(NULL, strstr(line, "node 0 handle 77 size 0:0 ret "));
	}
}

/* Item 316: only who has something to show is shown. */
TEST_F(logs, transactions)
{
	char head[32], *text = log_text("transactions");

	snprintf(head, sizeof(head), "\nproc %d\n",
		 task_pid(self->logged.server->task));
	EXPECT_EQ(NULL, strstr(text, head));
	EXPECT_EQ(text, strstr(text, "binder transactions:\n"));
	ASSERT_EQ(0, peer_send(self->logged.client, BC_TRANSACTION,
			       MSG(.handle = self->logged.handle, .code = 0xabc,
				   .flags = TF_ACCEPT_FDS)));
	must_read(self->logged.server, "NOOP TRANSACTION");
	EXPECT_TRUE(has_line(log_block("transactions", self->logged.server),
			     "^    incoming transaction .* code abc flags 10 "));
}

/* Items 308 and 409: the file of a process stays until it has closed all. */
TEST_F(logs, file_of_two_opens)
{
	struct peer *first, *second;
	struct task *task = task_fork();
	char path[64];

	if (!is_binder_safe())
		SKIP(return, "BETTER: in C it goes with the first open");
	first = peer_open(task);
	second = peer_open(task);
	snprintf(path, sizeof(path), "binder_logs/proc/%d", task_pid(task));
	EXPECT_EQ(0, faccessat(binder_dir, path, R_OK, 0));
	peer_close(first);
	usleep(100000);
	EXPECT_EQ(0, faccessat(binder_dir, path, R_OK, 0));
	peer_close(second);
	for (long end = now_ms() + 5000; now_ms() < end; nap())
		if (faccessat(binder_dir, path, R_OK, 0))
			break;
	EXPECT_EQ(-1, faccessat(binder_dir, path, R_OK, 0));
}

TEST_HARNESS_MAIN
