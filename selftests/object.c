// SPDX-License-Identifier: GPL-2.0

#include <stdio.h>

#include "object.h"

struct flat_binder_object local_object(__u64 ptr, __u64 cookie, __u32 flags)
{
	return (struct flat_binder_object){
		.hdr.type = BINDER_TYPE_BINDER,
		.flags = flags,
		.binder = ptr,
		.cookie = cookie,
	};
}

struct flat_binder_object remote_object(__u32 handle)
{
	return (struct flat_binder_object){
		.hdr.type = BINDER_TYPE_HANDLE,
		.handle = handle,
	};
}

int send_objects(struct peer *peer, __u32 cmd, const struct msg *msg,
		 const struct flat_binder_object *obj, size_t count)
{
	binder_size_t offsets[8];
	struct msg full = *msg;

	for (size_t i = 0; i < count; i++)
		offsets[i] = i * sizeof(*obj);
	full.data = obj;
	full.size = count * sizeof(*obj);
	full.offsets = offsets;
	full.offsets_size = count * sizeof(*offsets);
	return peer_send(peer, cmd, &full);
}

int send_object(struct peer *peer, __u32 cmd, const struct msg *msg,
		const struct flat_binder_object *obj)
{
	return send_objects(peer, cmd, msg, obj, 1);
}

const struct flat_binder_object *peer_object(struct peer *peer, size_t index)
{
	size_t len = sizeof(struct binder_buffer_object);
	const binder_size_t *offsets;
	size_t at;

	if (index >= peer->txn.offsets_size / sizeof(*offsets))
		die("the message has no object %zu", index);
	offsets = peer_peek(peer, peer->txn.data.ptr.offsets,
			    peer->txn.offsets_size);
	at = offsets[index];
	/* The page behind the data may not be there. */
	if (at + len > peer->txn.data_size)
		len = peer->txn.data_size - at;
	return peer_peek(peer, peer->txn.data.ptr.buffer + at, len);
}

size_t sg_add(struct sg *sg, const void *obj, size_t size)
{
	if (sg->size + size > sizeof(sg->data) ||
	    sg->count == ARRAY_SIZE(sg->offsets))
		die("too many objects");
	memcpy(sg->data + sg->size, obj, size);
	sg->offsets[sg->count] = sg->size;
	sg->size += size;
	return sg->count++;
}

size_t sg_ptr(struct sg *sg, const void *buf, size_t len)
{
	struct binder_buffer_object obj = {
		.hdr.type = BINDER_TYPE_PTR,
		.buffer = (__u64)buf,
		.length = len,
	};

	sg->extra += (len + 7) & ~7UL;
	return sg_add(sg, &obj, sizeof(obj));
}

size_t sg_child(struct sg *sg, const void *buf, size_t len, size_t parent,
		size_t parent_offset)
{
	struct binder_buffer_object obj = {
		.hdr.type = BINDER_TYPE_PTR,
		.flags = BINDER_BUFFER_FLAG_HAS_PARENT,
		.buffer = (__u64)buf,
		.length = len,
		.parent = parent,
		.parent_offset = parent_offset,
	};

	sg->extra += (len + 7) & ~7UL;
	return sg_add(sg, &obj, sizeof(obj));
}

size_t sg_fds(struct sg *sg, size_t num_fds, size_t parent,
	      size_t parent_offset)
{
	struct binder_fd_array_object obj = {
		.hdr.type = BINDER_TYPE_FDA,
		.num_fds = num_fds,
		.parent = parent,
		.parent_offset = parent_offset,
	};

	return sg_add(sg, &obj, sizeof(obj));
}

int sg_send(struct peer *peer, __u32 cmd, const struct msg *msg,
	    const struct sg *sg)
{
	struct msg full = *msg;

	full.data = sg->data;
	full.size = sg->size;
	full.offsets = sg->offsets;
	full.offsets_size = sg->count * sizeof(sg->offsets[0]);
	full.extra = sg->extra;
	return peer_send(peer, cmd, &full);
}

const char *sg_try(struct peer *peer, const struct msg *msg,
		   const struct sg *sg)
{
	if (sg_send(peer, BC_TRANSACTION_SG, msg, sg))
		die("BC_TRANSACTION_SG failed");
	return peer_read(peer);
}

const struct binder_buffer_object *peer_ptr(struct peer *peer, size_t index)
{
	return (const void *)peer_object(peer, index);
}

void must_read(struct peer *peer, const char *text)
{
	const char *seen = peer_read(peer);

	if (strcmp(seen, text))
		die("expected '%s', read '%s'", text, seen);
}

