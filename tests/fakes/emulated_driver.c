/* libcuda.so.1 for a machine without a GPU: what the kiosk's engine and PyCUDA ask of NVIDIA's driver, in host memory.

   It keeps to the driver's documentation where they could get it wrong: a context must be current in the thread
   that calls, work on a stream is done when somebody waits for it, recorded work is not done at all, and what is in
   a context is gone with it. Numbers are those of CUDA's cuda.h, which is not needed. Tests use the functions called
   `emulated_…`: they tell what is held, put work on a stream as TensorRT would, and make calls fail. */

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, INVALID_CONTEXT = 201 };
enum { INVALID_HANDLE = 400, ILLEGAL_ADDRESS = 700, CONTEXT_IS_DESTROYED = 709, CAPTURE_UNSUPPORTED = 900 };
enum { CAPTURE_INVALIDATED = 901, CAPTURE_UNMATCHED = 903, UNKNOWN = 999 };
enum { COMPUTE_CAPABILITY_MAJOR = 75, COMPUTE_CAPABILITY_MINOR = 76 };
enum { NOTHING, A_DRIVER, A_CONTEXT };     /* what a call needs */
enum { ALL_IS_WELL, GPU_LOST, ALL_LOST };  /* a GPU is lost after a failed launch: every call in its context fails */
enum { DEVICE, PINNED, STREAM, GRAPH, EXECUTABLE, KINDS };
enum { DEPTH = 64, CALLS = 1 << 16 };

typedef struct Work { /* a copy, or a function that returns 0 when it could be done */
    struct Work *next;
    char *to;
    const char *from;
    size_t size;
    int (*function)(void);
} Work;

typedef struct Thing { /* memory, a stream, a graph or an executable one */
    struct Thing *next;
    int kind, recording, spoilt;
    char *memory;
    size_t size;
    Work *work, *recorded;
} Thing;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* not held while a test's function waits for Python */
static int initialised, retained, lost, left_behind, count, fail_after, fail_with, fail_loses;
static char fail_in[64], primary[] = "the primary context";
static const char *calls[CALLS];
static size_t room = SIZE_MAX;
static Thing *things;
static __thread int depth; /* of this thread's stack of contexts, which are all the primary one */
static __thread Thing *recording;

static int entered(const char *name, int needs)
{
    int code = SUCCESS;
    pthread_mutex_lock(&lock);
    calls[count++ % CALLS] = name;
    if (lost == ALL_LOST || (lost == GPU_LOST && needs == A_CONTEXT))
        code = UNKNOWN;
    else if (needs != NOTHING && !initialised)
        code = NOT_INITIALIZED;
    else if (needs == A_CONTEXT)
        code = !depth ? INVALID_CONTEXT : retained ? SUCCESS : CONTEXT_IS_DESTROYED;
    if (fail_with && (!*fail_in || !strcmp(fail_in, name)) && !fail_after--) {
        code = fail_with;
        lost = fail_loses;
        fail_with = SUCCESS;
    }
    pthread_mutex_unlock(&lock);
    return code;
}

#define NEEDS(what) do { int code_ = entered(__func__, what); if (code_) return code_; } while (0)

static Thing *made(int kind, size_t size)
{
    Thing *thing = calloc(1, sizeof *thing);
    thing->kind = kind;
    if ((thing->size = size))
        thing->memory = memset(malloc(size), 0xff, size); /* floats that are none, until something is written there */
    pthread_mutex_lock(&lock);
    thing->next = things;
    things = thing;
    if (kind == DEVICE)
        room -= size;
    pthread_mutex_unlock(&lock);
    return thing;
}

static Thing *found(const void *handle, int kind)
{
    Thing *thing;
    pthread_mutex_lock(&lock);
    for (thing = things; thing && !(thing->kind == kind && (thing == handle || thing->memory == handle));)
        thing = thing->next;
    pthread_mutex_unlock(&lock);
    return handle ? thing : NULL;
}

static int inside(const char *address, size_t size, int kind)
{
    Thing *thing;
    pthread_mutex_lock(&lock);
    for (thing = things; thing; thing = thing->next)
        if (thing->kind == kind && address >= thing->memory && address + size <= thing->memory + thing->size)
            break;
    pthread_mutex_unlock(&lock);
    return thing != NULL;
}

static void forget_work(Work **work)
{
    for (Work *step; (step = *work); free(step))
        *work = step->next;
}

