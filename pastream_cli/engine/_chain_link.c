/* One link of a chain: a sound that libsndfile decodes, with the channels that the chain has. */
#include "_chain_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "_convert.h"
#include "_damage.h"
#include "_gather.h"
#include "_loops.h"

/* sndfile.h */
enum { SNDFILE_READ = 0x10, SNDFILE_SET_CLIPPING = 0x10C0, SNDFILE_SEEK_START = 0 };
enum { SNDFILE_SUBTYPES = 0xFFFF, SNDFILE_FLOAT = 6, SNDFILE_DOUBLE = 7 };

enum { SCRATCH_FRAMES = 256 };
/* More silence than any encoder of MPEG puts behind the sound. */
enum { SILENT_FRAMES_AT_MOST = 4608 };

/* struct SF_INFO of sndfile.h */
struct sound_info {
    int64_t frames;
    int rate;
    int channels;
    int format;
    int sections;
    int seekable;
};

/* struct SF_VIRTUAL_IO of sndfile.h */
static struct {
    int64_t (*get_length)(void *source);
    int64_t (*seek)(int64_t offset, int whence, void *source);
    int64_t (*read)(void *bytes, int64_t count, void *source);
    int64_t (*write)(const void *bytes, int64_t count, void *source);
    int64_t (*tell)(void *source);
} source_functions = {byte_source_get_length, byte_source_seek, byte_source_read, byte_source_write,
                      byte_source_tell};

void chain_link_look_for_flac(struct chain_link *l) {
    struct flac_info info;
    const int64_t position = byte_source_tell(l->source);
    int64_t count = 0;
    int64_t got = 1;
    byte_source_seek(0, SEEK_SET, l->source);
    while (got > 0 && count < FLAC_BEGIN_BYTES) {
        got = byte_source_read(l->flac_begin + count, FLAC_BEGIN_BYTES - count, l->source);
        count += got;
    }
    l->is_flac = count == FLAC_BEGIN_BYTES && flac_read_info(l->flac_begin, &info);
    byte_source_seek(position, SEEK_SET, l->source);
}

static int open_from(struct chain_link *l, int descriptor) {
    const struct sndfile_functions *functions = l->functions;
    struct sound_info info = {.format = l->raw_format};
    if (l->raw_format) {
        info.channels = l->channels;
        info.rate = l->rate;
    }
    if (l->source)
        byte_source_seek(0, SEEK_SET, l->source);
    l->file = l->source ? functions->open_virtual(&source_functions, SNDFILE_READ, &info, l->source)
                        : functions->open_descriptor(descriptor, SNDFILE_READ, &info, 1);
    l->place = 0;
    if (!l->file)
        return 0;
    functions->command(l->file, SNDFILE_SET_CLIPPING, NULL, 1);
    l->channels = info.channels;
    l->rate = info.rate;
    l->is_float = (info.format & SNDFILE_SUBTYPES) == SNDFILE_FLOAT ||
                  (info.format & SNDFILE_SUBTYPES) == SNDFILE_DOUBLE;
    if (l->source && !l->raw_format && !l->is_flac)
        chain_link_look_for_flac(l);
    return info.channels > 0 && info.channels <= MOST_DEVICE_CHANNELS;
}

int chain_link_open(struct chain_link *l) {
    return open_from(l, -1);
}

int chain_link_open_anew(struct chain_link *l) {
    const int64_t place = l->place;
    if (l->file && !l->is_owners)
        l->functions->close(l->file);
    l->is_owners = 0;
    const int is_open = open_from(l, -1);
    l->place = place;
    return is_open;
}

/* libsndfile opens no FLAC in a pipe, where it cannot seek at all. All else it opens nowhere but in
 * a pipe, if it cannot seek to the end; it closes that one, also where it cannot read it. */
int chain_link_open_pipe(struct chain_link *l, int descriptor, int is_flac) {
    if (is_flac)
        l->source = byte_source_new_stream(descriptor, (const unsigned char *)"", 0);
    else
        l->rest = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (l->rest >= 0)
        return open_from(l, descriptor);
    if (!l->source) {
        close(descriptor);
        return 0;
    }
    l->has_own_source = 1;
    return open_from(l, -1);
}

int chain_link_drop_some(struct chain_link *l) {
    unsigned char bytes[4096];
    ssize_t got = 0;
    if (l->source)
        return byte_source_drop_some(l->source);
    if (l->rest < 0)
        return 0;
    do
        got = read(l->rest, bytes, sizeof bytes);
    while (got < 0 && errno == EINTR);
    return got > 0;
}

