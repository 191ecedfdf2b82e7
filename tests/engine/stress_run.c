#include "stress_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stress_reference.h"
#include "stress_signal.h"

enum { LOOP_NAP_NS = 30000, OWNER_NAP_NS = 100000, PIECE_CHANCES = 3 };

static const double FULL_SCALE = 2147483648.0;
/* So fast a device that each block's time has passed when the next one comes. */
static const double FRAMES_PER_SECOND = 1e12;

/* ---- what is drawn ---- */

struct side_plan random_side(struct random *r, int is_playback, int most_channels) {
    struct side_plan side = {
        .channels = (int)random_from(r, 1, most_channels),
        .has_ring = 1,
        .format = (int)random_from(r, SAMPLE_FLOAT32, SAMPLE_UINT8),
        .file_sample = random_file_sample(r),
        .file_channels = (int)random_from(r, 1, most_channels),
    };
    side.file_bits = random_file_bits(r, side.file_sample);
    if (one_in(r, 2))
        side.file_channels = side.channels;
    const int targets = is_playback ? side.channels : side.file_channels;
    const int sources = is_playback ? side.file_channels : side.channels;
    const int identity = targets == sources && one_in(r, 2);
    for (int i = 0; i < targets; ++i)
        side.map[i] = identity ? i : (int32_t)random_from(r, -1, sources - 1);
    side.map[targets - 1] = most_of(side.map[targets - 1], 0) > 0 ? side.map[targets - 1] : 0;
    const int bits_in_file = side.file_sample == FILE_FLOAT32 ? 24 : side.file_bits;
    side.bits = (int)least_of(bits_in_file, bits_per_sample(side.format));
    return side;
}

/* ---- opening ---- */

static void *read_all(void *context) {
    struct run *run = context;
    run->reader_status = reader_run(run->engine);
    return NULL;
}

static void *write_all(void *context) {
    struct run *run = context;
    run->writer_status = writer_run(engine_first_copy(run->engine));
    atomic_store(&run->writer_has_ended, 1);
    return NULL;
}

static void offer_piece(struct run *run) {
    struct side_plan *side = &run->capture;
    struct piece *piece = &run->pieces[run->piece_count];
    *piece = (struct piece){0};
    const int is_last = !run->splits || run->piece_count == MOST_PIECES - 1;
    piece->limit = is_last ? NO_LIMIT : random_from(&run->random, 1, 900);
    piece->file = fake_file_new(side->file_sample, side->file_channels,
                                (struct random){random_bits(&run->random)});
    piece->file->fails_at = run->fail_at;
    piece->file->takes_all = run->fails_like_an_encoder;
    piece->file->slow_one_in = run->slow_one_in;
    piece->handle =
        output_file_new(piece->file, side->file_sample, side->file_bits, side->file_channels,
                        one_in(&run->random, 2), -1, -1, piece->limit);
    if (writer_offer(engine_first_copy(run->engine), piece->handle)) {
        ++run->piece_count;
        return;
    }
    output_file_free(piece->handle);
    fake_file_free(piece->file);
}

static void open_playback(struct run *run, uint64_t ring_frames, int64_t input_frames) {
    struct side_plan *side = &run->playback;
    const uint32_t frame_bytes = (uint32_t)(side->channels * bytes_per_sample(side->format));
    if (side->has_ring) {
        run->playback_ring = ring_new(frame_bytes, ring_frames, NULL);
        ring_reset(run->playback_ring, random_ring_start(&run->random));
        run->input = fake_file_new(side->file_sample, side->file_channels,
                                   (struct random){random_bits(&run->random)});
        run->input->frames = input_frames;
        run->input->bits = side->bits;
        run->input->slow_one_in = run->slow_one_in;
        if (input_frames && one_in(&run->random, 8))
            run->input->fails_at = random_from(&run->random, 0, input_frames - 1);
    }
    if (!engine_set_playback(run->engine, run->playback_ring, side->format, side->channels))
        violation("the engine does not take the playback side");
    if (side->has_ring &&
        reader_configure(run->engine, &fake_functions, run->input, side->file_sample,
                         side->file_channels, side->map, run->loops_input,
                         random_from(&run->random, 1, 3000), LOOP_NAP_NS) != LOOP_OK)
        violation("the engine does not take the input");
}

