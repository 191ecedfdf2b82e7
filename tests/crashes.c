/* A sound library with bugs: put before a program, it aborts in the function that CRASHES_IN names,
 * as often as there are files CRASHES.0, CRASHES.1, ... to remove. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_CRASHES = 9 };

/* Returns what the library has by that name, if it does not crash. */
static void *original(const char *name) {
    for (int number = 0; !strcmp(getenv("CRASHES_IN"), name) && number < MOST_CRASHES; ++number) {
        char path[4096];
        snprintf(path, sizeof path, "%s.%d", getenv("CRASHES"), number);
        if (unlink(path) == 0)
            abort();
    }
    return dlsym(dlopen("libasound.so.2", RTLD_NOW), name);
}

/* Called when PortAudio looks for sound cards. */
int snd_card_next(int *card) {
    int (*next)(int *);
    *(void **)&next = original(__func__);
    return next(card);
}

/* Called when it starts a stream. */
int snd_pcm_start(void *pcm) {
    int (*start)(void *);
    *(void **)&start = original(__func__);
    return start(pcm);
}
