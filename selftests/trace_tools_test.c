// SPDX-License-Identifier: GPL-2.0
/* Trace events as tools see them: their formats, filters, and perf. */

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "events.h"
#include "kselftest_harness.h"
#include "peer.h"

FIXTURE(tools)
{
	struct peer *client;
};

FIXTURE_SETUP(tools)
{
	binder_setup();
	if (!events_open())
		SKIP(return, "no trace events of Binder in " TRACEFS);
	self->client = peer_open(NULL);
}

FIXTURE_TEARDOWN(tools)
{
	events_close();
	EXPECT_STREQ("", binder_teardown());
}

/* Events, and each of their fields with its offset, its size, and its sign */
static const struct {
	const char *names[10];
	const char *fields[7];
} formats[] = {
	{
		.names = { "binder_ioctl" },
		.fields = { "cmd:8:4:0", "arg:16:8:0" },
	},
	{
		.names = { "binder_ioctl_done", "binder_write_done",
			"binder_read_done" },
		.fields = { "ret:8:4:1" },
	},
	{
		.names = { "binder_wait_for_work" },
		.fields = { "proc_work:8:1:0", "transaction_stack:9:1:0",
			"thread_todo:10:1:0" },
	},
	{
		.names = { "binder_command" },
		.fields = { "cmd:8:4:0" },
	},
	{
		.names = { "binder_return" },
		.fields = { "cmd:8:4:0" },
	},
	{
		.names = { "binder_transaction" },
		.fields = { "debug_id:8:4:1", "target_node:12:4:1",
			"to_proc:16:4:1", "to_thread:20:4:1", "reply:24:4:1",
			"code:28:4:0", "flags:32:4:0" },
	},
	{
		.names = { "binder_transaction_received" },
		.fields = { "debug_id:8:4:1" },
	},
	{
		.names = { "binder_txn_latency_free" },
		.fields = { "debug_id:8:4:1", "from_proc:12:4:1",
			"from_thread:16:4:1", "to_proc:20:4:1",
			"to_thread:24:4:1", "code:28:4:0", "flags:32:4:0" },
	},
	{
		.names = { "binder_transaction_node_to_ref" },
		.fields = { "debug_id:8:4:1", "node_debug_id:12:4:1",
			"node_ptr:16:8:0", "ref_debug_id:24:4:1",
			"ref_desc:28:4:0" },
	},
	{
		.names = { "binder_transaction_ref_to_node" },
		.fields = { "debug_id:8:4:1", "ref_debug_id:12:4:1",
			"ref_desc:16:4:0", "node_debug_id:20:4:1",
			"node_ptr:24:8:0" },
	},
	{
		.names = { "binder_transaction_ref_to_ref" },
		.fields = { "debug_id:8:4:1", "node_debug_id:12:4:1",
			"src_ref_debug_id:16:4:1", "src_ref_desc:20:4:0",
			"dest_ref_debug_id:24:4:1", "dest_ref_desc:28:4:0" },
	},
	{
		.names = { "binder_transaction_fd_send",
			"binder_transaction_fd_recv" },
		.fields = { "debug_id:8:4:1", "fd:12:4:1", "offset:16:8:0" },
	},
	{
		.names = { "binder_transaction_alloc_buf",
			"binder_transaction_buffer_release",
			"binder_transaction_failed_buffer_release",
			"binder_transaction_update_buffer_release" },
		.fields = { "debug_id:8:4:1", "data_size:16:8:0",
			"offsets_size:24:8:0", "extra_buffers_size:32:8:0" },
	},
	{
		.names = { "binder_update_page_range" },
		.fields = { "proc:8:4:1", "allocate:12:1:0", "offset:16:8:0",
			"size:24:8:0" },
	},
	{
		.names = { "binder_alloc_lru_start", "binder_alloc_lru_end",
			"binder_free_lru_start", "binder_free_lru_end",
			"binder_alloc_page_start", "binder_alloc_page_end",
			"binder_unmap_user_start", "binder_unmap_user_end",
			"binder_unmap_kernel_start", "binder_unmap_kernel_end" },
		.fields = { "proc:8:4:1", "page_index:16:8:0" },
	},
};

#define MAX_FIELDS 16

/* Fills in the fields of an event in the form of the table above. */
static int fields_of(const char *event, char fields[MAX_FIELDS][40])
{
	const char *line = event_file(event, "format");
	int count = 0;

	while ((line = strstr(line, "\tfield:")) && count < MAX_FIELDS) {
		char what[80], *name;
		int offset, size, is_signed;

		line++;
		if (sscanf(line, "field:%79[^;]; offset:%d; size:%d; signed:%d;",
			   what, &offset, &size, &is_signed) != 4)
			die("%s: cannot read '%.40s'", event, line);
		name = strrchr(what, ' ') + 1;
		if (!strncmp(name, "common_", 7))
			continue;
		snprintf(fields[count++], 40, "%s:%d:%d:%d", name, offset, size,
			 is_signed);
	}
	return count;
}

