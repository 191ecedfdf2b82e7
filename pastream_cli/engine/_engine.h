/* The engine as Python sees it. cffi reads this file too, so it holds plain declarations only.
 *
 * Threads: the owner (Python) creates, configures, observes and frees. The device calls
 * attachment_callback. One reader loop fills the playback ring, one writer loop empties the capture
 * ring. Whatever the owner may call while these run says so.
 */
#ifndef PASTREAM_ENGINE_H
#define PASTREAM_ENGINE_H

#include <stddef.h>
#include <stdint.h>

/* Of a device, a file or a frame in a ring. */
enum { MOST_DEVICE_CHANNELS = 1024 };

/* Samples of a device and of the ring that serves it; integers are signed but for UINT8. */
enum sample_format {
    SAMPLE_FLOAT32,
    SAMPLE_INT32,
    SAMPLE_INT24, /* packed, three bytes, in the byte order of the machine */
    SAMPLE_INT16,
    SAMPLE_INT8,
    SAMPLE_UINT8
};

/* The format in which samples pass to and from a file: what libsndfile does not alter. */
enum file_sample {
    FILE_FLOAT32 = SAMPLE_FLOAT32,
    FILE_INT32 = SAMPLE_INT32,
    FILE_INT16 = SAMPLE_INT16,
    FILE_DEVICE = 100 /* as the device has them: nothing is converted */
};

enum loop_status { LOOP_OK, LOOP_OUT_OF_MEMORY, LOOP_FILE_ERROR };

/* An output file's error, beside libsndfile's own codes, which are positive: another program has
 * cut off what was written. */
enum output_file_error { FILE_CUT_SHORT = -1 };

enum loss_kind {
    LOSS_OVERRUN,       /* the capture ring was full; `frames` were dropped, exactly */
    LOSS_DEVICE,        /* the device said how many frames it lost, exactly */
    LOSS_HOST_CAPTURE,  /* the host flagged lost input and does not say how much */
    LOSS_UNDERRUN,      /* the playback ring was empty; `frames` of silence were played */
    LOSS_HOST_PLAYBACK, /* the host flagged a gap in the output, length unknown */
    LOSS_AHEAD /* no loss of time: `frames` came faster than the clock, `left_out` of them in vain
                */
};

enum virtual_sound { VIRTUAL_LOOPBACK, VIRTUAL_SILENCE, VIRTUAL_SINE, VIRTUAL_NOISE };

enum virtual_fault_kind { FAULT_NONE, FAULT_XRUN, FAULT_STALL, FAULT_DIE, FAULT_HANG };

typedef struct ring ring;
typedef struct engine engine;
typedef struct attachment attachment;
typedef struct output_file output_file;
typedef struct memory_file memory_file;
typedef struct virtual_device virtual_device;

struct loss {
    int64_t frame;        /* on the timeline, where it began */
    int64_t frames;       /* 0: unknown */
    int64_t left_out;     /* of LOSS_AHEAD: captured, and not stored for want of room */
    int64_t monotonic_ns; /* when it began */
    uint64_t ring_index;  /* capture: the stored frame that follows it */
    int32_t kind;
};

/* How far behind the clock the device was, over a tenth of a second or more. */
struct debt {
    int64_t frame;  /* on the timeline, before its first callback */
    int64_t frames; /* owed after the callback that owed least; what came ahead is forgotten */
    int64_t block_frames; /* of its first callback */
    int64_t monotonic_ns; /* of its first callback */
};

/* What the callback has counted so far. Each value is exact; they may be a block apart. */
struct engine_counts {
#define COUNTER(type, name) type name;
#include "_counters.h"
#undef COUNTER
};

struct output_counts {
    int64_t first_frame; /* where on the timeline it begins; -1 before the writer has begun it */
    int64_t frames;
    int64_t readable_frames; /* that the header told of last; all, where none is kept */
    int64_t bytes;           /* on its disk, as of a second ago or less; 0 where it is on none */
    int32_t done;            /* the writer has left this file */
    int32_t file_error;      /* libsndfile's code or FILE_CUT_SHORT, 0 for none */
    int32_t system_error;    /* errno as it was then */
    int32_t is_removed;      /* it has no name any more, as of a second ago or less */
};

/* libsndfile's functions, borrowed at run time: no header of it is needed to build this. */
struct sndfile_functions {
    int64_t (*read_short)(void *file, short *samples, int64_t frames);
    int64_t (*read_int)(void *file, int *samples, int64_t frames);
    int64_t (*read_float)(void *file, float *samples, int64_t frames);
    int64_t (*write_short)(void *file, const short *samples, int64_t frames);
    int64_t (*write_int)(void *file, const int *samples, int64_t frames);
    int64_t (*write_float)(void *file, const float *samples, int64_t frames);
    int64_t (*seek)(void *file, int64_t frames, int whence);
    int (*command)(void *file, int command, void *data, int size);
    int (*error)(void *file);
};

