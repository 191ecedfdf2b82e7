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

/* dlsym gives a pointer to data, which ISO C does not turn into one to a function. */
union symbol {
    void *data;
    delay_function delay;
    query_function query;
};

static union symbol find(const char *name) {
    void *library = dlopen("libasound.so.2", RTLD_LAZY | RTLD_NOLOAD);
    const union symbol found = {.data = library ? dlsym(library, name) : NULL};
    if (library)
        dlclose(library); /* whoever calls us has it open too */
    return found;
}

__attribute__((visibility("default"))) int snd_pcm_delay(void *stream, long *frames);

int snd_pcm_delay(void *stream, long *frames) {
    const delay_function delay = find("snd_pcm_delay").delay;
    const query_function state = find("snd_pcm_state").query;
    const query_function direction = find("snd_pcm_stream").query;
    if (!delay || !state || !direction)
        return -ENOSYS;
    int error = delay(stream, frames);
    for (int polls = 0; error == -EIO && polls < POLLS_AT_MOST; ++polls) {
        if (state(stream) == STATE_PREPARED) {
            /* What has not begun cannot run dry, or over. */
            *frames = direction(stream) == PLAYBACK ? INT_MAX / 2 : 0;
            return 0;
        }
        const struct timespec pause = {.tv_nsec = POLL_NS};
        nanosleep(&pause, NULL);
        error = delay(stream, frames);
    }
    return error;
}

#endif