/* Items 321, 322, 323, 324 and 325. */
TEST_F(tools, formats)
{
	char fields[MAX_FIELDS][40];
	int nr_events = 0;

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		const char * const *name = formats[i].names;
		int nr_fields = 0;

		while (nr_fields < ARRAY_SIZE(formats[i].fields) &&
		       formats[i].fields[nr_fields])
			nr_fields++;
		for (int j = 0; j < ARRAY_SIZE(formats[i].names) && name[j];
		     j++, nr_events++) {
			ASSERT_EQ(nr_fields, fields_of(name[j], fields)) {
				TH_LOG("%s", name[j]);
			}
			for (int k = 0; k < nr_fields; k++)
				EXPECT_STREQ(formats[i].fields[k], fields[k]);
		}
	}
	EXPECT_EQ(30, nr_events);
}

/* Item 326: where the context is differs, as it is a string in the record. */
TEST_F(tools, format_of_the_report)
{
	static const char * const names[] = {
		"context", "error", "from_pid", "from_tid", "to_pid", "to_tid",
		"is_reply", "flags", "code", "data_size",
	};
	char fields[MAX_FIELDS][40];

	ASSERT_EQ(ARRAY_SIZE(names), fields_of("binder_netlink_report", fields));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		*strchr(fields[i], ':') = 0;
		EXPECT_STREQ(names[i], fields[i]);
	}
	if (is_binder_safe())
		EXPECT_NE(NULL, strstr(event_file("binder_netlink_report",
						  "format"),
				       "__data_loc char[] context;"));
}

/* Better: names that user space can print, where C names a kernel array. */
TEST_F(tools, names_of_commands)
{
	const char *format;

	if (!is_binder_safe())
		SKIP(return, "the C driver's formats name an array");
	format = event_file("binder_command", "format");
	EXPECT_NE(NULL, strstr(format, "__print_symbolic(REC->cmd, { 0x"));
	EXPECT_NE(NULL, strstr(format, "\"BC_TRANSACTION\" }"));
	format = event_file("binder_return", "format");
	EXPECT_NE(NULL, strstr(format, "\"BR_TRANSACTION\" }"));
}

TEST_F(tools, filters)
{
	char filter[64];

	snprintf(filter, sizeof(filter), "cmd == %u && ret == 0",
		 (unsigned int)BC_ENTER_LOOPER);
	EXPECT_EQ(-EINVAL, events_filter("binder_command", filter));
	snprintf(filter, sizeof(filter), "cmd == %u",
		 (unsigned int)BC_ENTER_LOOPER);
	ASSERT_EQ(0, events_filter("binder_command", filter));
	ASSERT_EQ(0, events_filter("binder_ioctl_done", "ret < 0"));
	events_enable("binder_command", "binder_ioctl_done");
	ASSERT_EQ(0, peer_word(self->client, BC_ENTER_LOOPER));
	ASSERT_EQ(0, peer_word(self->client, BC_EXIT_LOOPER));
	EXPECT_EQ(-1, ioctl(self->client->fd, 0x1234, 0));
	EXPECT_EQ(1, event_count("binder_command", 0));
	EXPECT_EQ(BC_ENTER_LOOPER,
		  event_field(event("binder_command", 0, 0), "cmd"));
	EXPECT_EQ(1, event_count("binder_ioctl_done", 0));
	EXPECT_STREQ("ret=-22", event("binder_ioctl_done", 0, 0));
}

/* What perf has in its buffer of a tracepoint that asks for raw samples */
struct sample {
	struct perf_event_header header;
	__u32 size;
	unsigned short type;
	unsigned char flags, preempt_count;
	int pid;
	__u32 cmd;
};

/* Item 321, by way of perf: counted, and sampled with all fields. */
TEST_F(tools, perf)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_RAW,
		.disabled = 1,
	};
	long page = sysconf(_SC_PAGESIZE);
	struct perf_event_mmap_page *ring;
	const struct sample *sample;
	__u64 count;
	int fd;

	attr.config = atoi(event_file("binder_command", "id"));
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	if (fd < 0 && errno == ENOENT)
		SKIP(return, "no perf events in this kernel");
	ASSERT_LE(0, fd) {
		TH_LOG("perf_event_open: %m");
	}
	ring = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, ring);
	ASSERT_EQ(0, peer_word(self->client, BC_ENTER_LOOPER));
	ASSERT_EQ(0, ioctl(fd, PERF_EVENT_IOC_ENABLE, 0));
	ASSERT_EQ(0, peer_word(self->client, BC_EXIT_LOOPER));
	put_word(self->client, BC_ENTER_LOOPER);
	put_word(self->client, BC_ENTER_LOOPER);
	ASSERT_EQ(0, peer_write(self->client));
	ASSERT_EQ(0, ioctl(fd, PERF_EVENT_IOC_DISABLE, 0));
	ASSERT_EQ(0, peer_word(self->client, BC_ENTER_LOOPER));
	ASSERT_EQ(sizeof(count), read(fd, &count, sizeof(count)));
	EXPECT_EQ(3, count);

	sample = (const void *)((char *)ring + page);
	ASSERT_LE(sizeof(*sample), ring->data_head);
	EXPECT_EQ(PERF_RECORD_SAMPLE, sample->header.type);
	EXPECT_LE(12, sample->size);
	EXPECT_EQ(attr.config, sample->type);
	EXPECT_EQ(getpid(), sample->pid);
	EXPECT_EQ(BC_EXIT_LOOPER, sample->cmd);
	munmap(ring, 2 * page);
	close(fd);
}

TEST_HARNESS_MAIN