static void open_capture(struct run *run, uint64_t ring_frames) {
    struct side_plan *side = &run->capture;
    const uint32_t frame_bytes = (uint32_t)(side->channels * bytes_per_sample(side->format));
    if (side->has_ring) {
        run->capture_start = random_ring_start(&run->random);
        run->capture_ring = ring_new(frame_bytes, ring_frames, NULL);
        ring_reset(run->capture_ring, run->capture_start);
    }
    if (!engine_set_capture(run->engine, run->capture_ring, side->format, side->channels))
        violation("the engine does not take the capture side");
    if (side->has_ring && writer_configure(engine_first_copy(run->engine), &fake_functions,
                                           side->map, side->file_channels, LOOP_NAP_NS) != LOOP_OK)
        violation("the engine does not take the output");
}

void run_open(struct run *run, uint64_t playback_ring_frames, uint64_t capture_ring_frames,
              int64_t input_frames) {
    run->engine = engine_new();
    if (!run->engine)
        violation("out of memory");
    if (run->playback.channels)
        open_playback(run, playback_ring_frames, input_frames);
    if (run->capture.channels)
        open_capture(run, capture_ring_frames);
    run->attachment = attachment_new(run->playback.format, run->playback.channels,
                                     run->capture.format, run->capture.channels);
    if (!run->attachment || !engine_attach(run->engine, run->attachment))
        violation("the engine does not take the device");
    engine_prepare(run->engine, run->limit, run->pad, run->offset, run->settle_frames,
                   run->settle_at_most, run->clock_rate > 0 ? run->clock_rate : FRAMES_PER_SECOND);
    if (run->clock_rate > 0)
        engine_expect_clock(run->engine, run->lead_tolerance);
    if (run->playback_ring)
        run->reader = start_thread(read_all, run);
    if (run->capture_ring) {
        if (!run->opens_late && one_in(&run->random, 2))
            offer_piece(run);
        atomic_store(&run->writer_has_ended, 0);
        run->writer = start_thread(write_all, run);
    }
}

/* ---- while it goes on ---- */

static void look_at_counts(struct run *run) {
    const struct engine_counts before = run->counts;
    engine_read_counts(run->engine, &run->counts);
    const struct engine_counts *now = &run->counts;
    if (now->position < before.position || now->callbacks < before.callbacks ||
        now->stored_frames < before.stored_frames || now->lost_frames < before.lost_frames ||
        now->underrun_frames < before.underrun_frames || now->complete < before.complete ||
        now->ahead_frames < before.ahead_frames || now->left_out_frames < before.left_out_frames)
        violation("a count went backwards");
    if (run->capture_ring && now->capture_high_water > (int64_t)ring_capacity(run->capture_ring))
        violation("more frames waited than the capture ring holds");
}

static void look_at_levels(struct run *run) {
    float peaks[MOST_CHANNELS];
    double square_sums[MOST_CHANNELS];
    int64_t frames;
    if (!engine_take_levels(run->engine, peaks, square_sums, &frames))
        return;
    run->level_frames += frames;
    const int channels = run->capture.channels ? run->capture.channels : run->playback.channels;
    for (int i = 0; i < channels; ++i)
        if (!(peaks[i] >= 0 && peaks[i] <= 1 && square_sums[i] >= 0 &&
              square_sums[i] <= (double)frames * 1.0001))
            violation("channel %d has a peak of %g and %g as sum of squares in %lld frames", i,
                      (double)peaks[i], square_sums[i], (long long)frames);
}

static void look_at_losses(struct run *run) {
    struct loss loss;
    while (engine_next_loss(run->engine, &loss)) {
        if (run->loss_count == MOST_LOSSES)
            violation("more losses than this test can hold");
        run->losses[run->loss_count++] = loss;
    }
}

