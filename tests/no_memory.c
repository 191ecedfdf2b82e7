/* A machine without memory: put before a program, it gives the engine no block of NO_BYTES bytes.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

extern void *__libc_malloc(size_t bytes);

void *malloc(size_t bytes) {
    const char *refused = getenv("NO_BYTES");
    Dl_info caller;
    if (refused && bytes == strtoul(refused, NULL, 10) &&
        dladdr(__builtin_return_address(0), &caller) && strstr(caller.dli_fname, "_native"))
        return NULL;
    return __libc_malloc(bytes);
}
