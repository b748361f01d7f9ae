// SPDX-License-Identifier: GPL-2.0
/*
 * What others still know of dead processes takes little memory: neither the
 * space that they had for messages nor the rest of them stays.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "object.h"

#define LIVES 100
#define AREA (1024 * 1024)
#define FILL (AREA - 64 * 1024)
#define PATIENCE_MS 60000
#define MIB 1024		/* in kB, as /proc/meminfo has it */

enum end { JUST_DIES, LEAVES_A_CALL };

/* In the arena: what all lives wait for, and how many have come so far */
struct gate {
	int filled;
	bool open;
};

FIXTURE(corpse)
{
	struct peer *manager;
	long memory;
	long tasks;
	long mms;
};

FIXTURE_VARIANT(corpse)
{
	enum end end;
	bool told;
};

/* What is left of them are handles, */
FIXTURE_VARIANT_ADD(corpse, handles)
{
	.end = JUST_DIES,
};

/* and calls that nobody has answered, */
FIXTURE_VARIANT_ADD(corpse, calls)
{
	.end = LEAVES_A_CALL,
};

/* and notices of their deaths that nobody reads. */
FIXTURE_VARIANT_ADD(corpse, notices)
{
	.end = JUST_DIES,
	.told = true,
};

/* The number behind a word in a file, or -1 */
static long number_after(const char *path, const char *word)
{
	size_t len = strlen(word);
	FILE *file = fopen(path, "re");
	char line[256];
	long number = -1;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, word, len) &&
		    sscanf(line + len, " %ld", &number) == 1)
			break;
	if (file)
		fclose(file);
	return number;
}

static long memory_available(void)
{
	return number_after("/proc/meminfo", "MemAvailable:");
}

/* How many objects a slab cache has, or -1 */
static long slab_objects(const char *name)
{
	char path[64], word[32];
	int fd;

	/* What is kept for the next one does not count. */
	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "1", 1) != 1)
		die("%s: %m", path);
	close(fd);
	snprintf(word, sizeof(word), "%s ", name);
	return number_after("/proc/slabinfo", word);
}

FIXTURE_SETUP(corpse)
{
	binder_setup();
	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		SKIP(return, "a debug kernel keeps what was freed for its checks");
	self->manager = peer_manager(NULL);
	self->tasks = slab_objects("task_struct");
	self->mms = slab_objects("mm_struct");
	self->memory = memory_available();
	ASSERT_LT(0, self->memory);
}

FIXTURE_TEARDOWN(corpse)
{
	EXPECT_STREQ("", binder_teardown());
}

static void __noreturn live(struct peer *peer, enum end end, struct gate *gate)
{
	struct flat_binder_object obj = local_object(0x10, 0, 0);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	peer->fd = binder_open_at(binder_dir, BINDER_DEV, O_RDWR);
	if (mmap(NULL, AREA, PROT_READ, MAP_PRIVATE, peer->fd, 0) == MAP_FAILED)
		_exit(1);
	if (send_object(peer, BC_TRANSACTION, MSG(), &obj))
		_exit(2);
	do {
		peer_read(peer);
	} while (peer->rets[peer->nr_rets - 1].cmd != BR_REPLY);
	__atomic_add_fetch(&gate->filled, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&gate->open, __ATOMIC_SEQ_CST))
		nap();
	if (end == LEAVES_A_CALL)
		peer_send(peer, BC_TRANSACTION, MSG());
	_exit(0);
}

/* In a process without devices: starts all lives. */
static long start_lives(long peers, long end, long gate)
{
	for (int i = 0; i < LIVES; i++) {
		pid_t pid = fork();

		if (!pid)
			live((struct peer *)peers + i, end, (struct gate *)gate);
		if (pid < 0)
			return -errno;
	}
	return 0;
}

/* Waits for the end of all. Returns how many had a good one. */
static long bury(long unused, long unused2, long unused3)
{
	long good = 0;
	int status;

	while (wait(&status) > 0)
		good += !status;
	return good;
}

/* The same as task_call() in the nursery, for what takes longer */
static long in_nursery(task_fn fn, long a, long b, long c)
{
	long end = now_ms() + PATIENCE_MS, ret;

	task_start(task_nursery(), fn, a, b, c);
	do {
		ret = task_finish(task_nursery());
	} while (ret == -ETIMEDOUT && now_ms() < end);
	return ret;
}

/* Takes one's object, and fills its space with an answer. */
static void feed(struct peer *manager, const void *data, bool told)
{
	__u32 handle;

	must_read(manager, "NOOP TRANSACTION");
	handle = peer_object(manager, 0)->handle;
	put_u32(manager, BC_ACQUIRE, handle);
	if (told)
		put_handle_cookie(manager, BC_REQUEST_DEATH_NOTIFICATION,
				  handle, 1);
	answer(manager, MSG(.data = data, .size = FILL));
}

/* Items 10, 270 and 604. */
TEST_F(corpse, takes_little_memory)
{
	struct peer *peers = arena_alloc(LIVES * sizeof(*peers));
	struct gate *gate = arena_alloc(sizeof(*gate));
	void *data = arena_alloc(FILL);
	long end, lost, tasks, mms;

	memset(data, 0x5a, FILL);
	memset(peers, 0, LIVES * sizeof(*peers));
	peer_set_nonblock(self->manager, false);
	self->memory = memory_available();
	ASSERT_EQ(0, in_nursery(start_lives, (long)peers, variant->end,
				(long)gate));
	for (int i = 0; i < LIVES; i++)
		feed(self->manager, data, variant->told);
	end = now_ms() + PATIENCE_MS;
	while (__atomic_load_n(&gate->filled, __ATOMIC_SEQ_CST) < LIVES) {
		ASSERT_GT(end, now_ms());
		nap();
	}
	lost = self->memory - memory_available();
	/* This is a test of what goes, so it must have been there. */
	ASSERT_LE(LIVES * FILL / 1024, lost);
	__atomic_store_n(&gate->open, true, __ATOMIC_SEQ_CST);
	ASSERT_EQ(LIVES, in_nursery(bury, 0, 0, 0));
	end = now_ms() + 4 * RELEASE_TIMEOUT_MS;
	/* RCU has some of it for a while. */
	do {
		usleep(100000);
		lost = self->memory - memory_available();
		tasks = slab_objects("task_struct") - self->tasks;
		mms = slab_objects("mm_struct") - self->mms;
	} while ((lost > 20 * MIB || tasks >= LIVES / 2 || mms >= LIVES / 2) &&
		 now_ms() < end);
	EXPECT_GE(20 * MIB, lost);
	EXPECT_GT(LIVES / 2, tasks);
	EXPECT_GT(LIVES / 2, mms);
}

TEST_HARNESS_MAIN
