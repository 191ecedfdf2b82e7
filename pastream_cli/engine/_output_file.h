/* A file of the recording as its owner sees it: made, limited, watched, compared with what was
 * written to it. cffi reads this too. What the writer does with it is in _output.h. */
#ifndef PASTREAM_OUTPUT_FILE_H
#define PASTREAM_OUTPUT_FILE_H

#include <stdint.h>

#include "_engine.h"

typedef struct frames_hash frames_hash;

/* Errors beside libsndfile's own, whose codes are positive: another program has cut off what was
 * written, or there never was a file. */
enum output_file_error { FILE_CUT_SHORT = -1, FILE_NOT_MADE = -3 };

/* What is done about the header of a file that grows: nothing, or it is updated every second; and
 * then made plain, as wav_make_plain does. */
enum header_care { HEADER_LEFT, HEADER_KEPT, HEADER_KEPT_PLAIN };
enum { SYNC_PENDING = -1 };

struct output_counts {
    int64_t first_frame; /* where on the timeline it begins; -1 before the writer has begun it */
    int64_t frames;
    int64_t passed_frames;   /* that it did not take: they came after it had failed */
    int64_t lost_frames;     /* how many of them are silence for a loss */
    int64_t readable_frames; /* as the header last said; all, if no header is kept up to date */
    int64_t bytes;           /* on its disk, at most a second old; 0 if it is on none */
    int32_t done;            /* the writer has left this file */
    int32_t file_error;      /* libsndfile's code or FILE_CUT_SHORT, 0 for none */
    int32_t system_error;    /* errno at that time */
    int32_t is_removed;      /* it has no name any more; at most a second old */
    int32_t first_sync;      /* of its first frame: SYNC_PENDING, 0 for done, errno for refused */
    int32_t last_sync_error; /* of its last frames: errno, 0 for none */
};

/* file_bits: the width of integer samples in the file, to which they are rounded; 0 for float.
 * keep_header: a header_care. descriptor: of the file, which is synced to disk about every second;
 * -1 for none. folder: a descriptor of its folder, which is synced with the first frame; -1 for
 * none. frame_limit: -1 for none. */
output_file *output_file_new(void *file, int file_sample, int file_bits, int channels,
                             int keep_header, int descriptor, int folder, int64_t frame_limit);
void output_file_free(output_file *f);

/* Before it is offered to a writer: */
/* Has it begin at this frame of the timeline, behind another one, if nothing comes before it but
 * the silence of a device that was away. */
void output_file_begin_at(output_file *f, int64_t frame);
/* Says that it was made to go on from another one: a trigger's next file does not begin with it. */
void output_file_goes_on(output_file *f);
/* Makes it one that has failed before it begins, since there is no file. */
void output_file_give_up(output_file *f);
/* Has the frames that are written hashed. */
void output_file_keep_hash(output_file *f);

/* At any time: */
/* Sets the frame limit; -1: none. It must not be less than what the writers may have begun to
 * write: see engine_cut. */
void output_file_limit(output_file *f, int64_t frames);
void output_file_read_counts(const output_file *f, struct output_counts *counts);
double output_file_peak(const output_file *f, int channel);
int64_t output_file_clips(const output_file *f, int channel);

/* Tells whether frames were written whose hash is this. Call when the file is done. */
int output_file_has_hash(const output_file *f, const frames_hash *hash);
frames_hash *frames_hash_new(void);
void frames_hash_free(frames_hash *hash);
/* Reads the next frames of an open file of libsndfile's and adds them to a hash, as they were added
 * when they were written. Returns how many there were. Blocks. */
int64_t read_back(const struct sndfile_functions *functions, void *file, int file_sample,
                  int channels, int64_t frames, frames_hash *hash);

/* The file on its disk: */
/* Gives a RIFF file that may become an RF64 the header that every program understands: with the
 * plain format tag (1 for PCM, 3 for float) instead of the extensible one, which Python's wave
 * refuses up to 3.11, and a list in place of JUNK, behind which file(1) looks for nothing. The rest
 * of the format stays: readers of the plain tag skip it. The header is valid before and after the
 * one write. */
void wav_make_plain(int descriptor);
/* Reserves room on the disk for so many bytes of a file, which does not become longer by that. The
 * writer may be at work. Returns 0, or errno: many file systems reserve nothing. */
int file_reserve(int descriptor, int64_t begin, int64_t bytes);
/* Renames a file within a folder, which is open. It never replaces a file. Returns 0, or an errno:
 * EEXIST if the name is not free. Blocks as long as the disk does. */
int rename_to_free_name(int folder, const char *name, const char *free_name);

#endif