/* Ring: one producer thread, one consumer thread. Elements are frames or records. */
ring *ring_new(uint32_t element_bytes, uint64_t capacity, void *memory);
void ring_free(ring *r);
uint64_t ring_capacity(const ring *r);
uint32_t ring_element_bytes(const ring *r);
uint64_t ring_readable(const ring *r);
uint64_t ring_writable(const ring *r);
uint64_t ring_read_index(const ring *r);
uint64_t ring_write_index(const ring *r);
uint64_t ring_advance_read(ring *r, uint64_t elements);
uint64_t ring_advance_write(ring *r, uint64_t elements);
uint64_t ring_read(ring *r, void *data, uint64_t elements);
uint64_t ring_write(ring *r, const void *data, uint64_t elements);
/* Sets both indices; only while neither side runs. */
void ring_reset(ring *r, uint64_t index);

/* Life of an engine. NULL where memory is short. The rings stay the owner's. */
engine *engine_new(void);
void engine_free(engine *e);
int engine_set_playback(engine *e, ring *r, int sample_format, int channels);
int engine_set_capture(engine *e, ring *r, int sample_format, int channels);
/* A ring whose frames have other channels than the device's. map has one entry per target channel
 * (of the device for playback, of the ring for capture): the source channel, zero-based, or -1 for
 * silence. False where memory is short or the ring's elements are no such frames. */
int engine_map_playback(engine *e, ring *r, const int32_t *map, int ring_channels);
int engine_map_capture(engine *e, ring *r, const int32_t *map, int ring_channels);
/* No writer will fill what is lost with silence: the owner takes frames as they come. Until a
 * writer is configured. */
void engine_leave_gaps(engine *e);
/* Prepares a run, all in frames; -1 stands for no limit, and as pad for filling up to `limit`.
 * settle_frames 0 makes the first callback time zero. frames_per_second is what the clock asks of
 * the device. */
int engine_prepare(engine *e, int64_t limit, int64_t pad, int64_t offset, int64_t settle_frames,
                   int64_t settle_at_most, double frames_per_second);
/* A device that holds frames back plays on after the end of the timeline: silence, until as much
 * of it has followed the last frame of the input as the device can hold. That is `latency_frames`
 * and a block, or what the host says with each block if that is more, up to `most_frames`. Before
 * engine_prepare; -1 for a device that has played a block when it asks for the next. */
void engine_drain_after(engine *e, int64_t latency_frames, int64_t most_frames);

/* Has the callback tell a device that is ahead of the clock by more than so many frames, since the
 * start or since it was last told; slow drift is none. While it is, frames that a ring has no room
 * for, or has not got, are left out of the timeline: nothing stands for them. -1, as it is at
 * first: the device has no clock. */
void engine_expect_clock(engine *e, int64_t tolerance_frames);

/* An attachment is what the callback of one device is given, see _attachment.h. It belongs to that
 * device: one is made for each that is opened, and freed when it was closed, but never where it
 * does not answer. A side that the device does not have has no channels. */
attachment *attachment_new(int playback_format, int playback_channels, int capture_format,
                           int capture_channels);
void attachment_free(attachment *a);
/* Lets the device serve an engine; before the device starts, and before engine_prepare or in the
 * middle of a run. What is missing since the last block of a device before it is then a loss.
 * False where the engine has a device, the attachment had an engine, or the formats differ. */
int engine_attach(engine *e, attachment *a);
/* From the owner, at any time: no more frames are taken or given, and a callback that comes all the
 * same plays silence and asks its device to end. Waits for the block that is being worked on, which
 * does not block; false where that has taken a second, in which the thread must have died. */
int attachment_detach(attachment *a);

/* The callback of PortAudio's signature: user is the attachment. Returns 0 to go on, 1 when
 * complete. */
int attachment_callback(const void *input, void *output, unsigned long frame_count,
                        const void *time_info, unsigned long host_flags, void *user);
/* What it does with each block while it is attached: user is the engine. */
int engine_callback(const void *input, void *output, unsigned long frame_count,
                    const void *time_info, unsigned long host_flags, void *user);

