/* The virtual device: an ideal sound card whose clock is the system's. It calls the same callback
 * as a real one, from a thread of the owner's. */
#include <stdlib.h>

#include "_attachment.h"
#include "_back_pressure.h"
#include "_convert.h"
#include "_gather.h"
#include "_loops.h"
#include "_state.h"
#include "_virtual.h"
#include "_virtual_sound.h"

enum { FAST_NAP_NS = 20000, POLL_NS = 5000000 };
enum { FILE_SAMPLE_BYTES = sizeof(int32_t) };

static const int64_t MOST_BLOCK_FRAMES = INT64_C(1) << 31;
static const int64_t CENTURY_NS = INT64_C(3155760000) * 1000000000;

struct fault {
    int kind;
    int64_t at_frame;
    int64_t frames;
    int64_t every_frames; /* 0: once */
};

struct virtual_device {
    attachment *attachment;
    double frames_per_second;
    double frames_of_clock; /* per second of the system's clock */
    struct sound_source sound;
    int fast;
    int64_t block_frames;
    int64_t tolerance_frames; /* how late the clock may be before frames are lost */
    unsigned char *input;     /* what is captured; the same memory as output if it can be */
    unsigned char *output;
    void *samples; /* one block in the file type that fits the capture's format */
    void *spare;   /* the same, with the channels of the playback */
    int32_t *channel_map;
    struct fault faults[MOST_FAULTS];
    int fault_count;
    int64_t frame;    /* of the device's clock; lost ones included */
    int64_t since_ns; /* when the clock was started, if that was before; 0: it starts anew */
    struct back_pressure back_pressure; /* of a fast device */
    _Atomic int64_t started_ns;
    _Atomic int stop;
    _Atomic int abort;
    _Atomic int active;
};

static int file_sample_of(int sample_format) {
    return sample_format == SAMPLE_FLOAT32 ? FILE_FLOAT32 : FILE_INT32;
}

/* The block that was played becomes the block that is captured. */
static void loop_back(void *context, uint64_t frames) {
    virtual_device *v = context;
    const struct device_side *played = &v->attachment->playback;
    const struct device_side *captured = &v->attachment->capture;
    const int file_sample = file_sample_of(captured->sample_format);
    const int64_t count = (int64_t)frames;
    const void *samples = converted(v->spare, file_sample, ALL_BITS, v->output,
                                    played->sample_format, count * played->channels);
    gather(v->samples, captured->channels, samples, played->channels, file_sample, v->channel_map,
           count);
    convert(v->input, captured->sample_format, ALL_BITS, v->samples, file_sample,
            count * captured->channels);
}

static void make_sound(virtual_device *v, int64_t frames) {
    const struct device_side *side = &v->attachment->capture;
    const int file_sample = file_sample_of(side->sample_format);
    sound_fill(&v->sound, v->samples, file_sample, side->channels, v->frame, frames);
    convert(v->input, side->sample_format, ALL_BITS, v->samples, file_sample,
            frames * side->channels);
}

/* Returns NULL where memory is short, or where no memory could hold so much. */
static void *frames_of(int64_t frames, int64_t frame_bytes) {
    if (frames < 1 || frames > MOST_BLOCK_FRAMES ||
        (uint64_t)frames > SIZE_MAX / (uint64_t)frame_bytes)
        return NULL;
    return malloc((size_t)frames * (size_t)frame_bytes);
}

static unsigned char *make_silent_block(const struct device_side *side, int64_t frames) {
    const int frame_bytes = side->channels * sample_bytes(side->sample_format);
    unsigned char *block = frames_of(frames, frame_bytes);
    if (block)
        memset(block, side->sample_format == SAMPLE_UINT8 ? 0x80 : 0,
               (size_t)frames * (size_t)frame_bytes);
    return block;
}

static int connect_loop(virtual_device *v) {
    const struct device_side *played = &v->attachment->playback;
    const struct device_side *captured = &v->attachment->capture;
    if (played->channels == captured->channels &&
        played->sample_format == captured->sample_format) {
        free(v->input);
        v->input = v->output;
        return 1;
    }
    v->spare = frames_of(v->block_frames, played->channels * FILE_SAMPLE_BYTES);
    v->channel_map = malloc((size_t)captured->channels * sizeof *v->channel_map);
    if (!v->spare || !v->channel_map)
        return 0;
    for (int i = 0; i < captured->channels; ++i)
        v->channel_map[i] = i < played->channels ? i : -1;
    return 1;
}