/* What the owner keeps of a file: nothing of the engine's may touch it any more. */
static void close_piece(struct run *run, struct piece *piece) {
    struct output_counts counts;
    output_file_read_counts(piece->handle, &counts);
    if (!counts.done)
        return;
    const struct fake_file *file = piece->file;
    expect_equal("frames counted in a file", counts.frames, file->frames);
    piece->first_frame = counts.first_frame;
    expect_equal("libsndfile's error", counts.file_error, file->error);
    if (file->error && !file->takes_all && !counts.system_error)
        violation("the system's error is lost");
    const int is_float = run->capture.file_sample == FILE_FLOAT32;
    const int32_t top = is_float ? 0 : rounded(INT32_MAX, run->capture.file_bits);
    for (int channel = 0; channel < file->channels; ++channel) {
        double peak = 0;
        int64_t clips = 0;
        for (int64_t i = channel; i < file->frames * file->channels; i += file->channels) {
            const int32_t sample = get_sample(file->samples, file->file_sample, i);
            peak = fmax(peak, fabs((double)sample / FULL_SCALE));
            clips += !is_float && sample == top;
        }
        /* what a full disk refused was measured all the same */
        if (!file->error) {
            expect_equal("clips", output_file_clips(piece->handle, channel), clips);
            expect_equal("peak", (int64_t)(output_file_peak(piece->handle, channel) * FULL_SCALE),
                         (int64_t)(peak * FULL_SCALE));
        }
    }
    output_file_free(piece->handle);
    piece->handle = NULL;
}

static void look_at_pieces(struct run *run) {
    for (int i = 0; i < run->piece_count; ++i)
        if (run->pieces[i].handle)
            close_piece(run, &run->pieces[i]);
}

static void withdraw_piece(struct run *run) {
    output_file *handle = writer_withdraw(engine_first_copy(run->engine));
    if (!handle)
        return;
    const struct piece *piece = &run->pieces[--run->piece_count];
    if (handle != piece->handle)
        violation("another file came back than was offered last");
    expect_equal("frames in a file that was withdrawn", piece->file->frames, 0);
    output_file_free(handle);
    fake_file_free(piece->file);
}

/* Has the last piece that the writer has begun, behind which there will be another, end now or
 * later. */
static void cut_piece(struct run *run) {
    struct output_counts counts = {.first_frame = -1};
    struct piece *piece = &run->pieces[run->piece_count];
    while (counts.first_frame < 0) {
        if (piece == run->pieces || !(--piece)->handle)
            return;
        output_file_read_counts(piece->handle, &counts);
    }
    if (piece == &run->pieces[MOST_PIECES - 1])
        return;
    const int64_t limit = piece->is_unlimited ? NO_LIMIT : piece->limit;
    const int64_t end =
        one_in(&run->random, 2) ? 0 : counts.first_frame + random_from(&run->random, 1, 900);
    piece->limit = engine_cut(run->engine, &piece->handle, 1, counts.first_frame, end, limit, -1);
    piece->is_unlimited = 0;
}

static void split_at_random(struct run *run) {
    struct piece *last = run->piece_count ? &run->pieces[run->piece_count - 1] : NULL;
    if (last && last->handle && one_in(&run->random, 50)) {
        output_file_limit(last->handle, NO_LIMIT);
        last->is_unlimited = 1;
    }
    if (run->opens_late)
        return;
    if (run->piece_count < MOST_PIECES &&
        (run->piece_count == 0 || (run->splits && one_in(&run->random, PIECE_CHANCES))))
        offer_piece(run);
    if (!run->splits || run->piece_count == MOST_PIECES)
        return;
    if (one_in(&run->random, 20) && run->piece_count > 1)
        withdraw_piece(run);
    if (one_in(&run->random, 20))
        cut_piece(run);
}

/* Resumes sooner than it pauses: a run goes on for most of the time. */
static void pause_at_random(struct run *run) {
    if (!one_in(&run->random, run->is_paused ? 2 : 20))
        return;
    run->is_paused = !run->is_paused;
    engine_pause(run->engine, run->is_paused);
}

