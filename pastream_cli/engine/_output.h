/* One file of the recording, as the writer sees it: its fields, and the calls that change it. The
 * owner's calls are in _output_file.h. */
#ifndef PASTREAM_OUTPUT_H
#define PASTREAM_OUTPUT_H

#include <stdatomic.h>
#include <stdint.h>

#include "_frames_hash.h"
#include "_levels.h"
#include "_output_file.h"

struct output_file {
    /* Owner, before it is offered. */
    void *file; /* libsndfile's */
    int32_t file_sample;
    int32_t file_bits;
    int32_t channels;
    int32_t keep_header; /* a header_care */
    int32_t descriptor;
    int32_t folder; /* that it is in; -1: it needs no sync */
    int32_t keeps_hash;
    int32_t goes_on;  /* see output_file_goes_on */
    int64_t begin_at; /* see output_file_begin_at; -1: wherever the file before it ends */
    _Atomic int64_t frame_limit; /* the owner may raise it later */

    /* Writer. */
    struct extremes *extremes; /* one per channel, the writer's own */
    frames_hash hash;          /* the owner reads it when the file is done */
    int64_t look_due_ns;
    int64_t sync_due_ns;
    int64_t synced_frames;    /* so many were written before the last sync began */
    int32_t header_is_synced; /* as it was last written */
    int32_t has_begun;        /* the header in the file counts at least one frame */

    /* Writer, for the owner. */
    struct {
        _Atomic double peak;
        _Atomic int64_t clips;
    } * shown;
    _Atomic int64_t first_frame; /* on the timeline; -1 before the file is begun */
    _Atomic int64_t frames;
    _Atomic int64_t passed_frames; /* that it did not take, because it had failed */
    _Atomic int64_t lost_frames;
    _Atomic int64_t readable_frames;
    _Atomic int64_t bytes;
    _Atomic int32_t is_removed;
    _Atomic int32_t first_sync;
    _Atomic int32_t last_sync_error;
    _Atomic int32_t file_error; /* 0: none */
    int32_t system_error;       /* written once, before file_error is */
    _Atomic int32_t done;
};

/* libsndfile's functions, or memory's in their place. */
typedef const struct sndfile_functions *file_functions;

/* Begins the file at this place of the timeline. */
void output_begin(output_file *f, int64_t first_frame);
/* Has it fail with an error of the system's, before anything is written. */
void output_refuse(output_file *f, int system_error);
/* The place on the timeline just after the file's last frame, or the last one that it did not take.
 */
int64_t output_end_frame(const output_file *f);
int64_t output_frames(const output_file *f);
/* How many more frames the limit allows, taken or not. */
int64_t output_frames_left(const output_file *f);
/* How many frames may be written before the next call of output_keep_safe: the first frame of a
 * file on a disk is written alone. */
int64_t output_frames_at_once(const output_file *f);
int output_has_failed(const output_file *f);

/* Writes frames that already have the file's type and channels. */
void output_write(output_file *f, file_functions functions, const void *samples, int64_t frames);
/* Lets frames go by that the file cannot take, because it has failed. */
void output_pass(output_file *f, int64_t frames);
/* Writes silence for a loss, which is counted. */
void output_write_silence(output_file *f, file_functions functions, const void *silence,
                          int64_t frames);
/* Adds such frames to the file's peaks and clips. */
void output_measure(output_file *f, const void *samples, int64_t frames);
/* Limits what a crash can cost: about every second the frames are synced, and then the header is
 * brought up to date; at once if `is_asked`. The first frame is in the header and on the disk at
 * once, because the file may be about to replace another one. */
void output_keep_safe(output_file *f, file_functions functions, int is_asked);
/* Leaves the file readable to its last frame, because its owner may close it late, or never. */
void output_end(output_file *f, file_functions functions);

#endif
