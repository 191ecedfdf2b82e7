/* Leads streams of ALSA's plug-in for PulseAudio to a source or sink, and gives them its channels.
 *
 * The plug-in asks for the server's default, or for what PULSE_SOURCE and PULSE_SINK name. These
 * two are of the whole process: if they were set for one open that hangs, the next would follow
 * them too. Here each context has a choice of its own.
 *
 * The plug-in names channels by their number: the first is front left, the second front right, the
 * fifth the centre. The server mixes by these names, so a source whose channels have other names or
 * another order is recorded mixed, in another order, or silent. Here the stream gets the positions
 * that the source has, so that channel n is channel n.
 *
 * Once the module is global (see alsa.py), the linker gives these functions to libraries that are
 * loaded later, instead of libpulse's own. For streams that nothing was chosen for, they only call
 * libpulse's.
 */
#include "_pulse.h"

#if defined(__linux__)

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { MOST_CHANNELS = 32, MOST_CONTEXTS = 64, NAME_BYTES = 1024 };
enum { NO_REMIX = 0x20 }; /* pa_stream_flags_t */

/* What libpulse's headers call pa_channel_map and pa_sample_spec. */
struct positions {
    uint8_t channels;
    int32_t of[MOST_CHANNELS];
};

struct sample_spec {
    int32_t format;
    uint32_t rate;
    uint8_t channels;
};

/* One for each PCM of the plug-in: the capture and the playback have a context each. */
struct choice {
    const void *context;
    char source[NAME_BYTES], sink[NAME_BYTES];
    struct positions captured, played;
};

typedef void *(*new_context_function)(void *api, const char *name);
typedef void (*end_context_function)(void *context);
typedef void *(*new_stream_function)(void *context, const char *name, const struct sample_spec *,
                                     const struct positions *);
typedef void *(*context_function)(void *stream);
typedef const struct sample_spec *(*spec_function)(void *stream);
typedef int (*record_function)(void *stream, const char *device, const void *buffer, int flags);
typedef int (*play_function)(void *stream, const char *device, const void *buffer, int flags,
                             const void *volume, void *other);

/* dlsym returns a pointer to data, which ISO C cannot cast to a pointer to a function. */
union symbol {
    void *data;
    new_context_function new_context;
    end_context_function end_context;
    new_stream_function new_stream;
    context_function context;
    spec_function spec;
    record_function record;
    play_function play;
};

static _Thread_local struct choice next;
static _Thread_local bool is_taken, is_complete;
static struct choice choices[MOST_CONTEXTS];
static size_t oldest;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void set(struct positions *positions, const int32_t *of, int32_t channels) {
    positions->channels = (uint8_t)(channels < 0 || channels > MOST_CHANNELS ? 0 : channels);
    if (positions->channels)
        memcpy(positions->of, of, positions->channels * sizeof *of);
}

/* Returns whether the name has room. */
static bool copy(char *to, const char *name) {
    size_t bytes = strlen(name) + 1;
    bool has_room = bytes <= NAME_BYTES;
    memcpy(to, has_room ? name : "", has_room ? bytes : 1);
    return has_room;
}

void pulse_choose(const char *source, const int32_t *captured, int32_t captured_channels,
                  const char *sink, const int32_t *played, int32_t played_channels) {
    bool has_room = copy(next.source, source);
    is_complete = copy(next.sink, sink) && has_room;
    is_taken = false;
    set(&next.captured, captured, captured_channels);
    set(&next.played, played, played_channels);
}

int32_t pulse_choice_is_taken(void) {
    return is_taken && is_complete;
}

