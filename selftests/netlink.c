// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink.h"
#include "task.h"

#define ATTR_DATA(attr) ((void *)((char *)(attr) + NLA_HDRLEN))

union buffer {
	struct nlmsghdr header;
	char bytes[8192];
};

/* The attribute at p, or NULL if there is none before end */
static struct nlattr *attr_at(void *p, void *end)
{
	return (char *)end - (char *)p >= NLA_HDRLEN ? p : NULL;
}

static struct nlattr *attr_behind(struct nlattr *attr, void *end)
{
	return attr_at((char *)attr + NLA_ALIGN(attr->nla_len), end);
}

static void *end_of(struct nlattr *attr)
{
	return (char *)attr + attr->nla_len;
}

/* The first attribute of a message */
static struct nlattr *first_attr(struct nlmsghdr *header, void *end)
{
	return attr_at((char *)NLMSG_DATA(header) + GENL_HDRLEN, end);
}

static int type_of(const struct nlattr *attr)
{
	return attr->nla_type & NLA_TYPE_MASK;
}

static int payload(const struct nlattr *attr)
{
	return attr->nla_len - NLA_HDRLEN;
}

static __u32 u32_of(struct nlattr *attr)
{
	__u32 value = 0;

	if (payload(attr) == sizeof(value))
		memcpy(&value, ATTR_DATA(attr), sizeof(value));
	return value;
}

static void string_of(struct nlattr *attr, char *text, size_t size)
{
	snprintf(text, size, "%.*s", payload(attr), (char *)ATTR_DATA(attr));
}

static int open_socket(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		die("netlink socket: %m");
	return fd;
}

/* Asks for the family called BINDER_FAMILY_NAME. */
static void ask(int fd)
{
	struct {
		struct nlmsghdr header;
		struct genlmsghdr genl;
		struct nlattr attr;
		char name[NLA_ALIGN(sizeof(BINDER_FAMILY_NAME))];
	} request = {
		.header = {
			.nlmsg_len = sizeof(request),
			.nlmsg_type = GENL_ID_CTRL,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.genl = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
		.attr = {
			.nla_len = NLA_HDRLEN + sizeof(BINDER_FAMILY_NAME),
			.nla_type = CTRL_ATTR_FAMILY_NAME,
		},
		.name = BINDER_FAMILY_NAME,
	};

	if (send(fd, &request, sizeof(request), 0) != sizeof(request))
		die("asking for the family: %m");
}

static void parse_groups(struct nlattr *groups, struct family *family)
{
	struct nlattr *group, *attr;

	for (group = attr_at(ATTR_DATA(groups), end_of(groups)); group;
	     group = attr_behind(group, end_of(groups))) {
		family->nr_groups++;
		for (attr = attr_at(ATTR_DATA(group), end_of(group)); attr;
		     attr = attr_behind(attr, end_of(group))) {
			if (type_of(attr) == CTRL_ATTR_MCAST_GRP_ID)
				family->group_id = u32_of(attr);
			if (type_of(attr) == CTRL_ATTR_MCAST_GRP_NAME)
				string_of(attr, family->group,
					  sizeof(family->group));
		}
	}
}

int family_get(struct family *family)
{
	union buffer answer;
	int fd = open_socket();
	struct nlattr *attr;
	ssize_t len;
	void *end;

	*family = (struct family){};
	ask(fd);
	len = recv(fd, &answer, sizeof(answer), 0);
	close(fd);
	if (len < NLMSG_HDRLEN)
		die("no answer about the family: %m");
	if (answer.header.nlmsg_type == NLMSG_ERROR)
		return ((struct nlmsgerr *)NLMSG_DATA(&answer.header))->error;
	end = answer.bytes + answer.header.nlmsg_len;
	for (attr = first_attr(&answer.header, end); attr;
	     attr = attr_behind(attr, end)) {
		switch (type_of(attr)) {
		case CTRL_ATTR_FAMILY_ID:
			family->id = *(__u16 *)ATTR_DATA(attr);
			break;
		case CTRL_ATTR_VERSION:
			family->version = u32_of(attr);
			break;
		case CTRL_ATTR_OPS:
			family->has_ops = true;
			break;
		case CTRL_ATTR_MCAST_GROUPS:
			parse_groups(attr, family);
			break;
		}
	}
	return 0;
}

int reports_open(const struct family *family)
{
	int fd = open_socket();

	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
		       &family->group_id, sizeof(family->group_id))) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

bool reports_next(int fd, struct report *report)
{
	union buffer message;
	struct genlmsghdr *genl;
	struct nlattr *attr;
	void *end;
	ssize_t len = recv(fd, &message, sizeof(message), MSG_DONTWAIT);

	*report = (struct report){};
	if (len < 0 && errno == EAGAIN)
		return false;
	if (len < NLMSG_HDRLEN + GENL_HDRLEN)
		die("reading a report: %m");
	genl = NLMSG_DATA(&message.header);
	report->type = message.header.nlmsg_type;
	report->cmd = genl->cmd;
	report->version = genl->version;
	end = message.bytes + message.header.nlmsg_len;
	for (attr = first_attr(&message.header, end); attr;
	     attr = attr_behind(attr, end)) {
		int type = type_of(attr);

		if (type > BINDER_A_REPORT_MAX)
			die("attribute %d in a report", type);
		report->has[type] = true;
		report->value[type] = u32_of(attr);
		if (type == BINDER_A_REPORT_CONTEXT)
			string_of(attr, report->context,
				  sizeof(report->context));
	}
	return true;
}
