/* The engine as Python sees it. cffi reads this file too, so it holds plain declarations only.
 *
 * Threads: the owner (Python) creates, configures, observes and frees. The device calls
 * attachment_callback. One reader loop fills the playback ring, one writer loop for each copy
 * empties its ring. A function that the owner may call while these run says so.
 */
#ifndef PASTREAM_ENGINE_H
#define PASTREAM_ENGINE_H

#include <stddef.h>
#include <stdint.h>

/* The limit for a device, a file and a frame in a ring. */
enum { MOST_DEVICE_CHANNELS = 1024 };

/* What is captured goes to so many places at the most. */
enum { MOST_COPIES = 4 };

/* Samples of a device and of the ring that serves it; all integers but UINT8 are signed. */
enum sample_format {
    SAMPLE_FLOAT32,
    SAMPLE_INT32,
    SAMPLE_INT24, /* packed, three bytes, in the byte order of the machine */
    SAMPLE_INT16,
    SAMPLE_INT8,
    SAMPLE_UINT8
};

/* The format in which samples pass to and from a file, chosen so that libsndfile does not alter
 * them. */
enum file_sample {
    FILE_FLOAT32 = SAMPLE_FLOAT32,
    FILE_INT32 = SAMPLE_INT32,
    FILE_INT16 = SAMPLE_INT16,
    FILE_DEVICE = 100 /* as the device has them: nothing is converted */
};

enum loop_status { LOOP_OK, LOOP_OUT_OF_MEMORY, LOOP_FILE_ERROR };

/* A reader's errors beside libsndfile's own, whose codes are positive, and a chain's: the file has
 * no frame at which the reader was to begin, or there is no memory. */
enum input_file_error { INPUT_ENDS_BEFORE_START = -4, INPUT_OUT_OF_MEMORY = -5 };

enum loss_kind {
    LOSS_OVERRUN,       /* the capture ring was full; exactly `frames` were dropped */
    LOSS_DEVICE,        /* the device said exactly how many frames it lost */
    LOSS_HOST_CAPTURE,  /* the host flagged lost input, length unknown */
    LOSS_UNDERRUN,      /* the playback ring was empty; `frames` of silence were played */
    LOSS_HOST_PLAYBACK, /* the host flagged a gap in the output, length unknown */
    LOSS_AHEAD,         /* `frames` came faster than the clock; `left_out` of them were not kept */
    LOSS_AWAY           /* there was no device; `frames` went by, as the clock says */
};

typedef struct ring ring;
typedef struct engine engine;
typedef struct copy copy;
typedef struct attachment attachment;
typedef struct output_file output_file;
typedef struct memory_file memory_file;
typedef struct trigger trigger;

struct loss {
    int64_t frame;        /* on the timeline, where it began */
    int64_t frames;       /* 0: unknown */
    int64_t left_out;     /* of LOSS_AHEAD: captured, and not stored for want of room */
    int64_t monotonic_ns; /* when it began */
    uint64_t ring_index;  /* capture: index in the ring of the frame stored after it */
    int32_t kind;
    /* which copy it is of, from 0; a loss of the device is told as one of the first */
    int32_t copy;
};

/* How far behind the clock the device was, over a tenth of a second or more. */
struct debt {
    int64_t frame;        /* on the timeline, before the first callback of that time */
    int64_t frames;       /* the least that was owed after a callback; leads do not count */
    int64_t block_frames; /* of its first callback */
    int64_t monotonic_ns; /* of its first callback */
};

/* What the callback has counted so far. Each value is exact, but two may be a block apart. */
struct engine_counts {
#define COUNTER(type, name) type name;
#include "_copy_counters.h"
#include "_counters.h"
#undef COUNTER
};

/* The part of it that each copy has of its own. */
struct copy_counts {
#define COUNTER(type, name) type name;
#include "_copy_counters.h"
#undef COUNTER
};

/* libsndfile's functions, taken at run time: its header is not needed to build this. */
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
    /* those by which C opens a sound of its own */
    void *(*open_virtual)(void *functions, int mode, void *info, void *source);
    void *(*open_descriptor)(int descriptor, int mode, void *info, int closes);
    int (*close)(void *file);
};

/* Ring: one producer thread, one consumer thread. Elements are frames or records. */
ring *ring_new(uint32_t element_bytes, uint64_t capacity, void *memory);
void ring_free(ring *r);
/* Where its elements are. */
void *ring_memory(const ring *r);
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
/* Sets both indices. Call it only while neither side runs. */
void ring_reset(ring *r, uint64_t index);

/* The life of an engine. It is NULL if memory is short. Rings that are made elsewhere stay the
 * owner's, and engine_new has no room for others. */