/* Returns libpulse's own function: that of the copy of libpulse that the caller is linked with. */
static union symbol own(const void *return_address, const char *name) {
    Dl_info caller;
    if (!dladdr(return_address, &caller))
        return (union symbol){.data = NULL};
    /* with this handle, dlsym searches the library and what it needs, so never finds us */
    void *library = dlopen(caller.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    union symbol symbol = {.data = library ? dlsym(library, name) : NULL};
    if (library)
        dlclose(library); /* the caller is in it, so it stays loaded */
    return symbol;
}

/* Returns MOST_CONTEXTS where it has none. */
static size_t place_of(const void *context) {
    size_t place = 0;
    while (place < MOST_CONTEXTS && choices[place].context != context)
        ++place;
    return place;
}

/* A context may be where an earlier one was, so one for which nothing was chosen is noted too. */
static void note(const void *context) {
    pthread_mutex_lock(&lock);
    size_t place = place_of(context);
    if (place == MOST_CONTEXTS)
        place = place_of(NULL);
    if (place == MOST_CONTEXTS) {
        place = oldest;
        oldest = (oldest + 1) % MOST_CONTEXTS;
    }
    choices[place] = next;
    choices[place].context = context;
    is_taken = true;
    pthread_mutex_unlock(&lock);
}

/* After an xrun, the plug-in makes a new stream in its context, so a choice is kept until that
 * ends. */
static void forget(const void *context) {
    pthread_mutex_lock(&lock);
    size_t place = place_of(context);
    if (place < MOST_CONTEXTS)
        choices[place].context = NULL;
    pthread_mutex_unlock(&lock);
}

static struct choice noted(const void *context) {
    struct choice choice = {.context = NULL};
    pthread_mutex_lock(&lock);
    for (size_t i = 0; context && i < MOST_CONTEXTS; ++i)
        if (choices[i].context == context)
            choice = choices[i];
    pthread_mutex_unlock(&lock);
    return choice;
}

/* Of a stream with fewer channels than the source has, the server would mix the others into it. */
static int flags_for(const struct positions *positions, const struct sample_spec *spec) {
    return spec && spec->channels < positions->channels ? NO_REMIX : 0;
}

#define EXPORTED __attribute__((visibility("default")))

EXPORTED void *pa_context_new(void *api, const char *name);
EXPORTED void pa_context_disconnect(void *context);
EXPORTED void *pa_stream_new(void *context, const char *name, const struct sample_spec *spec,
                             const struct positions *map);
EXPORTED int pa_stream_connect_record(void *stream, const char *device, const void *buffer,
                                      int flags);
EXPORTED int pa_stream_connect_playback(void *stream, const char *device, const void *buffer,
                                        int flags, const void *volume, void *other);

void *pa_context_new(void *api, const char *name) {
    new_context_function new_context =
        own(__builtin_return_address(0), "pa_context_new").new_context;
    void *context = new_context ? new_context(api, name) : NULL;
    if (context)
        note(context);
    return context;
}

void pa_context_disconnect(void *context) {
    end_context_function end_context =
        own(__builtin_return_address(0), "pa_context_disconnect").end_context;
    forget(context);
    if (end_context)
        end_context(context);
}

void *pa_stream_new(void *context, const char *name, const struct sample_spec *spec,
                    const struct positions *map) {
    new_stream_function new_stream = own(__builtin_return_address(0), "pa_stream_new").new_stream;
    struct choice choice = noted(context);
    /* so the plug-in calls its streams */
    struct positions chosen =
        name && strcmp(name, "ALSA Playback") == 0 ? choice.played : choice.captured;
    if (spec && chosen.channels >= spec->channels && spec->channels > 0) {
        chosen.channels = spec->channels;
        map = &chosen;
    }
    return new_stream ? new_stream(context, name, spec, map) : NULL;
}

int pa_stream_connect_record(void *stream, const char *device, const void *buffer, int flags) {
    const void *caller = __builtin_return_address(0);
    record_function record = own(caller, "pa_stream_connect_record").record;
    context_function context = own(caller, "pa_stream_get_context").context;
    spec_function spec = own(caller, "pa_stream_get_sample_spec").spec;
    if (!record)
        return -1;
    struct choice choice = {.context = NULL};
    if (context && spec) {
        choice = noted(context(stream));
        flags |= flags_for(&choice.captured, spec(stream));
    }
    if (!device && *choice.source)
        device = choice.source;
    return record(stream, device, buffer, flags);
}

int pa_stream_connect_playback(void *stream, const char *device, const void *buffer, int flags,
                               const void *volume, void *other) {
    const void *caller = __builtin_return_address(0);
    play_function play = own(caller, "pa_stream_connect_playback").play;
    context_function context = own(caller, "pa_stream_get_context").context;
    spec_function spec = own(caller, "pa_stream_get_sample_spec").spec;
    if (!play)
        return -1;
    struct choice choice = {.context = NULL};
    if (context && spec) {
        choice = noted(context(stream));
        flags |= flags_for(&choice.played, spec(stream));
    }
    if (!device && *choice.sink)
        device = choice.sink;
    return play(stream, device, buffer, flags, volume, other);
}

#else

void pulse_choose(const char *source, const int32_t *captured, int32_t captured_channels,
                  const char *sink, const int32_t *played, int32_t played_channels) {
    (void)source;
    (void)captured;
    (void)captured_channels;
    (void)sink;
    (void)played;
    (void)played_channels;
}

int32_t pulse_choice_is_taken(void) {
    return 0;
}

#endif
