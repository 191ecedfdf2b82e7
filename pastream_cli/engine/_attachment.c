/* The function that a device calls: it runs the callback while the device is attached to an engine.
 * Real-time code, as _cb.c is. */
#include "_real_time.h"

#include "_attachment.h"

#include <string.h>

#include "_arrival.h"
#include "_convert.h"

enum { GO_ON = 0, OVER = 1 };

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
    const int64_t frames = (int64_t)frame_count;
    if (e && e->arrival.is_under_way && arrival_takes(e, input, frames, host_flags)) {
        result = GO_ON;
        if (output)
            play_silence(a, output, frame_count);
    } else if (e) {
        result = engine_callback(input, output, frame_count, time_info, host_flags, e);
    } else if (output) {
        play_silence(a, output, frame_count);
    }
    attachment_leave(a);
    return result;
}

void attachment_lose(attachment *a, int64_t frames) {
    engine *e = attachment_enter(a);
    if (e && !arrival_covers_loss(e))
        engine_device_lost(e, frames);
    attachment_leave(a);
}