void chain_link_close(struct chain_link *l) {
    if (l->file && !l->is_owners) {
        l->functions->close(l->file);
        l->file = NULL;
    }
    if (l->source)
        byte_source_begin_with(l->source, NULL, 0, 0);
    if (l->has_own_source) {
        close(byte_source_descriptor(l->source));
        byte_source_free(l->source);
        l->source = NULL;
        l->has_own_source = 0;
    }
    if (l->rest >= 0)
        close(l->rest);
    l->rest = -1;
    free(l->scratch);
    free(l->floats);
    free(l->ahead);
    l->scratch = NULL;
    l->floats = NULL;
    l->ahead = NULL;
    l->ahead_frames = 0;
    l->ahead_place = 0;
    l->silent_frames = 0;
}

/* Reads floating-point samples as integers: libsndfile would scale them by their peak, or not. */
static int64_t call_and_convert(struct chain_link *l, int sample, unsigned char *samples,
                                int64_t frames) {
    int64_t total = 0;
    int64_t got = 1;
    if (!l->floats && !(l->floats = scratch_for(SCRATCH_FRAMES, l->channels)))
        l->out_of_memory = 1;
    while (l->floats && total < frames && got > 0) {
        const int64_t asked = least(SCRATCH_FRAMES, frames - total);
        got = most(0, l->functions->read_float(l->file, l->floats, asked));
        convert(samples + total * l->channels * sample_bytes(sample), sample, ALL_BITS, l->floats,
                SAMPLE_FLOAT32, got * l->channels);
        total += got;
    }
    return total;
}

static int64_t call(struct chain_link *l, int sample, void *samples, int64_t frames) {
    if (l->is_float && sample != FILE_FLOAT32)
        return call_and_convert(l, sample, samples, frames);
    switch (sample) {
    case FILE_FLOAT32:
        return most(0, l->functions->read_float(l->file, samples, frames));
    case FILE_INT16:
        return most(0, l->functions->read_short(l->file, samples, frames));
    default:
        return most(0, l->functions->read_int(l->file, samples, frames));
    }
}

static int64_t bytes_of(const struct chain_link *l, int sample, int64_t frames) {
    return frames * l->wanted_channels * (sample == FILE_INT16 ? 2 : BYTES_PER_FILE_SAMPLE);
}

static void mix_to_mono(void *target, const void *source, int channels, int sample,
                        int64_t frames) {
    for (int64_t i = 0; i < frames; ++i) {
        double sum = 0;
        for (int64_t j = i * channels; j < (i + 1) * channels; ++j)
            sum += sample == FILE_FLOAT32 ? (double)((const float *)source)[j]
                   : sample == FILE_INT16 ? (double)((const int16_t *)source)[j]
                                          : (double)((const int32_t *)source)[j];
        if (sample == FILE_FLOAT32)
            ((float *)target)[i] = (float)(sum / channels);
        else if (sample == FILE_INT16)
            ((int16_t *)target)[i] = (int16_t)(sum / channels);
        else
            ((int32_t *)target)[i] = (int32_t)(sum / channels);
    }
}

/* Gives frames the wanted channels: mono is copied to all of them, and all are mixed to mono;
 * otherwise channels that are missing are silent, and those for which there is no place are left
 * out. */
static void fit_channels(const struct chain_link *l, void *target, int sample, int64_t frames) {
    const int channels = l->channels;
    const int wanted = l->wanted_channels;
    int32_t map[MOST_DEVICE_CHANNELS];
    if (wanted == 1) {
        mix_to_mono(target, l->scratch, channels, sample, frames);
        return;
    }
    for (int i = 0; i < wanted; ++i)
        map[i] = channels == 1 ? 0 : i < channels ? i : -1;
    gather(target, wanted, l->scratch, channels, sample, map, frames);
}

int64_t chain_link_decode(struct chain_link *l, int sample, unsigned char *samples,
                          int64_t frames) {
    int64_t total = 0;
    int64_t asked = 0;
    int64_t got = 0;
    if (l->channels == l->wanted_channels)
        return call(l, sample, samples, frames);
    if (!l->scratch && !(l->scratch = scratch_for(SCRATCH_FRAMES, l->channels)))
        l->out_of_memory = 1;
    while (l->scratch && total < frames && got == asked) {
        asked = least(SCRATCH_FRAMES, frames - total);
        got = call(l, sample, l->scratch, asked);
        fit_channels(l, samples + bytes_of(l, sample, total), sample, got);
        total += got;
    }
    return total;
}