static void look_at_all(struct run *run) {
    look_at_counts(run);
    look_at_levels(run);
    look_at_losses(run);
    look_at_pieces(run);
}

void run_look_after(struct run *run) {
    look_at_all(run);
    pause_at_random(run);
    if (run->capture_ring) {
        split_at_random(run);
        if (one_in(&run->random, 20))
            writer_sync(engine_first_copy(run->engine));
    }
    const struct timespec length = {.tv_nsec = random_from(&run->random, 1, OWNER_NAP_NS)};
    (void)nanosleep(&length, NULL);
}

/* ---- the end ---- */

void run_join(struct run *run) {
    look_at_losses(run);
    engine_finish(run->engine);
    run->opens_late = 0;
    if (run->playback_ring) {
        reader_stop(run->engine);
        join_thread(run->reader);
        expect_equal("status of the reader", run->reader_status,
                     run->input->error ? LOOP_FILE_ERROR : LOOP_OK);
        expect_equal("error of the input", reader_file_error(run->engine), run->input->error);
    }
    if (run->capture_ring) {
        run->gave_up = one_in(&run->random, 10);
        if (run->gave_up)
            writer_stop(engine_first_copy(run->engine));
        while (!atomic_load(&run->writer_has_ended))
            run_look_after(run);
        join_thread(run->writer);
        withdraw_piece(run);
    }
    look_at_all(run);
}

int64_t run_recorded_frames(const struct run *run) {
    int64_t frames = 0;
    for (int i = 0; i < run->piece_count; ++i)
        frames += run->pieces[i].file->frames;
    return frames;
}

int32_t *run_recording(const struct run *run) {
    const int channels = run->capture.file_channels;
    int32_t *recording =
        allocate((uint64_t)(run_recorded_frames(run) * channels), sizeof *recording);
    int32_t *next = recording;
    for (int i = 0; i < run->piece_count; ++i) {
        const struct fake_file *file = run->pieces[i].file;
        for (int64_t sample = 0; sample < file->frames * channels; ++sample)
            *next++ = get_sample(file->samples, file->file_sample, sample);
    }
    return recording;
}

void run_check_pieces(const struct run *run) {
    int failed = 0;
    int64_t short_pieces = 0, place = run->offset;
    for (int i = 0; i < run->piece_count; ++i) {
        const struct piece *piece = &run->pieces[i];
        expect_equal("first frame of a piece", piece->first_frame, place);
        place += piece->file->frames;
        if (piece->handle)
            violation("piece %d was never handed back", i);
        failed |= piece->file->error;
        if (piece->limit != NO_LIMIT && !piece->is_unlimited && piece->file->frames > piece->limit)
            violation("piece %d is longer than its limit", i);
        short_pieces += i < run->piece_count - 1 && piece->file->frames != piece->limit;
    }
    expect_equal("place of the writer", writer_place(engine_first_copy(run->engine)), place);
    if (!failed)
        expect_equal("pieces that are shorter than their limit", short_pieces, 0);
    expect_equal("status of the writer", run->writer_status, failed ? LOOP_FILE_ERROR : LOOP_OK);
    const struct engine_counts *counts = &run->counts;
    const int64_t recorded = run_recorded_frames(run);
    const int64_t timeline = most_of(0, counts->position - run->offset);
    expect_equal("stored and lost frames", counts->stored_frames + counts->lost_frames, timeline);
    if (!failed && !run->gave_up)
        expect_equal("frames in all files", recorded, timeline);
    if (recorded > timeline)
        violation("more was recorded than there was");
    if (run->level_frames > counts->position + counts->paused_frames)
        violation("more frames were metered than there were");
}

void run_close(struct run *run) {
    for (int i = 0; i < run->piece_count; ++i)
        fake_file_free(run->pieces[i].file);
    fake_file_free(run->input);
    attachment_free(run->attachment);
    engine_free(run->engine);
    ring_free(run->playback_ring);
    ring_free(run->capture_ring);
}