static int make_blocks(virtual_device *v) {
    const struct device_side *played = &v->attachment->playback;
    const struct device_side *captured = &v->attachment->capture;
    if (played->channels && !(v->output = make_silent_block(played, v->block_frames)))
        return 0;
    if (!captured->channels)
        return 1;
    v->input = make_silent_block(captured, v->block_frames);
    v->samples = frames_of(v->block_frames, captured->channels * FILE_SAMPLE_BYTES);
    if (!v->input || !v->samples)
        return 0;
    if (v->sound.kind == VIRTUAL_LOOPBACK && played->channels)
        return connect_loop(v);
    return sound_prepare(&v->sound);
}

virtual_device *virtual_new(attachment *a, double frames_per_second, int sound, double sine_hz,
                            int64_t block_frames, int fast, int64_t tolerance_frames) {
    if (!(frames_per_second >= 1 && frames_per_second <= INT32_MAX))
        return NULL;
    virtual_device *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    v->attachment = a;
    v->frames_per_second = v->frames_of_clock = frames_per_second;
    v->sound = (struct sound_source){
        .kind = sound, .sine_hz = sine_hz, .frames_per_second = frames_per_second};
    v->block_frames = block_frames;
    v->fast = fast;
    v->tolerance_frames = tolerance_frames;
    back_pressure_begin(&v->back_pressure);
    atomic_store(&v->active, 1);
    if (make_blocks(v))
        return v;
    virtual_free(v);
    return NULL;
}

void virtual_free(virtual_device *v) {
    if (!v)
        return;
    if (v->input != v->output)
        free(v->input);
    free(v->output);
    free(v->samples);
    free(v->spare);
    free(v->channel_map);
    sound_free(&v->sound);
    free(v);
}

void virtual_wait_at_most(virtual_device *v, int64_t source_ns, int64_t sink_ns) {
    back_pressure_wait_at_most(&v->back_pressure, source_ns, sink_ns);
}

void virtual_set_drift(virtual_device *v, double parts_per_million) {
    v->frames_of_clock = v->frames_per_second * (1 + parts_per_million / 1e6);
}

void virtual_go_on(virtual_device *v, int64_t since_ns) {
    v->since_ns = since_ns;
}

int64_t virtual_started_ns(const virtual_device *v) {
    return atomic_load_explicit(&v->started_ns, memory_order_relaxed);
}

int virtual_add_fault(virtual_device *v, int kind, int64_t at_frame, int64_t frames,
                      int64_t every_frames) {
    if (v->fault_count == MOST_FAULTS)
        return 0;
    v->faults[v->fault_count++] = (struct fault){kind, at_frame, frames, every_frames};
    return 1;
}

static int stop_asked(const virtual_device *v) {
    return atomic_load_explicit(&v->stop, memory_order_relaxed);
}

static int64_t nanoseconds_of(const virtual_device *v, int64_t frames) {
    const double nanoseconds = (double)frames * 1e9 / v->frames_of_clock;
    return nanoseconds < (double)CENTURY_NS ? (int64_t)nanoseconds : CENTURY_NS;
}

static int64_t due_ns(const virtual_device *v, int64_t start_ns) {
    return start_ns + nanoseconds_of(v, v->frame);
}

/* Waits for the next block's time. Where it is long past, the frames in between are lost. */
static void keep_time(virtual_device *v, int64_t start_ns) {
    const int64_t ahead_ns = due_ns(v, start_ns) - engine_monotonic_ns();
    if (ahead_ns > 0)
        nap(ahead_ns);
    const double late_ns = (double)(engine_monotonic_ns() - due_ns(v, start_ns));
    const int64_t late_frames = (int64_t)(late_ns * v->frames_of_clock / 1e9);
    if (late_frames <= v->tolerance_frames)
        return;
    const int64_t lost = late_frames - late_frames % v->block_frames;
    attachment_lose(v->attachment, lost);
    v->frame += lost;
}

/* As fast as files allow: waits for both rings instead of losing frames. */
static void keep_pace(virtual_device *v) {
    while (!stop_asked(v) && !may_go_on(&v->back_pressure, v->attachment, v->block_frames))
        nap(FAST_NAP_NS);
}