/* Reads on behind the frames that are sound. If the link ends there, that was silence; if not, its
 * index was wrong, and what was read is sound too. */
static void look_behind_the_sound(struct chain_link *l, int sample) {
    l->sound_frames = -1;
    l->ahead_place = 0;
    l->ahead = scratch_for(SILENT_FRAMES_AT_MOST, l->wanted_channels);
    if (!l->ahead)
        return;
    l->ahead_frames = chain_link_decode(l, sample, l->ahead, SILENT_FRAMES_AT_MOST);
    if (l->ahead_frames < SILENT_FRAMES_AT_MOST)
        l->ahead_frames = 0;
}

static void skip_silence(struct chain_link *l, int sample, unsigned char *samples, int64_t frames) {
    while (l->skip_frames > 0) {
        const int64_t got = chain_link_decode(l, sample, samples, least(frames, l->skip_frames));
        l->skip_frames -= (int32_t)got;
        if (got == 0)
            l->skip_frames = 0;
    }
}

static int64_t take_ahead(struct chain_link *l, int sample, unsigned char *samples,
                          int64_t frames) {
    const int64_t count = least(frames, l->ahead_frames - l->ahead_place);
    const unsigned char *from = l->ahead;
    if (count <= 0)
        return 0;
    memcpy(samples, from + bytes_of(l, sample, l->ahead_place), (size_t)bytes_of(l, sample, count));
    l->ahead_place += count;
    return count;
}

static int64_t take_silence(struct chain_link *l, int sample, unsigned char *samples,
                            int64_t frames) {
    const int64_t count = least(frames, l->silent_frames);
    memset(samples, 0, (size_t)bytes_of(l, sample, count));
    l->silent_frames -= count;
    return count;
}

/* libsndfile may say with any frames that it has met damage, and all of these are in doubt. */
static int64_t read_flac(struct chain_link *l, int sample, unsigned char *samples, int64_t frames) {
    const int64_t begin = l->place;
    int64_t left = frames;
    if (l->is_to_be_searched && !go_on_behind_damage(l, sample))
        return 0;
    l->is_to_be_searched = 0;
    while (left > 0) {
        unsigned char *target = samples + bytes_of(l, sample, frames - left);
        int64_t got = take_silence(l, sample, target, left);
        if (!got)
            got = take_ahead(l, sample, target, left);
        if (!got) {
            got = chain_link_decode(l, sample, target, left);
            if (l->functions->error(l->file)) {
                if (!go_on_behind_damage(l, sample))
                    break;
                continue;
            }
            if (!got)
                break;
        }
        left -= got;
        l->place += got;
    }
    return l->place - begin;
}

int64_t chain_link_read(struct chain_link *l, int sample, unsigned char *samples, int64_t frames) {
    if (l->is_flac)
        return read_flac(l, sample, samples, frames);
    skip_silence(l, sample, samples, frames);
    int64_t total = take_ahead(l, sample, samples, frames);
    while (total < frames) {
        const int64_t left = l->sound_frames < 0 ? INT64_MAX : l->sound_frames - l->place - total;
        const int64_t asked = least(frames - total, left);
        const int64_t got =
            chain_link_decode(l, sample, samples + bytes_of(l, sample, total), asked);
        total += got;
        if (got < asked || left == INT64_MAX)
            break;
        if (got == left) {
            look_behind_the_sound(l, sample);
            total += take_ahead(l, sample, samples + bytes_of(l, sample, total), frames - total);
        }
    }
    l->place += total;
    return total;
}

int chain_link_seek(struct chain_link *l, int64_t frame) {
    l->silent_frames = 0;
    l->ahead_frames = 0;
    l->ahead_place = 0;
    if (l->source && byte_source_begins_anew(l->source)) {
        byte_source_begin_with(l->source, NULL, 0, 0);
        if (!chain_link_open_anew(l))
            return 0;
    }
    l->is_to_be_searched = 0;
    if (l->functions->seek(l->file, frame, SNDFILE_SEEK_START) < 0) {
        if (!l->is_flac || l->frames < 0 || frame > l->frames)
            return 0;
        l->is_to_be_searched = 1;
        stand_before_frame(l, frame);
    }
    l->place = frame;
    return 1;
}