/* Safe at any time, from the owner. */
void engine_read_counts(const engine *e, struct engine_counts *counts);
int engine_next_loss(engine *e, struct loss *record);
int engine_take_levels(engine *e, float *peaks, double *square_sums, int64_t *frames);
int engine_next_debt(engine *e, struct debt *record);
int64_t engine_monotonic_ns(void);
/* While paused, frames go by without counting: capture is dropped, playback waits. */
void engine_pause(engine *e, int paused);
/* After the last callback: publishes a loss still open and the last levels, and lets the writer
 * drain and end. */
void engine_finish(engine *e);

/* Memory as a file, for both loops: frames one after the other, as many as fit. */
memory_file *memory_file_new(void *data, int64_t frames, int64_t frame_bytes);
void memory_file_free(memory_file *m);
const struct sndfile_functions *memory_file_functions(void);

/* Reader: fills the playback ring until the file or the run ends. map has one entry per device
 * channel, the file's channel (zero-based) or -1 for silence. */
int reader_configure(engine *e, const struct sndfile_functions *functions, void *file,
                     int file_sample, int file_channels, const int32_t *map, int loop,
                     int64_t chunk_frames, int64_t nap_ns);
int reader_run(engine *e);
void reader_stop(engine *e);
/* The source is at its end: what the ring holds is all there is. For producers of the owner's. */
void reader_finish(engine *e);
int reader_is_finished(const engine *e);
int reader_file_error(const engine *e);
int64_t reader_frames(const engine *e);

/* Writer: empties the capture ring into files. map has one entry per file channel, the device's
 * channel (zero-based) or -1 for silence. */
int writer_configure(engine *e, const struct sndfile_functions *functions, const int32_t *map,
                     int file_channels, int64_t nap_ns);
/* file_bits: the width of integer samples in the file, to which they are rounded; 0 for float.
 * keep_header: update the header every second. descriptor: of the file, whose data are brought to
 * the disk every five seconds; -1 for none. frame_limit: -1 for none. */
output_file *output_file_new(void *file, int file_sample, int file_bits, int channels,
                             int keep_header, int descriptor, int64_t frame_limit);
void output_file_free(output_file *f);
void output_file_read_counts(const output_file *f, struct output_counts *counts);
double output_file_peak(const output_file *f, int channel);
int64_t output_file_clips(const output_file *f, int channel);
/* Hands the writer its first or next file; 0 while another one still waits. */
int writer_offer(engine *e, output_file *f);
/* The offered file back, if the writer has not begun it; NULL if it has. */
output_file *writer_withdraw(engine *e);
/* Go to the offered file now, without waiting for the frame limit. */
void writer_cut(engine *e);
/* No next file can be had: all that comes goes into this one. */
void output_file_unlimit(output_file *f);
/* Give up what still waits in the ring. */
void writer_stop(engine *e);
/* Bring the present file's header up to date and its data to the disk, soon. */
void writer_sync(engine *e);
int writer_run(engine *e);
/* Where on the timeline the next frame is that the writer writes; all before it are in files, but
 * for those that were left out on purpose. */
int64_t writer_place(const engine *e);

/* Virtual device: its clock calls attachment_callback. */
virtual_device *virtual_new(attachment *a, double frames_per_second, int sound, double sine_hz,
                            int64_t block_frames, int fast, int64_t tolerance_frames);
/* Has its clock run faster than the system's by so many parts per million; before virtual_run. */
void virtual_set_drift(virtual_device *v, double parts_per_million);
void virtual_free(virtual_device *v);
/* A fast one waits for its rings: so long for whatever fills the one, or empties the other, and
 * stands still; -1, as at first, for as long as it takes. Then it goes on as one that is not fast.
 */
void virtual_wait_at_most(virtual_device *v, int64_t source_ns, int64_t sink_ns);
/* every_frames: happens again so much later each time; 0: once. */
int virtual_add_fault(virtual_device *v, int kind, int64_t at_frame, int64_t frames,
                      int64_t every_frames);
void virtual_run(virtual_device *v);
void virtual_stop(virtual_device *v);
/* Runs out without the hang, for a device that is leaked. */
void virtual_abort(virtual_device *v);
int virtual_is_active(const virtual_device *v);

/* A stream on its way to libsndfile. */
struct pump {
    int32_t source;
    int32_t target;             /* a pipe; the pump closes it at the end */
    const unsigned char *first; /* what goes in front of all that is read */
    int64_t first_bytes;
    int64_t audio_bytes;   /* chunks that are no audio are said to follow so many bytes, ... */
    int64_t trailer_bytes; /* ... and to have so many in all; 0: nothing is said */
};

/* Pumps until either end is closed, or until such a chunk is there. Blocks. */
void pump_run(const struct pump *p);

/* From here on, an abort() of a library ends the process with this exit code. */
void exit_on_abort(int exit_code);

#endif
