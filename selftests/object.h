/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects in messages, and a registry: a context manager in a task of its
 * own, through which peers of one process get handles of each other.
 */
#ifndef BINDER_SELFTEST_OBJECT_H
#define BINDER_SELFTEST_OBJECT_H

#include "peer.h"

struct flat_binder_object local_object(__u64 ptr, __u64 cookie, __u32 flags);
struct flat_binder_object remote_object(__u32 handle);

int send_object(struct peer *peer, __u32 cmd, const struct msg *msg,
		const struct flat_binder_object *obj);
int send_objects(struct peer *peer, __u32 cmd, const struct msg *msg,
		 const struct flat_binder_object *obj, size_t count);

/* The object that the index-th offset of the last message leads to */
const struct flat_binder_object *peer_object(struct peer *peer, size_t index);

/*
 * A message with objects of all kinds, for the _SG commands. It starts with 8
 * bytes of plain data, because the C driver takes no parent at offset 0.
 */
struct sg {
	size_t size;
	size_t count;
	size_t extra;			/* what the buffers need */
	binder_size_t offsets[32];
	char data[1024];
};

/* Each returns the object's index. */
size_t sg_add(struct sg *sg, const void *obj, size_t size);
size_t sg_ptr(struct sg *sg, const void *buf, size_t len);
size_t sg_child(struct sg *sg, const void *buf, size_t len, size_t parent,
		size_t parent_offset);
size_t sg_fds(struct sg *sg, size_t num_fds, size_t parent,
	      size_t parent_offset);
int sg_send(struct peer *peer, __u32 cmd, const struct msg *msg,
	    const struct sg *sg);
#define SG (&(struct sg){ .size = 8 })

/* Sends and returns what the sender then reads. */
const char *sg_try(struct peer *peer, const struct msg *msg,
		   const struct sg *sg);

/* The index-th object of the last message, which is a PTR */
const struct binder_buffer_object *peer_ptr(struct peer *peer, size_t index);

struct peer *registry_open(void);

/*
 * Makes the owner's object known to the registry: returns the registry's
 * handle, which holds one strong count. The owner has acknowledged all.
 */
__u32 registry_add(struct peer *registry, struct peer *owner, __u64 ptr,
		   __u64 cookie, __u32 flags);
/* Passes one on; the client's handle holds one strong count, too. */
__u32 registry_get(struct peer *registry, struct peer *client, __u32 handle);
void registry_drop(struct peer *registry, __u32 handle);

/* All of it: only the client keeps a reference. */
__u32 registry_give(struct peer *registry, struct peer *owner,
		    struct peer *client, __u64 ptr, __u64 cookie, __u32 flags);

/*
 * Opens a server that takes descriptors and a client, both in this process;
 * returns the client's handle of the server's object 0x10.
 */
__u32 registry_pair(struct peer *registry, struct peer **server,
		    struct peer **client);

/*
 * Kills the owner and sends oneways until its handle is dead, so that its
 * release is over and nothing of it comes later. An owner that has lost its
 * mapping and is not released yet is as good as dead to the sender, but for
 * the error: ESRCH.
 */
void kill_and_wait(struct peer *owner, struct peer *client, __u32 handle);

/* Acknowledges the BR_INCREFS and BR_ACQUIRE of the last read. */
void ack_refs(struct peer *owner);

/* Ends the test unless the read gives this text. */
void must_read(struct peer *peer, const char *text);

/* Answers the call that was read last with msg, and frees its buffer. */
void answer(struct peer *server, const struct msg *msg);

/* Reads until something else than EAGAIN comes, for what is asynchronous. */
const char *read_late(struct peer *peer);

/* What BINDER_GET_NODE_DEBUG_INFO has for ptr: "1 1", or "none" */
const char *node_refs(struct peer *peer, __u64 ptr);

#endif