static void forget(Thing *thing)
{
    Thing **place = &things;
    pthread_mutex_lock(&lock);
    while (*place != thing)
        place = &(*place)->next;
    *place = thing->next;
    if (thing->kind == DEVICE)
        room += thing->size;
    pthread_mutex_unlock(&lock);
    forget_work(&thing->work);
    forget_work(&thing->recorded);
    free(thing->memory);
    free(thing);
}

static int forget_found(const void *handle, int kind)
{
    Thing *thing = found(handle, kind);
    if (thing)
        forget(thing);
    return thing ? SUCCESS : INVALID_VALUE;
}

static int queued(Work **work, Work step)
{
    while (*work)
        work = &(*work)->next;
    step.next = NULL;
    *work = memcpy(malloc(sizeof step), &step, sizeof step);
    return SUCCESS;
}

static int put_on(void *handle, Work step)
{
    Thing *stream = found(handle, STREAM);
    return stream ? queued(stream->recording ? &stream->recorded : &stream->work, step) : INVALID_HANDLE;
}

static int is_done(const Work *step)
{
    if (step->function)
        return !step->function();
    if (!(inside(step->to, step->size, DEVICE) && inside(step->from, step->size, PINNED)) &&
        !(inside(step->to, step->size, PINNED) && inside(step->from, step->size, DEVICE)))
        return 0;
    memcpy(step->to, step->from, step->size);
    return 1;
}

static int waited_for(Thing *stream)
{
    while (stream->work) {
        Work *step = stream->work;
        if (!is_done(step))
            lost = GPU_LOST;
        stream->work = step->next;
        free(step);
        if (lost) {
            forget_work(&stream->work);
            return ILLEGAL_ADDRESS;
        }
    }
    return SUCCESS;
}

/* The driver. */

int cuInit(unsigned flags) { NEEDS(NOTHING); initialised = 1; return flags; }
int cuDriverGetVersion(int *version) { NEEDS(NOTHING); *version = 12090; return SUCCESS; }
int cuDeviceGetCount(int *devices) { NEEDS(A_DRIVER); *devices = 1; return SUCCESS; }
int cuDeviceGet(int *device, int ordinal) { NEEDS(A_DRIVER); *device = 0; return ordinal ? INVALID_VALUE : SUCCESS; }

int cuDeviceGetName(char *name, int length, int device)
{
    NEEDS(A_DRIVER);
    snprintf(name, (size_t)length, "emulated GPU %d", device);
    return SUCCESS;
}

int cuDeviceGetAttribute(int *value, int attribute, int device)
{
    NEEDS(A_DRIVER);
    *value = attribute == COMPUTE_CAPABILITY_MAJOR ? 8 : attribute == COMPUTE_CAPABILITY_MINOR ? 7 : 0;
    return device;
}

int cuGetErrorString(int code, const char **text)
{
    static __thread char buffer[32];
    snprintf(buffer, sizeof buffer, "error %d", code);
    *text = buffer;
    return SUCCESS;
}

int cuDevicePrimaryCtxRetain(void **context, int device)
{
    NEEDS(A_DRIVER);
    retained++;
    *context = primary;
    return device;
}

int cuDevicePrimaryCtxRelease_v2(int device) /* it stays on every thread's stack */
{
    NEEDS(A_DRIVER);
    if (!retained)
        return INVALID_CONTEXT;
    if (!--retained)
        for (; things; left_behind++)
            forget(things);
    return device;
}

int cuCtxPushCurrent_v2(const void *context)
{
    NEEDS(A_DRIVER);
    if (context != primary || !retained || depth == DEPTH)
        return INVALID_CONTEXT;
    depth++;
    return SUCCESS;
}

int cuCtxPopCurrent_v2(void **context)
{
    NEEDS(A_DRIVER);
    if (!depth)
        return INVALID_CONTEXT;
    depth--;
    *context = primary;
    return SUCCESS;
}

int cuMemAlloc_v2(uintptr_t *address, size_t size)
{
    NEEDS(A_CONTEXT);
    if (recording)
        return recording->spoilt = CAPTURE_UNSUPPORTED;
    if (size > room)
        return OUT_OF_MEMORY;
    *address = (uintptr_t)made(DEVICE, size)->memory;
    return SUCCESS;
}

int cuMemHostAlloc(void **address, size_t size, unsigned flags)
{
    NEEDS(A_CONTEXT);
    *address = made(PINNED, size)->memory;
    return flags;
}

static int freed(const void *address, int kind) /* which waits for the GPU */
{
    if (recording)
        return recording->spoilt = CAPTURE_UNSUPPORTED;
    for (Thing *thing = things; thing; thing = thing->next)
        waited_for(thing);
    return forget_found(address, kind);
}

