/* What stands between a device's callback and the engine that the device serves.
 *
 * A callback is given an attachment, never an engine. The reason is a device that hangs. Nothing
 * can end its thread, and the thread may come back minutes later with a block, when the engine has
 * another device. A flag in the engine could not shut that thread out: the flag would have to be
 * cleared for the second device, and would then let the first one in again. So each device that is
 * opened has an attachment of its own, which is attached at most once. However late a thread of the
 * first device comes back, it finds its attachment empty.
 *
 * For the same reason an attachment outlives its device and, if need be, its engine. If a device
 * never answers, its attachment is leaked on purpose. All that its callback needs for silence is in
 * it.
 */
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

    /* Owner. */
    _Atomic(engine *) engine; /* NULL: detached, or not attached yet */
    int32_t was_attached;

    /* Callback. */
    _Atomic int32_t in_callback;
};

/* Call on a thread of the device. Returns the engine, which stays valid up to attachment_leave, or
 * NULL if the device was detached. */
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

/* For the virtual device: counts frames that never came. Call on the callback's thread, between
 * callbacks. */
void attachment_lose(attachment *a, int64_t frames);

#endif
