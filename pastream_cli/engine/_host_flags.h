/* What the host says of a block: its flags, counted and told as losses. On the device's thread. */
#ifndef PASTREAM_HOST_FLAGS_H
#define PASTREAM_HOST_FLAGS_H

#include "_count.h"

/* PortAudio's PaStreamCallbackFlags. */
enum {
    HOST_INPUT_UNDERFLOW = 1,
    HOST_INPUT_OVERFLOW = 2,
    HOST_OUTPUT_UNDERFLOW = 4,
    HOST_OUTPUT_OVERFLOW = 8,
    HOST_CAPTURE_FLAGS = HOST_INPUT_UNDERFLOW | HOST_INPUT_OVERFLOW,
    HOST_PLAYBACK_FLAGS = HOST_OUTPUT_UNDERFLOW | HOST_OUTPUT_OVERFLOW
};

static inline void note_host_flags(engine *e, unsigned long host_flags, int64_t now) {
    struct loss record = {.frame = position_of(e), .monotonic_ns = now};
    if (host_flags)
        raise_flag(&e->host_status, (int32_t)host_flags);
    if (e->capture.channels && (host_flags & HOST_CAPTURE_FLAGS)) {
        count(&e->host_capture_flags, 1);
        record.kind = LOSS_HOST_CAPTURE;
        tell(e, &record);
    }
    if (e->playback.channels && (host_flags & HOST_PLAYBACK_FLAGS)) {
        count(&e->host_playback_flags, 1);
        record.kind = LOSS_HOST_PLAYBACK;
        tell(e, &record);
    }
}

#endif
