/* The sound that the virtual device makes by itself: a sine or noise, at half of full scale. */
#ifndef PASTREAM_VIRTUAL_SOUND_H
#define PASTREAM_VIRTUAL_SOUND_H

#include <stdint.h>

struct sound_source {
    int kind; /* of enum virtual_sound */
    double sine_hz;
    double frames_per_second;
    double *sine_table; /* until the sine repeats; NULL: computed frame by frame */
    int64_t sine_period_frames;
    uint64_t noise; /* the state of its generator */
};

/* Returns 0 where memory is short. */
int sound_prepare(struct sound_source *s);
void sound_free(struct sound_source *s);

/* Fills a block. `first_frame` counts from the start of the device's clock. */
void sound_fill(struct sound_source *s, void *samples, int file_sample, int channels,
                int64_t first_frame, int64_t frames);

#endif
