/* Works around a bug of ALSA's plug-in for PulseAudio, for PortAudio streams that both play and
 * capture.
 *
 * A new stream on the server does not know yet how many frames it holds. The plug-in is meant to
 * wait until it does, but compares the server's answer with the wrong sign and fails with EIO
 * (pulse_delay in alsa-plugins, up to 1.2.12 at least). After an underrun the plug-in opens a new
 * stream. PortAudio at once asks how many frames it holds, gets the error, and ends.
 *
 * Once the module is global (see alsa.py), the linker gives this function to libraries that are
 * loaded later, instead of ALSA's own.
 *
 * The other two functions that take the place of ALSA's remember the stream that PortAudio captures
 * from, because it has no time at which a frame was captured: the clock of the plug-in stands
 * still. But the stream can be asked how much it holds.
 */
#include "_alsa.h"

#if defined(__linux__)

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

typedef int (*delay_function)(void *stream, long *frames);
typedef int (*query_function)(void *stream);
typedef int (*open_function)(void **stream, const char *name, int direction, int mode);

enum { PLAYBACK = 0, CAPTURE = 1, STATE_PREPARED = 2 }; /* snd_pcm_stream_t, snd_pcm_state_t */
enum { POLL_NS = 1000000, POLLS_AT_MOST = 500 };

/* More frames than any device buffers, so PortAudio never thinks that the device has run dry. */
enum { PLENTY_FRAMES = INT_MAX / 2 };

/* The functions of the copy of ALSA that the caller is linked with. */
struct alsa {
    const void *caller; /* where the caller's library begins; NULL: not looked up yet */
    delay_function delay;
    query_function state;
    query_function direction;
    query_function close;
    open_function open;
};

/* dlsym returns a pointer to data, which ISO C cannot cast to a pointer to a function. */
union symbol {
    void *data;
    delay_function delay;
    query_function query;
    open_function open;
};

/* The stream that was opened last to capture from, and the function that tells what it holds. */
static _Atomic(void *) captured;
static _Atomic(delay_function) captured_delay;

static union symbol find(void *library, const char *name) {
    return (union symbol){.data = library ? dlsym(library, name) : NULL};
}

/* A thread calls from one library all its life, so it looks up that library's ALSA once. */
static const struct alsa *alsa_of(const void *return_address) {
    static _Thread_local struct alsa alsa;
    Dl_info caller;
    if (!dladdr(return_address, &caller))
        return NULL;
    if (alsa.caller != caller.dli_fbase) {
        /* with this handle, dlsym searches the library and what it needs, so never finds us */
        void *library = dlopen(caller.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
        alsa = (struct alsa){
            .caller = caller.dli_fbase,
            .delay = find(library, "snd_pcm_delay").delay,
            .state = find(library, "snd_pcm_state").query,
            .direction = find(library, "snd_pcm_stream").query,
            .close = find(library, "snd_pcm_close").query,
            .open = find(library, "snd_pcm_open").open,
        };
        if (library)
            dlclose(library); /* the caller is in it, so it stays loaded */
    }
    return alsa.delay && alsa.state && alsa.direction && alsa.close && alsa.open ? &alsa : NULL;
}

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int snd_pcm_delay(void *stream, long *frames);
EXPORTED int snd_pcm_open(void **stream, const char *name, int direction, int mode);
EXPORTED int snd_pcm_close(void *stream);

int snd_pcm_open(void **stream, const char *name, int direction, int mode) {
    const struct alsa *alsa = alsa_of(__builtin_return_address(0));
    if (!alsa)
        return -ENOSYS;
    const int error = alsa->open(stream, name, direction, mode);
    if (!error && direction == CAPTURE) {
        atomic_store(&captured_delay, alsa->delay);
        atomic_store(&captured, *stream);
    }
    return error;
}

int snd_pcm_close(void *stream) {
    const struct alsa *alsa = alsa_of(__builtin_return_address(0));
    void *closed = stream;
    atomic_compare_exchange_strong(&captured, &closed, NULL);
    return alsa ? alsa->close(stream) : -ENOSYS;
}

int64_t alsa_held_frames(void) {
    void *stream = atomic_load(&captured);
    long frames = -1;
    const delay_function delay = atomic_load(&captured_delay);
    return stream && delay && delay(stream, &frames) == 0 ? frames : -1;
}

int snd_pcm_delay(void *stream, long *frames) {
    const struct alsa *alsa = alsa_of(__builtin_return_address(0));
    if (!alsa)
        return -ENOSYS;
    int error = alsa->delay(stream, frames);
    for (int polls = 0; error == -EIO && polls < POLLS_AT_MOST; ++polls) {
        if (alsa->state(stream) == STATE_PREPARED) {
            /* a stream that has not begun can neither run dry nor overflow */
            *frames = alsa->direction(stream) == PLAYBACK ? PLENTY_FRAMES : 0;
            return 0;
        }
        const struct timespec pause = {.tv_nsec = POLL_NS};
        nanosleep(&pause, NULL);
        error = alsa->delay(stream, frames);
    }
    return error;
}

#else

int64_t alsa_held_frames(void) {
    return -1;
}

#endif
