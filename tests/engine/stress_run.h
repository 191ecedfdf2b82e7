/* One run of an engine between files in memory: its loops on threads of their own, its owner on
 * the thread that calls these functions, its device whatever the case makes of it. */
#ifndef STRESS_RUN_H
#define STRESS_RUN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "_engine.h"
#include "_output_file.h"
#include "stress.h"
#include "stress_file.h"

enum { MOST_CHANNELS = 64, MOST_PIECES = 400, MOST_LOSSES = 65536, NO_LIMIT = -1 };

/* What is drawn for one side of the device and its file. */
struct side_plan {
    int channels; /* 0: the device has no such side */
    int has_ring; /* 0: nothing is played or recorded */
    int format;
    int file_sample;
    int file_bits; /* of the integers in the file */
    int file_channels;
    int32_t map[MOST_CHANNELS];
    int bits; /* that all of the way holds exactly: of the signal that counts */
};

/* A file of the recording. */
struct piece {
    struct fake_file *file;
    output_file *handle; /* NULL once it is closed */
    int64_t limit;
    int64_t first_frame; /* on the timeline, as it was told at the end */
    int is_unlimited;    /* since it was opened or cut */
};

struct run {
    struct random random; /* the owner's */
    struct side_plan playback;
    struct side_plan capture;
    int64_t limit;
    int64_t pad;
    int64_t offset;
    int64_t settle_frames;
    int64_t settle_at_most;
    double clock_rate; /* frames per second; 0: the device has no clock */
    int64_t lead_tolerance;
    int loops_input;
    int splits;      /* the recording goes to many files */
    int64_t fail_at; /* frames into a piece at which the disk fails; NO_LIMIT: never */
    int fails_like_an_encoder;
    int64_t slow_one_in;
    int opens_late; /* no file is there before the device has ended */

    engine *engine;
    attachment *attachment; /* of the device, whatever that is */
    ring *playback_ring;
    ring *capture_ring;
    uint64_t capture_start; /* index of the first frame in the capture ring */
    struct fake_file *input;
    pthread_t reader;
    pthread_t writer;
    int reader_status;
    int writer_status;
    _Atomic int writer_has_ended;

    struct piece pieces[MOST_PIECES];
    int piece_count;
    int gave_up; /* the writer was told to leave what waits */
    int is_paused;
    struct loss losses[MOST_LOSSES];
    int loss_count;
    struct engine_counts counts; /* as last read */
    int64_t level_frames;
};

/* Draws formats, channels, maps and files for one side. At least one channel gets through. */
struct side_plan random_side(struct random *r, int is_playback, int most_channels);

/* Makes rings, engine and files as the fields before `engine` say, and starts both loops. */
void run_open(struct run *run, uint64_t playback_ring_frames, uint64_t capture_ring_frames,
              int64_t input_frames);

/* Everything that an owner may do while a run goes on, at random. */
void run_look_after(struct run *run);

/* After the device has ended or was detached: lets the loops end, and joins them. */
void run_join(struct run *run);

/* The recording over all pieces, in int32; the samples belong to the caller. */
int64_t run_recorded_frames(const struct run *run);
int32_t *run_recording(const struct run *run);

/* Each piece has its frames, peaks and clips; together they have every frame of the timeline. */
void run_check_pieces(const struct run *run);

/* All of it is the signal at its place, and silence where frames were lost. */
void run_check_recording(const struct run *run);

void run_close(struct run *run);

#endif
