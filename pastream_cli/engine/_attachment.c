/* The function that a device calls: it runs the callback while the device is attached to an engine.
 * Real-time code, as _cb.c is. */
#include "_real_time.h"

#include "_attachment.h"

#include <string.h>
#include <time.h>

#include "_clock.h"
#include "_convert.h"

enum { OVER = 1 };

/* Finds the place of a replacement device's first block on the timeline, which has stood still
 * since the last block of the device before it. The clock tells how many frames are missing before
 * this block: they are a loss of the device. */
static void place(attachment *a, engine *e, int64_t block_frames) {
    /* wait until it has settled: frames that go by before that are missing too */
    if (!atomic_load_explicit(&e->settled, memory_order_relaxed))
        return;
    a->is_placed = 1;
    const int is_first_device = atomic_load_explicit(&e->time_zero_ns, memory_order_relaxed) == 0;
    const int has_clock = e->lead_tolerance >= 0;
    if (is_first_device || !has_clock)
        return;
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    const int64_t now = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    const int64_t owed = debt_before(e, position_of(e), now);
    const int64_t missing = owed - block_frames - a->last_debt;
    if (missing > 0)
        engine_device_lost(e, missing);
}

static void play_silence(const attachment *a, void *output, unsigned long frames) {
    const int format = a->playback.sample_format;
    const size_t samples = frames * (size_t)a->playback.channels;
    memset(output, format == SAMPLE_UINT8 ? 0x80 : 0, samples * (size_t)sample_bytes(format));
}

int attachment_callback(const void *input, void *output, unsigned long frame_count,
                        const void *time_info, unsigned long host_flags, void *user) {
    attachment *a = user;
    int result = OVER;
    engine *e = attachment_enter(a);
    if (e) {
        if (!a->is_placed)
            place(a, e, (int64_t)frame_count);
        result = engine_callback(input, output, frame_count, time_info, host_flags, e);
    } else if (output) {
        play_silence(a, output, frame_count);
    }
    attachment_leave(a);
    return result;
}

void attachment_lose(attachment *a, int64_t frames) {
    engine *e = attachment_enter(a);
    if (e)
        engine_device_lost(e, frames);
    attachment_leave(a);
}