engine *engine_new(void);
/* Has room for so many further copies, and for a ring for each side and each of these, with
 * elements of `ring_bytes` together. With a descriptor from shared_memory_new, which is grown for
 * it, another process can map all of that; -1: plain memory. */
engine *engine_new_in(int descriptor, uint64_t ring_bytes, int further_copies);
/* Returns a ring in the memory of the engine, freed with that; NULL if it has no room. */
ring *engine_new_ring(engine *e, uint32_t element_bytes, uint64_t capacity);
void engine_free(engine *e);
/* Returns a descriptor of memory that processes can share, which is nowhere in the file system; -1
 * and errno if the system has none. */
int shared_memory_new(void);
/* For the process of the device: maps an engine that its owner made there. It is filled in page by
 * page, so that the callback never touches one for the first time. NULL if this is no engine of the
 * same build. engine_free takes the mapping away, and nothing more. */
engine *engine_map(int descriptor);
int engine_set_playback(engine *e, ring *r, int sample_format, int channels);
int engine_set_capture(engine *e, ring *r, int sample_format, int channels);
/* Connects a ring whose frames have other channels than the device's. map has one entry per target
 * channel (of the device for playback, of the ring for capture): the source channel, zero-based, or
 * -1 for silence. Returns false if the ring's elements are not such frames. */
int engine_map_playback(engine *e, ring *r, const int32_t *map, int ring_channels);
int engine_map_capture(engine *e, ring *r, const int32_t *map, int ring_channels);
/* A copy is one place that what is captured goes to: a ring, what did not get into it, and a
 * writer. The first one is there from the start, and has the ring that is set or mapped as the
 * capture's. */
copy *engine_first_copy(engine *e);
/* Has what is captured go to another copy too, by a ring with frames like those in the first one's,
 * which must be connected before. NULL if the ring's elements are no such frames, or there is no
 * room. Call before the start. */
copy *engine_add_copy(engine *e, ring *r);
/* The owner may call this at any time. */
void copy_read_counts(const copy *c, struct copy_counts *counts);
/* Tells the callback that no writer fills losses with silence, because the owner takes frames as
 * they come. This holds until a writer is configured for the first copy. */
void engine_leave_gaps(engine *e);
/* Prepares a run; lengths are in frames. A limit of -1 is none; a pad of -1 fills up to the limit.
 * With settle_frames 0, the first callback is time zero. frames_per_second is what the clock asks
 * of the device. */
void engine_prepare(engine *e, int64_t limit, int64_t pad, int64_t offset, int64_t settle_frames,
                    int64_t settle_at_most, double frames_per_second);
/* Has the take wait for its first frame until the device has delivered so many frames, counted from
 * clock_zero_ns. Until then what is captured is measured and dropped, and silence is played. Call
 * before the device starts, with INT64_MAX while the frame is not known, and later as often as it
 * is known better. Without effect once the take has begun, or where it never waited. */
void engine_begin_at(engine *e, int64_t device_frame);
/* Ends the timeline at a frame, unless it ends before that. The owner may call it at any time, as
 * often as the frame is known better; at a frame that is past, the timeline ends at once. */
void engine_end_at(engine *e, int64_t frame);
/* Has a device that buffers frames play silence after the end of the timeline, until it must have
 * played the last frame of the input. The silence is as long as what the device can hold:
 * `latency_frames` and a block, or what the host reports with each block if that is more, up to
 * `most_frames`. -1 is for a device that has played a block when it asks for the next. Call before
 * the device starts. */
void engine_drain_after(engine *e, int64_t latency_frames, int64_t most_frames);

/* Has the callback tell of a device that is ahead of the clock by more than `tolerance_frames`
 * since the start, or since it last told. Slow drift does not count. While the device is ahead,
 * frames that the capture ring has no room for, or that the playback ring does not have, are left
 * out of the timeline. -1, the default, is for a device without a clock. */
void engine_expect_clock(engine *e, int64_t tolerance_frames);

/* An attachment is what the callback of one device is given, see _attachment.h. Each device that is
 * opened has one of its own. It is freed when the device has been closed, and leaked if the device
 * does not answer. A side that the device lacks has 0 channels. */
attachment *attachment_new(int playback_format, int playback_channels, int capture_format,
                           int capture_channels);
void attachment_free(attachment *a);
/* Lets the device serve an engine. Call before the device starts, either before engine_prepare or
 * in the middle of a run. In a run, what is missing since the last block of the device before it is
 * a loss, LOSS_AWAY. Returns false if the engine has a device, the attachment had an engine, or the
 * formats differ. */
int engine_attach(engine *e, attachment *a);
/* Says how many frames of the time without a device the clock of the callback does not know of,
 * because the machine slept. Call before the device starts that ends that time. */
