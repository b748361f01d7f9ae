// SPDX-License-Identifier: GPL-2.0

#include <linux/preempt.h>
#include <linux/trace_events.h>
#include <linux/tracepoint.h>

#ifdef CONFIG_EVENT_TRACING
__rust_helper struct srcu_ctr __percpu *rust_helper_tracepoint_read_lock(void)
{
	return srcu_read_lock_fast_notrace(&tracepoint_srcu);
}

__rust_helper void rust_helper_tracepoint_read_unlock(struct srcu_ctr __percpu *lock)
{
	srcu_read_unlock_fast_notrace(&tracepoint_srcu, lock);
}

__rust_helper void rust_helper_preempt_disable_notrace(void)
{
	preempt_disable_notrace();
}

__rust_helper void rust_helper_preempt_enable_notrace(void)
{
	preempt_enable_notrace();
}

__rust_helper bool rust_helper_trace_trigger_soft_disabled(struct trace_event_file *file)
{
	return trace_trigger_soft_disabled(file);
}

#ifdef CONFIG_PERF_EVENTS
/* The list of those who opened the event on this CPU, NULL if nobody wants it. */
__rust_helper struct hlist_head *
rust_helper_trace_event_call_perf_head(struct trace_event_call *call)
{
	struct hlist_head *head = this_cpu_ptr(call->perf_events);

	if (hlist_empty(head) && !bpf_prog_array_valid(call))
		return NULL;
	return head;
}

__rust_helper void rust_helper_perf_fetch_caller_regs(struct pt_regs *regs)
{
	perf_fetch_caller_regs(regs);
}
#endif /* CONFIG_PERF_EVENTS */
#endif /* CONFIG_EVENT_TRACING */