int cuMemFree_v2(uintptr_t address) { NEEDS(A_CONTEXT); return freed((void *)address, DEVICE); }
int cuMemFreeHost(void *address) { NEEDS(A_CONTEXT); return freed(address, PINNED); }

int cuMemcpyHtoDAsync_v2(uintptr_t to, const void *from, size_t size, void *stream)
{
    NEEDS(A_CONTEXT);
    return put_on(stream, (Work){.to = (char *)to, .from = from, .size = size});
}

int cuMemcpyDtoHAsync_v2(void *to, uintptr_t from, size_t size, void *stream)
{
    NEEDS(A_CONTEXT);
    return put_on(stream, (Work){.to = to, .from = (const char *)from, .size = size});
}

int cuStreamCreate(void **stream, unsigned flags) { NEEDS(A_CONTEXT); *stream = made(STREAM, 0); return flags; }
int cuStreamDestroy_v2(void *stream) { NEEDS(A_CONTEXT); return forget_found(stream, STREAM); }

int cuStreamSynchronize(void *handle)
{
    NEEDS(A_CONTEXT);
    Thing *stream = found(handle, STREAM);
    return !stream ? INVALID_HANDLE : stream->recording ? (stream->spoilt = CAPTURE_UNSUPPORTED) : waited_for(stream);
}

int cuStreamBeginCapture_v2(void *handle, int mode)
{
    NEEDS(A_CONTEXT);
    Thing *stream = found(handle, STREAM);
    if (!stream || stream->recording)
        return INVALID_VALUE;
    stream->recording = mode + 1;
    recording = stream;
    return SUCCESS;
}

int cuStreamEndCapture(void *handle, void **graph)
{
    int code = entered(__func__, A_CONTEXT);
    Thing *stream = found(handle, STREAM);
    *graph = recording = NULL;
    if (!stream || !stream->recording)
        return CAPTURE_UNMATCHED;
    if (!code && stream->spoilt)
        code = CAPTURE_INVALIDATED;
    stream->recording = stream->spoilt = 0; /* it ends in any case */
    if (code)
        forget_work(&stream->recorded);
    else
        ((Thing *)(*graph = made(GRAPH, 0)))->recorded = stream->recorded;
    stream->recorded = NULL;
    return code;
}

int cuGraphInstantiateWithFlags(void **executable, void *handle, unsigned long long flags)
{
    NEEDS(A_CONTEXT);
    Thing *graph = found(handle, GRAPH), *result;
    if (!graph || flags)
        return INVALID_VALUE;
    result = *executable = made(EXECUTABLE, 0);
    for (Work *step = graph->recorded; step; step = step->next)
        queued(&result->recorded, *step);
    return SUCCESS;
}

int cuGraphLaunch(void *handle, void *stream)
{
    NEEDS(A_CONTEXT);
    Thing *executable = found(handle, EXECUTABLE);
    for (Work *step = executable ? executable->recorded : NULL; step; step = step->next)
        put_on(stream, *step);
    return executable && found(stream, STREAM) ? SUCCESS : INVALID_HANDLE;
}

int cuGraphDestroy(void *graph) { NEEDS(A_DRIVER); return forget_found(graph, GRAPH); }
int cuGraphExecDestroy(void *executable) { NEEDS(A_DRIVER); return forget_found(executable, EXECUTABLE); }

/* The tests. */

int emulated_work(void *stream, int (*function)(void))
{
    NEEDS(A_CONTEXT);
    return put_on(stream, (Work){.function = function});
}

/* After so many others, the call of that name ("" for any) fails with a code, and so much is lost with it. */
void emulated_fail(const char *name, int after, int code, int loses)
{
    snprintf(fail_in, sizeof fail_in, "%s", name);
    fail_after = after;
    fail_with = code;
    fail_loses = loses;
}

void emulated_room(size_t size) { room = size; }

/* As after a new start, for this thread. */
void emulated_restart(void)
{
    while (things)
        forget(things);
    recording = NULL;
    retained = lost = left_behind = count = fail_with = depth = 0;
    room = SIZE_MAX;
}

int emulated_held(int kind)
{
    int held = 0;
    for (Thing *thing = things; thing; thing = thing->next)
        held += thing->kind == kind;
    return held;
}

int emulated_retained(void) { return retained; }
int emulated_left_behind(void) { return left_behind; }
int emulated_depth(void) { return depth; }
int emulated_calls(void) { return count; }
const char *emulated_call(int index) { return calls[index % CALLS]; }

/* The bindings of the emulated TensorRT are linked to this library, which so tells its version. */
int getInferLibVersion(void) { return 100300; }