void engine_slept(engine *e, int64_t frames);
/* The owner may call this at any time. From then on the device takes and gives no frames: its
 * callback plays silence and asks the device to end. Waits for a callback that is at work, which
 * does not block. Returns false if that takes more than a second: its thread must have died. */
int attachment_detach(attachment *a);

/* The callback, with PortAudio's signature; user is the attachment. Returns 0 to go on, 1 when
 * complete. */
int attachment_callback(const void *input, void *output, unsigned long frame_count,
                        const void *time_info, unsigned long host_flags, void *user);
/* The part of it that runs only while the device is attached; user is the engine. */
int engine_callback(const void *input, void *output, unsigned long frame_count,
                    const void *time_info, unsigned long host_flags, void *user);

/* A device in a process of its own, the host process. That process maps the engine and attaches its
 * device to it. The owner only looks; all that the device writes is in the engine. */
/* In the host process, first of all: signals are ignored, and the process ends soon after `parent`,
 * the one that it serves. Returns false if that has ended. */
int host_begin(int parent);
/* Has the process end within 0.4 s, even if it hangs. */
void host_end_soon(void);
/* What the host process knows of its stream: PortAudio's functions. */
struct host_stream {
    void *stream;
    int (*is_active)(void *stream);
    double (*cpu_load)(void *stream);
};
/* Tells the owner whether the stream runs, and its load. */
int host_look(engine *e, const struct host_stream *s);
/* Does so twice per second, until there is something to read from the descriptor. Returns true
 * if the stream has ended by itself before that. */
int host_wait(engine *e, int descriptor, const struct host_stream *s);
/* For the owner, as the host process last said. */
int engine_device_is_active(const engine *e);
double engine_device_load(const engine *e);
/* For the owner: takes away the device of a host process that has ended, at whatever moment. What
 * was half done in a callback is put right. */
void engine_release(engine *e);

/* The owner may call these at any time. */
void engine_read_counts(const engine *e, struct engine_counts *counts);
int engine_next_loss(engine *e, struct loss *record);
int engine_take_levels(engine *e, float *peaks, double *square_sums, int64_t *frames);
int engine_next_debt(engine *e, struct debt *record);
/* The same less what was captured and is held by the host, at one moment; where the host says it.
 */
int engine_next_host_debt(engine *e, struct debt *record);
int64_t engine_monotonic_ns(void);
/* While paused, the timeline stands still: captured frames are dropped, playback waits. */
void engine_pause(engine *e, int paused);
/* While silenced, playback waits and the timeline goes on: for a process that is going to be
 * stopped beside a device that is not. */
void engine_silence(engine *e, int silenced);
/* Call after the last callback. Publishes losses that are still open and the last levels, and lets
 * the writer drain and end. */
void engine_finish(engine *e);

/* Returns whether something keeps the wall clock right, as the kernel says, and how far it may be
 * off at most; -1 where the kernel says nothing. */
int clock_synchronisation(int64_t *error_us);

/* Memory in place of a file, for both loops. It holds frames in a row, as many as fit. */
memory_file *memory_file_new(void *data, int64_t frames, int64_t frame_bytes);
void memory_file_free(memory_file *m);
const struct sndfile_functions *memory_file_functions(void);

/* Converts `samples` samples. If the target is int32, they are rounded to its upper `bits`; other
 * formats ignore `bits`. Source and target must not overlap. */
void convert(void *target, int target_format, int bits, const void *source, int source_format,
             int64_t samples);

/* Reader: fills the playback ring until the file or the run ends. map has one entry per device
 * channel, the file's channel (zero-based) or -1 for silence. */
int reader_configure(engine *e, const struct sndfile_functions *functions, void *file,
                     int file_sample, int file_channels, const int32_t *map, int loop,
                     int64_t chunk_frames, int64_t nap_ns);
/* Has the reader begin at a frame of the file, in the first pass and after each rewinding. What
 * comes before is read and dropped where the file cannot seek. Call after reader_configure, which
 * sets 0. end_frame: the length of the file; 0: it is not known. */
void reader_begin_at(engine *e, int64_t start_frame, int64_t end_frame, int can_seek);
/* Has the reader of a file that can seek wait for reader_seek at its end, until it is stopped.
 * refill_frames: how many frames must follow a seek before playing goes on. */
void reader_expect_seeks(engine *e, int64_t refill_frames);
int reader_run(engine *e);
/* Has what is played go on so many frames after the last one that the device was given, or before
 * it, but within the file: exactly. The frames in the ring are dropped. Until others have come,
 * silence is played and the timeline stands still. Only where nothing is captured. The owner may
 * call this while the reader runs. */