static void hang(const virtual_device *v) {
    while (!atomic_load_explicit(&v->abort, memory_order_relaxed))
        nap(POLL_NS);
}

/* Returns whether the device is dead. */
static int apply_faults(virtual_device *v) {
    for (int i = 0; i < v->fault_count; ++i) {
        struct fault *fault = &v->faults[i];
        if (fault->kind == FAULT_NONE || v->frame < fault->at_frame)
            continue;
        const int kind = fault->kind;
        if (fault->every_frames)
            fault->at_frame += least(fault->every_frames, INT64_MAX - fault->at_frame);
        else
            fault->kind = FAULT_NONE;
        const int64_t lost = kind == FAULT_XRUN ? v->block_frames : fault->frames;
        switch (kind) {
        case FAULT_STALL:
        case FAULT_XRUN:
            /* frames that are lost take their time all the same */
            if (!v->fast)
                nap(nanoseconds_of(v, lost));
            attachment_lose(v->attachment, lost);
            v->frame += lost;
            break;
        case FAULT_HANG:
            hang(v);
            return 1;
        default:
            return 1;
        }
    }
    return 0;
}

/* If the played and the captured block cannot be the same memory, has the engine call `loop_back`
 * between playing and capturing. */
static void connect_to_engine(virtual_device *v) {
    engine *e = attachment_enter(v->attachment);
    if (e) {
        e->loop_back_context = v;
        e->loop_back = v->channel_map ? loop_back : NULL;
    }
    attachment_leave(v->attachment);
}

/* Leaves out what of a fault was before the present frame. */
static void pass_over(const virtual_device *v, struct fault *fault) {
    const int64_t passed = v->frame - fault->at_frame;
    if (passed <= 0)
        return;
    if (fault->every_frames)
        fault->at_frame +=
            (passed + fault->every_frames - 1) / fault->every_frames * fault->every_frames;
    else if (fault->kind == FAULT_STALL && fault->frames > passed)
        *fault = (struct fault){FAULT_STALL, v->frame, fault->frames - passed, 0};
    else
        fault->kind = FAULT_NONE;
}

/* Returns when the clock was started. A device that was opened before goes on with the next block
 * of that clock. */
static int64_t start_clock(virtual_device *v) {
    const int64_t now = engine_monotonic_ns();
    const int64_t start_ns = v->since_ns ? v->since_ns : now;
    atomic_store_explicit(&v->started_ns, start_ns, memory_order_relaxed);
    const double passed = (double)(now - start_ns) * v->frames_of_clock / 1e9;
    v->frame = ((int64_t)passed + v->block_frames - 1) / v->block_frames * v->block_frames;
    for (int i = 0; i < v->fault_count; ++i)
        pass_over(v, &v->faults[i]);
    return start_ns;
}

void virtual_run(virtual_device *v) {
    connect_to_engine(v);
    const int64_t start_ns = start_clock(v);
    int complete = 0;
    while (!complete && !stop_asked(v)) {
        if (v->fast)
            keep_pace(v);
        else
            keep_time(v, start_ns);
        if (stop_asked(v) || apply_faults(v))
            break;
        if (v->input && v->sound.kind != VIRTUAL_LOOPBACK && v->sound.kind != VIRTUAL_SILENCE)
            make_sound(v, v->block_frames);
        complete = attachment_callback(v->input, v->output, (unsigned long)v->block_frames, NULL, 0,
                                       v->attachment);
        v->frame += v->block_frames;
    }
    /* Wait until the last block has been heard. */
    while (complete && !v->fast && !stop_asked(v) && engine_monotonic_ns() < due_ns(v, start_ns))
        nap(POLL_NS);
    /* release: all that the callbacks counted comes before the word that they have ended */
    atomic_store_explicit(&v->active, 0, memory_order_release);
}

void virtual_stop(virtual_device *v) {
    atomic_store_explicit(&v->stop, 1, memory_order_relaxed);
}

void virtual_abort(virtual_device *v) {
    virtual_stop(v);
    atomic_store_explicit(&v->abort, 1, memory_order_relaxed);
}

int virtual_is_active(const virtual_device *v) {
    return atomic_load_explicit(&v->active, memory_order_acquire);
}
