// SPDX-License-Identifier: GPL-2.0
/* Trace events of the pages that messages are copied to. */

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "events.h"
#include "kselftest_harness.h"
#include "peer.h"

FIXTURE(pages)
{
	struct peer *server;
	struct peer *client;
	char *data;
	size_t size;		/* of a message: two pages */
	pid_t proc;		/* the server's */
};

FIXTURE_SETUP(pages)
{
	binder_setup();
	if (!events_open())
		SKIP(return, "no trace events of Binder in " TRACEFS);
	self->size = 2 * sysconf(_SC_PAGESIZE);
	self->server = peer_open_as(task_fork(), BINDER_DEV,
				    O_RDWR | O_NONBLOCK, 4 * self->size);
	ASSERT_EQ(0, peer_become_manager(self->server));
	ASSERT_EQ(0, peer_word(self->server, BC_ENTER_LOOPER));
	self->client = peer_open(NULL);
	self->data = arena_alloc(self->size);
	self->proc = task_pid(self->server->task);
}

FIXTURE_TEARDOWN(pages)
{
	events_close();
	EXPECT_STREQ("", binder_teardown());
}

static void deliver(struct peer *client, struct peer *server, char *data,
		    size_t size)
{
	struct msg msg = { .flags = TF_ONE_WAY, .data = data, .size = size };

	if (peer_send(client, BC_TRANSACTION, &msg))
		die("sending failed");
	if (strcmp(peer_read(server), "NOOP TRANSACTION"))
		die("receiving: %s", server->text);
}

/* Whether two events come in pairs, count at least, on pages of proc */
static bool paired(const char *what, pid_t proc, int count)
{
	char start[40], end[40];
	int nr;

	snprintf(start, sizeof(start), "%s_start", what);
	snprintf(end, sizeof(end), "%s_end", what);
	nr = event_count(start, 0);
	if (nr < count || nr != event_count(end, 0))
		return false;
	for (int i = 0; i < nr; i++) {
		long long index = event_field(event(start, 0, i), "page_index");

		if (event_field(event(start, 0, i), "proc") != proc ||
		    event_field(event(end, 0, i), "proc") != proc ||
		    event_field(event(end, 0, i), "page_index") != index)
			return false;
	}
	return true;
}

/* Item 324: the event about a range that has an allocate of this value */
static const char *update(int allocate)
{
	const char *text;

	for (int i = 0; (text = event("binder_update_page_range", 0, i)); i++)
		if (event_field(text, "allocate") == allocate)
			return text;
	return NULL;
}

/* Items 324 and 325. */
TEST_F(pages, allocated_once)
{
	const char *text;

	events_enable("binder_update_page_range", "binder_alloc_page_start",
		      "binder_alloc_page_end", "binder_alloc_lru_start",
		      "binder_alloc_lru_end");
	deliver(self->client, self->server, self->data, self->size);
	EXPECT_TRUE(paired("binder_alloc_page", self->proc, 2));
	text = update(1);
	ASSERT_NE(NULL, text);
	EXPECT_EQ(self->proc, event_field(text, "proc"));
	EXPECT_EQ(0, event_field(text, "offset") % (self->size / 2));
	EXPECT_EQ(0, event_field(text, "size") % (self->size / 2));
	EXPECT_LE(self->size, event_field(text, "size"));
	EXPECT_EQ(NULL, update(0));
	EXPECT_EQ(0, event_count("binder_alloc_lru_start", 0));
}

/* Items 324 and 325. */
TEST_F(pages, unused_and_used_again)
{
	const char *text;

	deliver(self->client, self->server, self->data, self->size);
	events_enable("binder_update_page_range", "binder_free_lru_start",
		      "binder_free_lru_end");
	ASSERT_EQ(0, peer_free_last(self->server));
	EXPECT_TRUE(paired("binder_free_lru", self->proc, 2));
	text = update(0);
	ASSERT_NE(NULL, text);
	EXPECT_EQ(self->proc, event_field(text, "proc"));
	EXPECT_LE(self->size, event_field(text, "size"));

	events_disable();
	events_enable("binder_alloc_page_start", "binder_alloc_lru_start",
		      "binder_alloc_lru_end");
	deliver(self->client, self->server, self->data, self->size);
	EXPECT_TRUE(paired("binder_alloc_lru", self->proc, 2));
	EXPECT_EQ(0, event_count("binder_alloc_page_start", 0));
}

/* Writes to drop_caches run all shrinkers. */
static void reclaim(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "2", 1) != 1)
		die("drop_caches: %m");
	close(fd);
}

/* Item 325. */
TEST_F(pages, reclaimed)
{
	const char *page;

	deliver(self->client, self->server, self->data, self->size);
	page = (const char *)self->server->txn.data.ptr.buffer;
	ASSERT_EQ(0, peer_free_last(self->server));
	events_enable("binder_unmap_user_start", "binder_unmap_user_end",
		      "binder_unmap_kernel_start", "binder_unmap_kernel_end");
	for (int i = 0; i < 20; i++) {
		reclaim();
		if (peer_touch(self->server, page) == SIGBUS)
			break;
	}
	EXPECT_TRUE(paired("binder_unmap_kernel", self->proc, 1));
	EXPECT_TRUE(paired("binder_unmap_user", self->proc, 1));
	EXPECT_LE(event_count("binder_unmap_user_start", 0),
		  event_count("binder_unmap_kernel_start", 0));
}

TEST_HARNESS_MAIN