void answer(struct peer *server, const struct msg *msg)
{
	put_msg(server, BC_REPLY, msg);
	put_u64(server, BC_FREE_BUFFER, server->txn.data.ptr.buffer);
	if (strcmp(peer_write_read(server), "NOOP TRANSACTION_COMPLETE"))
		die("reply: %s", server->text);
}

const char *read_late(struct peer *peer)
{
	long deadline = now_ms() + RELEASE_TIMEOUT_MS;
	const char *text = peer_read(peer);

	while (!strcmp(text, "EAGAIN") && now_ms() < deadline) {
		nap();
		text = peer_read(peer);
	}
	return text;
}

struct peer *registry_open(void)
{
	return peer_manager(task_fork());
}

void ack_refs(struct peer *owner)
{
	for (int i = 0; i < owner->nr_rets; i++) {
		struct ret *ret = &owner->rets[i];

		if (ret->cmd == BR_INCREFS)
			put_node(owner, BC_INCREFS_DONE, ret->node.ptr,
				 ret->node.cookie);
		if (ret->cmd == BR_ACQUIRE)
			put_node(owner, BC_ACQUIRE_DONE, ret->node.ptr,
				 ret->node.cookie);
	}
	if (peer_write(owner))
		die("acknowledging references failed");
}

__u32 registry_add(struct peer *registry, struct peer *owner, __u64 ptr,
		   __u64 cookie, __u32 flags)
{
	struct flat_binder_object obj = local_object(ptr, cookie, flags);
	__u32 handle;

	if (send_object(owner, BC_TRANSACTION, MSG(), &obj))
		die("registration failed");
	must_read(registry, "NOOP TRANSACTION");
	handle = peer_object(registry, 0)->handle;
	put_u32(registry, BC_ACQUIRE, handle);
	answer(registry, MSG());
	peer_read(owner);
	ack_refs(owner);
	if (owner->rets[owner->nr_rets - 1].cmd != BR_REPLY)
		die("registration: %s", owner->text);
	peer_free_last(owner);
	return handle;
}

__u32 registry_get(struct peer *registry, struct peer *client, __u32 handle)
{
	struct flat_binder_object obj = remote_object(handle);

	if (peer_send(client, BC_TRANSACTION, MSG()))
		die("look-up failed");
	must_read(registry, "NOOP TRANSACTION");
	peer_free_last(registry);
	send_object(registry, BC_REPLY, MSG(), &obj);
	must_read(registry, "NOOP TRANSACTION_COMPLETE");
	must_read(client, "NOOP TRANSACTION_COMPLETE REPLY");
	handle = peer_object(client, 0)->handle;
	put_u32(client, BC_ACQUIRE, handle);
	put_u64(client, BC_FREE_BUFFER, client->txn.data.ptr.buffer);
	if (peer_write(client))
		die("acquiring a handle failed");
	return handle;
}

void registry_drop(struct peer *registry, __u32 handle)
{
	put_u32(registry, BC_RELEASE, handle);
	if (peer_write(registry))
		die("dropping a handle failed");
}

__u32 registry_give(struct peer *registry, struct peer *owner,
		    struct peer *client, __u64 ptr, __u64 cookie, __u32 flags)
{
	__u32 mine = registry_add(registry, owner, ptr, cookie, flags);
	__u32 theirs = registry_get(registry, client, mine);

	registry_drop(registry, mine);
	return theirs;
}

__u32 registry_pair(struct peer *registry, struct peer **server,
		    struct peer **client)
{
	*server = peer_open(NULL);
	*client = peer_open(NULL);
	if (peer_word(*server, BC_ENTER_LOOPER))
		die("BC_ENTER_LOOPER failed");
	return registry_give(registry, *server, *client, 0x10, 0,
			     FLAT_BINDER_FLAG_ACCEPTS_FDS);
}

void kill_and_wait(struct peer *owner, struct peer *client, __u32 handle)
{
	long deadline = now_ms() + RELEASE_TIMEOUT_MS;

	task_kill(owner->task);
	do {
		put_msg(client, BC_TRANSACTION,
			MSG(.handle = handle, .flags = TF_ONE_WAY));
		peer_write_read(client);
		if (!strcmp(peer_error(client), "DEAD_REPLY EINVAL"))
			return;
		nap();
	} while (now_ms() < deadline);
	die("the owner of handle %u does not die", handle);
}

const char *node_refs(struct peer *peer, __u64 ptr)
{
	struct binder_node_debug_info info = {};

	do {
		if (peer_ioctl(peer, BINDER_GET_NODE_DEBUG_INFO, &info))
			die("BINDER_GET_NODE_DEBUG_INFO failed");
		if (info.ptr == ptr) {
			snprintf(peer->text, sizeof(peer->text), "%u %u",
				 info.has_strong_ref, info.has_weak_ref);
			return peer->text;
		}
	} while (info.ptr);
	return "none";
}
