/* What stands between a device's callback and the engine that the device serves.
 *
 * A callback is given an attachment, never an engine. The reason is a device that hangs: nothing
 * can end its thread, which may come back after minutes with a block in its hands, when the engine
 * has long been given another device. A flag in the engine that shuts callbacks out would have to
 * be lowered for the second device, and would let the first one in again. So each device that is
 * opened has an attachment of its own, which is attached once and, once detached, never again: a
 * thread of the first device finds it empty, however late it comes.
 *
 * For the same reason an attachment outlives its device and, if need be, its engine. One whose
 * device never answered is leaked on purpose; all that its callback needs for silence is in it. */
#ifndef PASTREAM_ATTACHMENT_H
#define PASTREAM_ATTACHMENT_H

#include <stdatomic.h>

#include "_state.h"

struct device_side {
    int32_t sample_format;
    int32_t channels; /* 0: the device has no such side */
};

struct attachment {
    /* Owner, before the device starts. */
    struct device_side playback;
    struct device_side capture;
    int64_t last_debt; /* frames that the device before this one owed when it was last heard */

    /* Owner. */
    _Atomic(engine *) engine; /* NULL: detached, or not attached yet */
    int32_t was_attached;

    /* Callback. */
    _Atomic int32_t in_callback;
    int32_t is_placed; /* its first frame has its place on the timeline */
};

/* On a thread of the device's: the engine, which stays where it is up to attachment_leave; NULL
 * where the device was detached. */
static inline engine *attachment_enter(attachment *a) {
    /* sequentially consistent, with attachment_detach: either this thread sees that the engine is
     * gone, or the owner sees that the engine is in use */
    atomic_store(&a->in_callback, 1);
    return atomic_load(&a->engine);
}

static inline void attachment_leave(attachment *a) {
    /* release: all that was done to the engine must be visible to an owner that finds it ended */
    atomic_store_explicit(&a->in_callback, 0, memory_order_release);
}

/* For the virtual device: so many frames never came. On the thread of the callback, between
 * callbacks. */
void attachment_lose(attachment *a, int64_t frames);

#endif
