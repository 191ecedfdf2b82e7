/* Mends ALSA's plug-in for PulseAudio, under PortAudio, where a stream both plays and captures.
 *
 * A stream of the server's that has just been made does not know yet how many frames it holds.
 * The plug-in means to wait until it does, but compares the server's answer with the wrong sign
 * and fails with EIO instead (pulse_delay in alsa-plugins, up to 1.2.12 at least). A stream is
 * made anew whenever it has run dry, PortAudio then asks at once, and gives the whole stream up.
 *
 * This function is found in the place of ALSA's own by libraries that are loaded after the module
 * was made global, see alsa.py.
 */
#if defined(__linux__)

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <time.h>

typedef int (*delay_function)(void *stream, long *frames);
typedef int (*query_function)(void *stream);

enum { PLAYBACK = 0, STATE_PREPARED = 2 }; /* snd_pcm_stream_t, snd_pcm_state_t */
enum { POLL_NS = 1000000, POLLS_AT_MOST = 500 };

/* Longer than any buffer of a device's, so that PortAudio never takes it for one that runs dry. */
enum { PLENTY_FRAMES = INT_MAX / 2 };

/* ALSA's functions, of the copy of ALSA that one caller was linked with. */
struct alsa {
    const void *caller; /* where the caller's library begins; NULL: none was looked for yet */
    delay_function delay;
    query_function state;
    query_function direction;
};

/* dlsym gives a pointer to data, which ISO C does not turn into one to a function. */
union symbol {
    void *data;
    delay_function delay;
    query_function query;
};

static union symbol find(void *library, const char *name) {
    return (union symbol){.data = library ? dlsym(library, name) : NULL};
}

/* A thread calls from one library for all of its life, so it looks for that library's ALSA once. */
static const struct alsa *alsa_of(const void *return_address) {
    static _Thread_local struct alsa alsa;
    Dl_info caller;
    if (!dladdr(return_address, &caller))
        return NULL;
    if (alsa.caller != caller.dli_fbase) {
        /* searched with all that it depends on, and nothing else: not us */
        void *library = dlopen(caller.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
        alsa = (struct alsa){
            .caller = caller.dli_fbase,
            .delay = find(library, "snd_pcm_delay").delay,
            .state = find(library, "snd_pcm_state").query,
            .direction = find(library, "snd_pcm_stream").query,
        };
        if (library)
            dlclose(library); /* it is running, and stays */
    }
    return alsa.delay && alsa.state && alsa.direction ? &alsa : NULL;
}

__attribute__((visibility("default"))) int snd_pcm_delay(void *stream, long *frames);

int snd_pcm_delay(void *stream, long *frames) {
    const struct alsa *alsa = alsa_of(__builtin_return_address(0));
    if (!alsa)
        return -ENOSYS;
    int error = alsa->delay(stream, frames);
    for (int polls = 0; error == -EIO && polls < POLLS_AT_MOST; ++polls) {
        if (alsa->state(stream) == STATE_PREPARED) {
            /* What has not begun runs neither dry nor over. */
            *frames = alsa->direction(stream) == PLAYBACK ? PLENTY_FRAMES : 0;
            return 0;
        }
        const struct timespec pause = {.tv_nsec = POLL_NS};
        nanosleep(&pause, NULL);
        error = alsa->delay(stream, frames);
    }
    return error;
}

#endif
