// SPDX-License-Identifier: GPL-2.0

//! Buffers of messages.

use kernel::trace_event;

/// Events about a buffer.
macro_rules! buffers {
    ($($(#[$meta:meta])* $name:ident($event:literal);)*) => {$(
        trace_event! {
            $(#[$meta])*
            pub(crate) struct $name("binder", $event) {
                debug_id: i32,
                data_size: usize,
                offsets_size: usize,
                /// Room for buffers that the message points to, and for a security context.
                extra_buffers_size: usize,
            }
            print(
                "transaction=%d data_size=%zd offsets_size=%zd extra_buffers_size=%zd",
                debug_id, data_size, offsets_size, extra_buffers_size
            )
        }

        impl $name {
            /// Records it of the buffer of which `numbers` returns the id and the sizes.
            #[inline(always)]
            pub(crate) fn of(numbers: impl FnOnce() -> [u32; 4]) {
                Self::trace(|| {
                    let [debug_id, data_size, offsets_size, extra_size] = numbers();
                    Self {
                        debug_id: debug_id as i32,
                        data_size: data_size as usize,
                        offsets_size: offsets_size as usize,
                        extra_buffers_size: extra_size as usize,
                    }
                });
            }
        }
    )*};
}

buffers! {
    /// A buffer was allocated.
    AllocBuf("binder_transaction_alloc_buf");
    /// A buffer that was read is released.
    BufferRelease("binder_transaction_buffer_release");
    /// A buffer is released because the message cannot be sent.
    FailedBufferRelease("binder_transaction_failed_buffer_release");
    /// A buffer is released because a newer message takes the place of its own.
    UpdateBufferRelease("binder_transaction_update_buffer_release");
}