void reader_seek(engine *e, int64_t frames);
/* Returns whether the last call of reader_seek has not taken effect yet. */
int reader_is_seeking(const engine *e);
/* Returns how many frames all seeks together have skipped; fewer than 0 were repeated. */
int64_t reader_skipped(const engine *e);
/* Returns the frame of the file that is heard, for a device that plays what it is given after
 * `latency_frames`; 0: the next frame to be played. Of no use while a seek is under way. */
int64_t reader_heard_frame(const engine *e, int64_t latency_frames);
void reader_stop(engine *e);
/* Says that the source is at its end: the ring holds all that is left. The reader calls it, or an
 * owner that fills the ring itself. */
void reader_finish(engine *e);
int reader_is_finished(const engine *e);
int reader_file_error(const engine *e);
int64_t reader_frames(const engine *e);

/* Writer: empties the ring of a copy into files. map has one entry per file channel, the device's
 * channel (zero-based) or -1 for silence. */
int writer_configure(copy *c, const struct sndfile_functions *functions, const int32_t *map,
                     int file_channels, int64_t nap_ns);
/* Has the writer go on after the failure of a file: until the file's frame limit it takes frames
 * and drops them, so that the next file begins where it would. Without this it ends. */
void writer_outlive_failures(copy *c);
/* Hands the writer its first or next file; 0 while another one still waits. */
int writer_offer(copy *c, output_file *f);
/* Takes the offered file back, if the writer has not begun it; else returns NULL. */
output_file *writer_withdraw(copy *c);
/* Has one piece of the recording, which began at `first_frame`, end at `end_frame`, or as soon
 * after that as it can, and the next one begin: at one frame in all copies. `files` are those of
 * that piece, whether the writers have begun them or not. They have one limit, `frame_limit`, or -1
 * for none; a piece of which a writer has begun to write the last frame keeps it. Returns how many
 * frames the piece has then, which is never more than `most_frames`; -1 for no limit. */
int64_t engine_cut(engine *e, output_file *const *files, int count, int64_t first_frame,
                   int64_t end_frame, int64_t frame_limit, int64_t most_frames);
/* Ends the writer as soon as it can write nothing: frames that wait for a file are given up. */
void writer_stop(copy *c);
/* Has the writer update the present file's header and sync its data to disk, soon. */
void writer_sync(copy *c);
int writer_run(copy *c);
/* The place on the timeline of the next frame to be written. All frames before it are in files, but
 * for those that the recording skips at its start, and those that a failed file was not given. */
int64_t writer_place(const copy *c);
/* How long the writer has been at work so far, and not waited for frames. */
int64_t writer_busy_ns(const copy *c);

/* A trigger says which frames the writers record, the same for all copies. It is armed until a
 * sample reaches a level, or its owner says so: a file begins there. It ends when it has been
 * silent for some time; then the trigger is armed for the next file. Levels are of full scale. */
struct trigger_rules {
    int32_t is_armed; /* at the start; else the first file begins with the first frame, and its end
                         is that of the recording */
    double level;     /* what a sample must reach; INFINITY: nothing but the owner begins a file */
    int64_t preroll_frames; /* that a file has of what came before, if the file before has not */
    double silence_level;   /* samples below it are silent */
    int64_t silence_frames; /* after which a file ends, at least 1; -1: no silence ends it */
    int64_t most_frames; /* after the first frame of the first file the recording ends; -1: none */
};

struct trigger_state {
    int32_t is_armed;
    int32_t is_at_once; /* the level was reached by the first frame of the run */
    int64_t files;      /* begun so far; pieces of one file do not count */
    int64_t end_frame;  /* where the recording ends; INT64_MAX: it is not known */
    double greatest;    /* sample met while armed */
};

/* NULL if memory is short. It must outlive the run, and stays the owner's. */
trigger *trigger_new(const struct trigger_rules *rules);
void trigger_free(trigger *t);
/* Has the writers of an engine record what a trigger says. Call before engine_prepare. */
void engine_set_trigger(engine *e, trigger *t);
/* The owner may call these at any time. */
void trigger_read_state(trigger *t, struct trigger_state *state);
/* Has a file begin with the next frame that is captured, if the trigger is armed; returns whether
 * it is. */
int engine_trigger(engine *e);
/* Returns where a file begins that the writer of a copy has not been offered; -1: nowhere. */
int64_t writer_awaits(const copy *c);
/* How many frames a writer has dropped: those that no file was to have. */
int64_t writer_dropped(const copy *c);

/* Has the calling thread yield to all others. */
void be_in_the_background(void);

/* From here on, a crash of the process gives this terminal the modes that it has now; -1 for none.
 */
void put_modes_back_on_crash(int descriptor);

#endif
